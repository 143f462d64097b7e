# SPDX-License-Identifier: Apache-2.0
"""Secret keys: AES keys, and those of any length, generic secrets and HMAC keys (PKCS#11 3.2, section 4.10)."""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES as AesCipher  # noqa: N811 - the type below is AES

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import octets, set_check_value
from softee.pkcs11_ta.keys.rows import SECRET_KEY

AES_SIZES: Final = (16, 24, 32)
_ANY_SIZE = range(1, 4096 + 1)
_CHECK_VALUE_SIZE = 3


def sha1_check_value(value: bytes | bytearray) -> bytes:
    """Return CKA_CHECK_VALUE of what has no cipher of its own: the first bytes of its SHA-1."""
    return hashlib.sha1(value, usedforsecurity=False).digest()[:_CHECK_VALUE_SIZE]


def _aes_check_value(key: bytes | bytearray) -> bytes:
    """Return the first bytes of a block of zeros, encrypted."""
    encryptor = Cipher(AesCipher(key), modes.ECB()).encryptor()  # noqa: S305 - one block, as the standard defines it
    return encryptor.update(bytes(16))[:_CHECK_VALUE_SIZE]


def _length(attributes: Attributes) -> int:
    return len(octets(attributes, CKA.VALUE))


def _refuse_length(size: int) -> Pkcs11Error:
    return Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"CKA_VALUE of {size} bytes is no key of this type")


def _complete_aes(given: Given) -> None:
    value = octets(given, CKA.VALUE)
    if len(value) not in AES_SIZES:
        raise _refuse_length(len(value))
    given[CKA.VALUE_LEN] = len(value)
    set_check_value(given, _aes_check_value(value))


def _complete_generic(given: Given) -> None:
    value = octets(given, CKA.VALUE)
    if len(value) not in _ANY_SIZE:
        raise _refuse_length(len(value))
    given[CKA.VALUE_LEN] = len(value)
    set_check_value(given, sha1_check_value(value))


AES: Final = KeyType("AES", frozenset({CKK.AES}), _length, (KeyForm(CKO.SECRET_KEY, SECRET_KEY, _complete_aes),))

GENERIC: Final = KeyType(
    "generic secret",
    frozenset(
        {
            CKK.GENERIC_SECRET,
            CKK.MD5_HMAC,
            CKK.SHA_1_HMAC,
            CKK.SHA224_HMAC,
            CKK.SHA256_HMAC,
            CKK.SHA384_HMAC,
            CKK.SHA512_HMAC,
        }
    ),
    _length,
    (KeyForm(CKO.SECRET_KEY, SECRET_KEY, _complete_generic),),
)
