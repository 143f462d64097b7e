# SPDX-License-Identifier: Apache-2.0
"""Run a mechanism's operations on data cut into parts, as the commands would."""

from collections.abc import Iterable

from softee.names import CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Ciphering, CipherOperation, Digesting, Recovering, Signing
from softee.pkcs11_ta.mechanisms.table import MECHANISMS


def u32(*values: int) -> bytes:
    """Return CK_ULONGs as they travel."""
    return b"".join(value.to_bytes(4, "little") for value in values)


def gcm_params(iv: bytes, aad: bytes = b"", tag_bits: int = 128) -> bytes:
    """Return CK_GCM_PARAMS as it travels."""
    return u32(len(iv)) + iv + u32(len(aad)) + aad + u32(tag_bits)


def digest(mechanism: CKM, parts: Iterable[bytes]) -> bytes:
    spec = MECHANISMS[mechanism]
    operation = spec.of(Digesting).begin(spec.parameter(b""))
    for part in parts:
        operation.update(part)
    return operation.finish()


def sign(mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes]) -> bytes:
    spec = MECHANISMS[mechanism]
    operation = spec.of(Signing).sign(key, spec.parameter(parameter))
    for part in parts:
        operation.update(part)
    return operation.finish()


def verify(mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes], signature: bytes) -> None:
    spec = MECHANISMS[mechanism]
    operation = spec.of(Signing).verify(key, spec.parameter(parameter))
    for part in parts:
        operation.update(part)
    operation.finish(signature)


def sign_recover(mechanism: CKM, key: KeyView, parameter: bytes, data: bytes) -> bytes:
    spec = MECHANISMS[mechanism]
    operation = spec.of(Recovering).sign(key, spec.parameter(parameter))
    operation.update(data)
    return operation.finish()


def recover(mechanism: CKM, key: KeyView, parameter: bytes, signature: bytes) -> bytes:
    spec = MECHANISMS[mechanism]
    return spec.of(Recovering).recover(key, spec.parameter(parameter))(signature)


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


def encrypt(mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
    return process(encryption(mechanism, key, parameter), parts)


def decrypt(mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
    return process(decryption(mechanism, key, parameter), parts)
