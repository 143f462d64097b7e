# SPDX-License-Identifier: Apache-2.0
"""What a known answer is: an input, where it is published, and what has to come of it.

Each kind is a function that returns one, and runs a mechanism's own functions, as the commands do. Parameters are given
as they travel. The keys of MACs are secret, those of signatures private: a private key verifies, too.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.mechanisms.functions import (
    Ciphering,
    Deriving,
    Digesting,
    Encapsulating,
    KeyGenerating,
    PairGenerating,
    Signing,
    Wrapping,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS


class WrongAnswerError(Exception):
    """Something else came of a published input."""


class Sha256Of:
    """The SHA-256 of an answer that is too long to stand in a table, and how many bytes it has."""

    def __init__(self, size: int, digest: str) -> None:
        self._size = size
        self._digest = digest

    def __len__(self) -> int:
        """Return the size of the answer."""
        return self._size

    def is_of(self, given: bytes | bytearray) -> bool:
        """Tell whether it is that of a given answer."""
        return hashlib.sha256(given).hexdigest() == self._digest


Answer = bytes | bytearray | Sha256Of


@dataclass(frozen=True)
class KnownAnswer:
    """A known answer. ``check`` returns where it is right; whatever it raises says that it is not."""

    name: str
    """What is checked, for people."""
    source: str
    """Where it is published."""
    check: Callable[[], None]


def computes(name: str, source: str, function: Callable[[], bytes], answer: bytes) -> KnownAnswer:
    """Return the answer of what is no mechanism: it seals the store, or stretches PINs."""
    return KnownAnswer(name, source, lambda: _compare(function(), answer))


def _of(
    mechanism: CKM,
    source: str,
    check: Callable[[AnyMechanism, Any], None],
    parameter: bytes = b"",
) -> KnownAnswer:
    """Return the answer of a mechanism. ``check`` gets it, with the decoded parameter."""
    spec = MECHANISMS[mechanism]
    return KnownAnswer(f"CKM_{mechanism.name}", source, lambda: check(spec, spec.parameter(parameter)))


def digests(mechanism: CKM, source: str, *, data: bytes, digest: bytes) -> KnownAnswer:
    """Return the answer of C_Digest."""

    def check(spec: AnyMechanism, params: object) -> None:
        operation = spec.of(Digesting).begin(params)
        operation.update(data)
        _compare(operation.finish(), digest)

    return _of(mechanism, source, check)


def signs(
    mechanism: CKM,
    source: str,
    *,
    key: KeyMaterial,
    data: bytes,
    signature: Answer,
    parameter: bytes = b"",
) -> KnownAnswer:
    """Return the answer of C_Sign where it is the same each time; C_Verify takes it, and no other."""

    def check(spec: AnyMechanism, params: object) -> None:
        made = _signed(spec, key, params, data)
        _compare(made, signature)
        _verify(spec, key, params, data, made)

    return _of(mechanism, source, check, parameter)


def verifies(
    mechanism: CKM,
    source: str,
    *,
    key: KeyMaterial,
    data: bytes,
    signature: bytes,
    parameter: bytes = b"",
) -> KnownAnswer:
    """Return the answer of C_Verify: it takes a published signature and one that is made now, and no others."""

    def check(spec: AnyMechanism, params: object) -> None:
        for one in (signature, _signed(spec, key, params, data)):
            _verify(spec, key, params, data, one)

    return _of(mechanism, source, check, parameter)


def signs_for_itself(mechanism: CKM, *, generated_by: CKM, template: Attributes, parameter: bytes = b"") -> KnownAnswer:
    """Return an answer that nobody has published in a few bytes: C_Verify takes what a new key signs, and no other."""
    data = b"what is signed"

    def check(spec: AnyMechanism, params: object) -> None:
        making = MECHANISMS[generated_by]
        _, private = making.of(PairGenerating).generate(making.parameter(b""), template)
        key = KeyMaterial({CKA.CLASS: int(CKO.PRIVATE_KEY), **template, **private})
        _verify(spec, key, params, data, _signed(spec, key, params, data))

    return _of(mechanism, "signed with a new key", check, parameter)


def encrypts(
    mechanism: CKM,
    source: str,
    *,
    key: KeyMaterial,
    plain: bytes,
    encrypted: bytes,
    parameter: bytes = b"",
    differs: bool = False,
) -> KnownAnswer:
    """Return the answer of C_Encrypt and C_Decrypt. ``differs``: the ciphertext is another one each time."""

    def check(spec: AnyMechanism, params: object) -> None:
        ciphering = spec.of(Ciphering)
        made = bytes(ciphering.encrypt(key, params).whole(plain))
        if not differs:
            _compare(made, encrypted)
        for one in (encrypted, made):
            _compare(ciphering.decrypt(key, params).whole(one), plain)

    return _of(mechanism, source, check, parameter)


def wraps(mechanism: CKM, source: str, *, key: KeyMaterial, value: bytes, wrapped: bytes) -> KnownAnswer:
    """Return the answer of C_WrapKey and C_UnwrapKey."""

    def check(spec: AnyMechanism, params: object) -> None:
        wrapping = spec.of(Wrapping)
        _compare(wrapping.wrap(key, params, value), wrapped)
        _compare(wrapping.unwrap(key, params, wrapped), value)

    return _of(mechanism, source, check)


def derives(mechanism: CKM, source: str, *, key: KeyMaterial, parameter: bytes, secret: Answer) -> KnownAnswer:
    """Return the answer of C_DeriveKey."""

    def check(spec: AnyMechanism, params: object) -> None:
        parts = spec.of(Deriving).derive(key, params, (), _generic_secret(len(secret)))
        _compare(octets(parts, CKA.VALUE), secret)

    return _of(mechanism, source, check, parameter)


def generates(mechanism: CKM, source: str, *, parameter: bytes, secret: bytes) -> KnownAnswer:
    """Return the answer of C_GenerateKey, of a key that follows from the parameter (PBKDF2)."""

    def check(spec: AnyMechanism, params: object) -> None:
        parts = spec.of(KeyGenerating).generate(params, _generic_secret(len(secret)))
        _compare(octets(parts, CKA.VALUE), secret)

    return _of(mechanism, source, check, parameter)


def decapsulates(mechanism: CKM, source: str, *, key: KeyMaterial, ciphertext: bytes, secret: bytes) -> KnownAnswer:
    """Return the answer of C_DecapsulateKey, which also opens what C_EncapsulateKey makes now."""

    def check(spec: AnyMechanism, params: object) -> None:
        encapsulating = spec.of(Encapsulating)
        opened = partial(encapsulating.decapsulate, key, params)
        _compare(octets(opened(ciphertext, _generic_secret()), CKA.VALUE), secret)
        made, parts = encapsulating.encapsulate(key, params, _generic_secret())
        _compare(octets(opened(made, _generic_secret()), CKA.VALUE), octets(parts, CKA.VALUE))

    return _of(mechanism, source, check)


def _generic_secret(size: int | None = None) -> Attributes:
    """Return the template of the key that is made."""
    wanted = {int(CKA.CLASS): int(CKO.SECRET_KEY), int(CKA.KEY_TYPE): int(CKK.GENERIC_SECRET)}
    return wanted if size is None else wanted | {int(CKA.VALUE_LEN): size}


def _compare(given: bytes | bytearray, right: Answer) -> None:
    if not (right.is_of(given) if isinstance(right, Sha256Of) else given == right):
        raise WrongAnswerError


def _signed(spec: AnyMechanism, key: KeyMaterial, params: object, data: bytes) -> bytes:
    operation = spec.of(Signing).sign(key, params)
    operation.update(data)
    return operation.finish()


def _verify(spec: AnyMechanism, key: KeyMaterial, params: object, data: bytes, signature: bytes) -> None:
    """Check that a signature verifies, and that it does not when its last bit is another one."""

    def take(one: bytes) -> None:
        operation = spec.of(Signing).verify(key, params)
        operation.update(data)
        operation.finish(one)

    take(signature)
    try:
        take(signature[:-1] + bytes([signature[-1] ^ 1]))
    except Pkcs11Error:
        return
    raise WrongAnswerError
