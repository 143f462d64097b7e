# SPDX-License-Identifier: Apache-2.0
"""MD5, SHA-1 and SHA-2 digests (PKCS#11 3.2, section 6, SHA-1 to SHA-512)."""

from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import Hash, HashAlgorithm

from softee.pkcs11_ta.mechanisms.functions import Digesting, DigestOperation
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HASH_FUNCTIONS, HashFunction
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


class _Digest:
    """An active digest."""

    __slots__ = ("_state",)

    def __init__(self, state: Hash) -> None:
        self._state = state

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._state.update(part)

    def finish(self) -> bytes:
        """Return the digest."""
        return self._state.finalize()

    def copy(self) -> DigestOperation:
        """Return an operation of its own that is as far."""
        return _Digest(self._state.copy())


def _begin(algorithm: HashAlgorithm) -> Callable[[None], DigestOperation]:
    return lambda _: _Digest(Hash(algorithm))


def _spec(hash_function: HashFunction) -> AnyMechanism:
    return MechanismSpec(
        mechanism=hash_function.mechanism,
        params=no_params,
        functions=(Digesting(begin=_begin(hash_function.algorithm), size=hash_function.size),),
    )


SPECS = tuple(_spec(hash_function) for hash_function in HASH_FUNCTIONS)
