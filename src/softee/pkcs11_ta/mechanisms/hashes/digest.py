# SPDX-License-Identifier: Apache-2.0
"""MD5, SHA-1, SHA-2, SHA-3 and BLAKE2b digests (PKCS#11 3.2, section 6, SHA-1 to BLAKE2B-512).

CKM_SHA512_T is not there: no library has it for lengths other than 224 and 256, which have mechanisms of their own.
"""

from softee.pkcs11_ta.mechanisms.functions import Digesting
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HASHINGS, HashContext, Hashing
from softee.pkcs11_ta.mechanisms.spec import QUICK_BULK, QUICK_BYTES, AnyMechanism, MechanismSpec

_QUICKEST = (h.SHA1, h.SHA224, h.SHA256, h.SHA384, h.SHA512, h.SHA512_224, h.SHA512_256)
"""For which processors have instructions, or words that fit."""


class _Digest:
    """An active digest."""

    __slots__ = ("_state",)

    def __init__(self, state: HashContext) -> None:
        self._state = state

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._state.update(part)

    def finish(self) -> bytes:
        """Return the digest."""
        return self._state.finalize()

    def copy(self) -> "_Digest":
        """Return an operation of its own that is as far."""
        return _Digest(self._state.copy())


def _spec(hashing: Hashing) -> AnyMechanism:
    return MechanismSpec(
        mechanism=hashing.mechanism,
        params=no_params,
        quick_bytes=QUICK_BULK if hashing in _QUICKEST else QUICK_BYTES,
        functions=(Digesting(begin=lambda _: _Digest(hashing.begin()), size=hashing.size),),
    )


SPECS = tuple(_spec(hashing) for hashing in HASHINGS)
