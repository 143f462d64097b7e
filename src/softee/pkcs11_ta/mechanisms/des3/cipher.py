# SPDX-License-Identifier: Apache-2.0
"""What the mechanisms of Triple DES have in common: their keys, and the library's objects for them."""

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, modes

from softee.names import CKK
from softee.pkcs11_ta.keys.des3 import SIZES, block_cipher
from softee.pkcs11_ta.keys.view import KeyView, SizeRange

BLOCK = 8
"""Bytes of a block."""

KEY_TYPES = frozenset({CKK.DES3})
KEY_SIZE = SizeRange(*SIZES, *SIZES)

Mode = modes.ECB | modes.CBC


def encryptor(key: KeyView, mode: Mode) -> CipherContext:
    """Return the library's Triple DES that encrypts with ``key`` in ``mode``."""
    return Cipher(block_cipher(key.secret()), mode).encryptor()


def decryptor(key: KeyView, mode: Mode) -> CipherContext:
    """Return the library's Triple DES that decrypts with ``key`` in ``mode``."""
    return Cipher(block_cipher(key.secret()), mode).decryptor()
