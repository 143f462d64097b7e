# SPDX-License-Identifier: Apache-2.0
"""Secret keys: AES keys, and those of any length, generic secrets, HMAC and HKDF keys (PKCS#11 3.2, section 4.10)."""

import hashlib
from collections.abc import Callable, Container
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES as AesCipher  # noqa: N811 - the type below is AES
from cryptography.hazmat.primitives.constant_time import bytes_eq

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.rows import SECRET_KEY

AES_SIZES: Final = (16, 24, 32)
AES_XTS_SIZES: Final = (32, 64)
_ANY_SIZE = range(1, 8192 + 1)
CHECK_VALUE_SIZE = 3
"""Bytes of CKA_CHECK_VALUE (section 4.10.2)."""


def sha1_check_value(value: bytes | bytearray) -> bytes:
    """Return CKA_CHECK_VALUE of what has no cipher of its own: the first bytes of its SHA-1."""
    return hashlib.sha1(value, usedforsecurity=False).digest()[:CHECK_VALUE_SIZE]


def _aes_check_value(key: bytes | bytearray) -> bytes:
    """Return the first bytes of a block of zeros, encrypted."""
    encryptor = Cipher(AesCipher(key), modes.ECB()).encryptor()  # noqa: S305 - one block, as the standard defines it
    return encryptor.update(bytes(16))[:CHECK_VALUE_SIZE]


def secret_size(attributes: Attributes) -> int:
    """Return the bytes of a secret key's value."""
    return len(octets(attributes, CKA.VALUE))


def _complete_xts(given: Given) -> None:
    """Check the two keys, which must differ: else XTS is weak, and the library does not take them (IEEE 1619-2018)."""
    complete_secret(AES_XTS_SIZES)(given)
    value = octets(given, CKA.VALUE)
    half = len(value) // 2
    if bytes_eq(bytes(value[:half]), bytes(value[half:])):
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "the two halves of an XTS key are one key")


def complete_secret(sizes: Container[int]) -> Callable[[Given], None]:
    """Return what checks a value's size, and notes it."""

    def complete(given: Given) -> None:
        size = secret_size(given)
        if size not in sizes:
            raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"a key of this type does not have {size} bytes")
        given[CKA.VALUE_LEN] = size

    return complete


AES: Final = KeyType(
    name="AES",
    numbers=frozenset({CKK.AES}),
    measure=secret_size,
    forms=(
        KeyForm(
            CKO.SECRET_KEY,
            SECRET_KEY,
            complete_secret(AES_SIZES),
            frozenset({CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY}),
            sizes=AES_SIZES,
            check_value=_aes_check_value,
        ),
    ),
)

AES_XTS: Final = KeyType(
    name="AES-XTS",
    numbers=frozenset({CKK.AES_XTS}),
    measure=secret_size,
    forms=(
        KeyForm(
            CKO.SECRET_KEY,
            SECRET_KEY,
            _complete_xts,
            frozenset({CKA.ENCRYPT, CKA.DECRYPT}),
            sizes=AES_XTS_SIZES,
        ),
    ),
)

GENERIC: Final = KeyType(
    name="generic secret",
    numbers=frozenset(
        {
            CKK.GENERIC_SECRET,
            CKK.MD5_HMAC,
            CKK.SHA_1_HMAC,
            CKK.SHA224_HMAC,
            CKK.SHA256_HMAC,
            CKK.SHA384_HMAC,
            CKK.SHA512_HMAC,
            CKK.SHA512_224_HMAC,
            CKK.SHA512_256_HMAC,
            CKK.SHA3_224_HMAC,
            CKK.SHA3_256_HMAC,
            CKK.SHA3_384_HMAC,
            CKK.SHA3_512_HMAC,
            CKK.BLAKE2B_160_HMAC,
            CKK.BLAKE2B_256_HMAC,
            CKK.BLAKE2B_384_HMAC,
            CKK.BLAKE2B_512_HMAC,
            CKK.HKDF,
        }
    ),
    measure=secret_size,
    forms=(
        KeyForm(
            CKO.SECRET_KEY,
            SECRET_KEY,
            complete_secret(_ANY_SIZE),
            frozenset({CKA.SIGN, CKA.VERIFY}),
            sizes=_ANY_SIZE,
            check_value=sha1_check_value,
        ),
    ),
    free_length=True,
)
