# SPDX-License-Identifier: Apache-2.0
"""Keys derived by encrypting data with AES-ECB and AES-CBC (PKCS#11 3.2, section 6, Key derivation by encryption).

The key is the beginning of the ciphertext. Who may encrypt with the base key could compute it; so OP-TEE refuses such
keys, and so does a token that keeps usages apart. Where the template does not say how long the new key is, OP-TEE
gives it the whole ciphertext, whatever its type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import modes

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_TYPES, Mode, encryptor
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.deriving import cut
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec
from softee.tee.keys import wipe

LARGEST_DATA = 8192
"""Bytes that are encrypted: as many as the longest key has."""


@dataclass(frozen=True, slots=True)
class EncryptData:
    """CK_KEY_DERIVATION_STRING_DATA, or CK_AES_CBC_ENCRYPT_DATA_PARAMS: how to encrypt, and what."""

    mode: Mode
    data: bytes


def _checked(data: bytes) -> bytes:
    if len(data) > LARGEST_DATA:
        raise invalid(f"{len(data)} bytes of data; {LARGEST_DATA} are allowed")
    return data


def by_ecb(data: bytes) -> EncryptData:
    """Check CK_KEY_DERIVATION_STRING_DATA."""
    return EncryptData(modes.ECB(), _checked(data))  # noqa: S305 - a token offers what the standard names


def by_cbc(iv: bytes, data: bytes) -> EncryptData:
    """Check CK_AES_CBC_ENCRYPT_DATA_PARAMS."""
    return EncryptData(modes.CBC(iv), _checked(data))


def _wrong_length(taken: int, wanted: str) -> Pkcs11Error:
    """Return the error for the length of the data: the standard has no CKR_DATA_LEN_RANGE for C_DeriveKey."""
    detail = f"{taken} bytes of data where {wanted} is needed"
    return Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, detail, optee=CKR.DATA_LEN_RANGE)


def _derive(base: KeyView, params: EncryptData, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    size, wanted = len(params.data), template.get(CKA.VALUE_LEN)
    if not size or size % BLOCK:
        raise _wrong_length(size, f"a multiple of {BLOCK}")
    if isinstance(wanted, int) and wanted > size:
        raise _wrong_length(size, f"as many as CKA_VALUE_LEN {wanted}")
    encrypted = bytearray(size + BLOCK - 1)  # the library wants room for a block that it does not write
    del encrypted[encryptor(base, params.mode).update_into(params.data, encrypted) :]
    try:
        return cut(encrypted, template)
    finally:
        wipe(encrypted)


def _derive_as_optee(base: KeyView, params: EncryptData, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    return _derive(base, params, (), {CKA.VALUE_LEN: len(params.data), **template})


_Derive = Callable[[KeyView, EncryptData, tuple[KeyView, ...], Attributes], Parts]


def _by(mechanism: CKM, params: Callable[..., EncryptData], derive: _Derive) -> MechanismSpec[EncryptData]:
    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        params=params,
        functions=(Deriving(derive=derive, apart_from=CKA.ENCRYPT),),
    )


_PARAMS: Mapping[CKM, Callable[..., EncryptData]] = {CKM.AES_CBC_ENCRYPT_DATA: by_cbc, CKM.AES_ECB_ENCRYPT_DATA: by_ecb}

SPECS = tuple(_by(mechanism, params, _derive) for mechanism, params in _PARAMS.items())

AS_OPTEE = tuple(_by(mechanism, params, _derive_as_optee) for mechanism, params in _PARAMS.items())
