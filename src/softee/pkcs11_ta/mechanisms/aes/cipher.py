# SPDX-License-Identifier: Apache-2.0
"""What the AES mechanisms have in common: their keys, and the library's objects for them."""

from collections.abc import Container

from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from softee.names import CKK, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.secret import AES_SIZES
from softee.pkcs11_ta.keys.view import KeyView, SizeRange

BLOCK = 16
"""Bytes of a block."""

KEY_TYPES = frozenset({CKK.AES})
KEY_SIZE = SizeRange(16, 32)
"""In bytes."""

Mode = modes.ECB | modes.CBC | modes.CTR | CFB | CFB8 | OFB


def check_key(key: KeyView) -> None:
    """Raise CKR_KEY_SIZE_RANGE for a key of 20 bytes and the like."""
    check_key_size(key.secret())


def check_key_size(secret: bytes | bytearray, sizes: Container[int] = AES_SIZES) -> None:
    """Raise CKR_KEY_SIZE_RANGE for a key of 20 bytes and the like."""
    if len(secret) not in sizes:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"AES has no keys of {len(secret)} bytes")


def block_cipher(secret: bytes | bytearray) -> AES:
    """Return the library's AES with a key. Raises CKR_KEY_SIZE_RANGE."""
    check_key_size(secret)
    return AES(secret)


def encryptor(key: KeyView, mode: Mode) -> CipherContext:
    """Return the library's AES that encrypts with ``key`` in ``mode``."""
    return Cipher(block_cipher(key.secret()), mode).encryptor()


def decryptor(key: KeyView, mode: Mode) -> CipherContext:
    """Return the library's AES that decrypts with ``key`` in ``mode``."""
    return Cipher(block_cipher(key.secret()), mode).decryptor()
