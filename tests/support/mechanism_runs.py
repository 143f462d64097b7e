# SPDX-License-Identifier: Apache-2.0
"""Run a mechanism's operations on data cut into parts, as the commands would."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Protocol

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import (
    Ciphering,
    CipherOperation,
    Deriving,
    DerivingKeys,
    Digesting,
    Encapsulating,
    KeyGenerating,
    Recovering,
    Signing,
    Wrapping,
)
from softee.pkcs11_ta.mechanisms.table import MECHANISMS


def u32(*values: int) -> bytes:
    """Return CK_ULONGs as they travel."""
    return b"".join(value.to_bytes(4, "little") for value in values)


def counted(data: bytes) -> bytes:
    """Return bytes as they travel, after their size."""
    return u32(len(data)) + data


def gcm_params(iv: bytes, aad: bytes = b"", tag_bits: int = 128) -> bytes:
    """Return CK_GCM_PARAMS as it travels."""
    return counted(iv) + counted(aad) + u32(tag_bits)


def ccm_params(size: int, nonce: bytes, aad: bytes = b"", mac_size: int = 16) -> bytes:
    """Return CK_CCM_PARAMS as it travels."""
    return u32(size, len(nonce)) + nonce + u32(len(aad)) + aad + u32(mac_size)


def chacha20_params(counter: bytes, nonce: bytes) -> bytes:
    """Return CK_CHACHA20_PARAMS as it travels."""
    return counted(counter) + counted(nonce)


def aead_params(nonce: bytes, aad: bytes = b"") -> bytes:
    """Return CK_SALSA20_CHACHA20_POLY1305_PARAMS as it travels."""
    return counted(nonce) + counted(aad)


class Runs(Protocol):
    """Where operations run: here, or behind a module."""

    def takes(self, mechanism: CKM, key: KeyView) -> bool: ...

    def digest(self, mechanism: CKM, parts: Iterable[bytes]) -> bytes: ...

    def sign(self, mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes]) -> bytes: ...

    def verify(
        self, mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes], signature: bytes
    ) -> None: ...

    def sign_recover(self, mechanism: CKM, key: KeyView, parameter: bytes, data: bytes) -> bytes: ...

    def recover(self, mechanism: CKM, key: KeyView, parameter: bytes, signature: bytes) -> bytes: ...

    def encrypt(self, mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes: ...

    def decrypt(self, mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes: ...

    def wrap(self, mechanism: CKM, key: KeyView, parameter: bytes, value: bytes) -> bytes: ...

    def unwrap(self, mechanism: CKM, key: KeyView, parameter: bytes, wrapped: bytes) -> bytes: ...

    def derive(self, mechanism: CKM, base: KeyView, parameter: bytes, size: int | None = None) -> bytes: ...

    def derive_keys(self, mechanism: CKM, base: KeyView, parameter: bytes) -> tuple[list[bytes], bytes]: ...

    def generate(self, mechanism: CKM, parameter: bytes, size: int | None) -> bytes: ...

    def encapsulate(self, mechanism: CKM, key: KeyView) -> tuple[bytes, bytes]: ...

    def decapsulate(self, mechanism: CKM, key: KeyView, ciphertext: bytes) -> bytes: ...


_GENERIC_SECRET: Attributes = {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.GENERIC_SECRET)}


class _Here:
    """Runs the mechanisms' functions themselves."""

    def takes(self, mechanism: CKM, key: KeyView) -> bool:  # noqa: ARG002 - whatever they are
        return True

    def digest(self, mechanism: CKM, parts: Iterable[bytes]) -> bytes:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Digesting).begin(spec.parameter(b""))
        for part in parts:
            operation.update(part)
        return operation.finish()

    def sign(self, mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes]) -> bytes:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Signing).sign(key, spec.parameter(parameter))
        for part in parts:
            operation.update(part)
        return operation.finish()

    def verify(self, mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes], signature: bytes) -> None:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Signing).verify(key, spec.parameter(parameter))
        for part in parts:
            operation.update(part)
        operation.finish(signature)

    def sign_recover(self, mechanism: CKM, key: KeyView, parameter: bytes, data: bytes) -> bytes:
        spec = MECHANISMS[mechanism]
        operation = spec.of(Recovering).sign(key, spec.parameter(parameter))
        operation.update(data)
        return operation.finish()

    def recover(self, mechanism: CKM, key: KeyView, parameter: bytes, signature: bytes) -> bytes:
        spec = MECHANISMS[mechanism]
        return spec.of(Recovering).recover(key, spec.parameter(parameter))(signature)

    def encrypt(self, mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
        return process(encryption(mechanism, key, parameter), parts)

    def decrypt(self, mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
        return process(decryption(mechanism, key, parameter), parts)

    def wrap(self, mechanism: CKM, key: KeyView, parameter: bytes, value: bytes) -> bytes:
        spec = MECHANISMS[mechanism]
        return spec.of(Wrapping).wrap(key, spec.parameter(parameter), value)

    def unwrap(self, mechanism: CKM, key: KeyView, parameter: bytes, wrapped: bytes) -> bytes:
        spec = MECHANISMS[mechanism]
        return bytes(spec.of(Wrapping).unwrap(key, spec.parameter(parameter), wrapped))

    def derive(self, mechanism: CKM, base: KeyView, parameter: bytes, size: int | None = None) -> bytes:
        spec = MECHANISMS[mechanism]
        wanted = {int(CKA.CLASS): int(CKO.SECRET_KEY), int(CKA.KEY_TYPE): int(CKK.GENERIC_SECRET)}
        if size is not None:
            wanted[CKA.VALUE_LEN] = size
        parts = spec.of(Deriving).derive(base, spec.parameter(parameter), (), wanted)
        return bytes(octets(parts, CKA.VALUE))

    def derive_keys(self, mechanism: CKM, base: KeyView, parameter: bytes) -> tuple[list[bytes], bytes]:
        spec = MECHANISMS[mechanism]
        derived = spec.of(DerivingKeys).derive(base, spec.parameter(parameter))
        return [bytes(octets(parts, CKA.VALUE)) for parts in derived.keys], derived.shown

    def generate(self, mechanism: CKM, parameter: bytes, size: int | None) -> bytes:
        spec = MECHANISMS[mechanism]
        wanted = {int(CKA.CLASS): int(CKO.SECRET_KEY), int(CKA.KEY_TYPE): int(CKK.GENERIC_SECRET)}
        if size is not None:
            wanted[CKA.VALUE_LEN] = size
        return bytes(octets(spec.of(KeyGenerating).generate(spec.parameter(parameter), wanted), CKA.VALUE))

    def encapsulate(self, mechanism: CKM, key: KeyView) -> tuple[bytes, bytes]:
        spec = MECHANISMS[mechanism]
        ciphertext, parts = spec.of(Encapsulating).encapsulate(key, spec.parameter(b""), _GENERIC_SECRET)
        return bytes(octets(parts, CKA.VALUE)), ciphertext

    def decapsulate(self, mechanism: CKM, key: KeyView, ciphertext: bytes) -> bytes:
        spec = MECHANISMS[mechanism]
        parts = spec.of(Encapsulating).decapsulate(key, spec.parameter(b""), ciphertext, _GENERIC_SECRET)
        return bytes(octets(parts, CKA.VALUE))


_HERE = _Here()
_runs: list[tuple[Runs, Iterator[int]]] = [(_HERE, count())]

_ALL, _EVERY = 40, 25
"""Elsewhere run the first calls of a test, and then one of so many: a round trip takes longer than most of them."""


@contextmanager
def through(runs: Runs) -> Iterator[None]:
    """Run what tests ask for somewhere else; of very many calls, a sample."""
    _runs.append((runs, count()))
    try:
        yield
    finally:
        _runs.pop()


def _next() -> Runs:
    """Return where the next call runs."""
    runs, counter = _runs[-1]
    number = next(counter)
    return runs if number < _ALL or number % _EVERY == 0 else _HERE


def takes(mechanism: CKM, key: KeyView) -> bool:
    """Say whether a key comes to the mechanism: a token refuses sizes that are not listed, and some numbers of RSA."""
    return _runs[-1][0].takes(mechanism, key)


def digest(mechanism: CKM, parts: Iterable[bytes]) -> bytes:
    return _next().digest(mechanism, parts)


def sign(mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes]) -> bytes:
    return _next().sign(mechanism, key, parameter, parts)


def verify(mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes], signature: bytes) -> None:
    _next().verify(mechanism, key, parameter, parts, signature)


def encrypt(mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
    return _next().encrypt(mechanism, key, parameter, *parts)


def decrypt(mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
    return _next().decrypt(mechanism, key, parameter, *parts)


def wrap(mechanism: CKM, key: KeyView, parameter: bytes, value: bytes) -> bytes:
    return _next().wrap(mechanism, key, parameter, value)


def unwrap(mechanism: CKM, key: KeyView, parameter: bytes, wrapped: bytes) -> bytes:
    return _next().unwrap(mechanism, key, parameter, wrapped)


def derive(mechanism: CKM, base: KeyView, parameter: bytes, size: int | None = None) -> bytes:
    """Return a generic secret of ``size`` bytes, or of as many as the mechanism gives, that is derived."""
    return _next().derive(mechanism, base, parameter, size)


def sign_recover(mechanism: CKM, key: KeyView, parameter: bytes, data: bytes) -> bytes:
    return _next().sign_recover(mechanism, key, parameter, data)


def recover(mechanism: CKM, key: KeyView, parameter: bytes, signature: bytes) -> bytes:
    return _next().recover(mechanism, key, parameter, signature)


def derive_keys(mechanism: CKM, base: KeyView, parameter: bytes) -> tuple[list[bytes], bytes]:
    """Return the values of all keys that are derived at once, and what is shown beside them."""
    return _next().derive_keys(mechanism, base, parameter)


def generate(mechanism: CKM, parameter: bytes, size: int | None) -> bytes:
    """Return a generic secret of ``size`` bytes, or of as many as the mechanism makes, that is generated."""
    return _next().generate(mechanism, parameter, size)


def encapsulate(mechanism: CKM, key: KeyView) -> tuple[bytes, bytes]:
    """Return a secret, and the ciphertext that it is in."""
    return _next().encapsulate(mechanism, key)


def decapsulate(mechanism: CKM, key: KeyView, ciphertext: bytes) -> bytes:
    return _next().decapsulate(mechanism, key, ciphertext)


def encryption(mechanism: CKM, key: KeyView, parameter: bytes) -> CipherOperation:
    spec = MECHANISMS[mechanism]
    return spec.of(Ciphering).encrypt(key, spec.parameter(parameter))


def decryption(mechanism: CKM, key: KeyView, parameter: bytes) -> CipherOperation:
    spec = MECHANISMS[mechanism]
    return spec.of(Ciphering).decrypt(key, spec.parameter(parameter))


def process(operation: CipherOperation, parts: Iterable[bytes]) -> bytes:
    """Return all that an operation gives; it must say before each part how much it will give."""
    given = []
    for part in parts:
        expected = operation.update_size(len(part))
        given.append(operation.update(part))
        assert len(given[-1]) == expected, "update_size was wrong"
    return b"".join(given) + operation.finish()
