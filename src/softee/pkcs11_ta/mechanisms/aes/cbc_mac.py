# SPDX-License-Identifier: Apache-2.0
"""CBC-MAC with AES, half of it or as much as the parameter says (PKCS#11 3.2, section 6, General block cipher)."""

from cryptography.hazmat.primitives.ciphers import Cipher, modes

from softee.names import CKM
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, block_cipher
from softee.pkcs11_ta.mechanisms.shapes.block_modes import CbcMac
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, MacContext, general, whole


def _begin(secret: bytes | bytearray) -> MacContext:
    return CbcMac(Cipher(block_cipher(secret), modes.CBC(bytes(BLOCK))).encryptor(), BLOCK)


SPECS = (
    general(CKM.AES_MAC_GENERAL, Mac(_begin, BLOCK, KEY_TYPES, KEY_SIZE)),
    whole(CKM.AES_MAC, Mac(_begin, BLOCK // 2, KEY_TYPES, KEY_SIZE)),
)
