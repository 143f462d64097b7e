# SPDX-License-Identifier: Apache-2.0
"""MACs with Triple DES: CMAC and CBC-MAC (PKCS#11 3.2, section 6, Triple-length DES CMAC, General block cipher).

CMAC is that of NIST SP 800-38B. Of CBC-MAC half is given, or as much as the parameter says.
"""

from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.cmac import CMAC

from softee.names import CKM
from softee.pkcs11_ta.keys.des3 import block_cipher
from softee.pkcs11_ta.mechanisms.des3.cipher import BLOCK, KEY_SIZE, KEY_TYPES
from softee.pkcs11_ta.mechanisms.shapes.block_modes import CbcMac
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, MacContext, general, whole


def _cmac(secret: bytes | bytearray) -> MacContext:
    return cast("MacContext", CMAC(block_cipher(secret)))  # it takes any buffer, though its types say bytes


def _cbc_mac(secret: bytes | bytearray) -> MacContext:
    return CbcMac(Cipher(block_cipher(secret), modes.CBC(bytes(BLOCK))).encryptor(), BLOCK)


SPECS = (
    general(CKM.DES3_CMAC_GENERAL, Mac(_cmac, BLOCK, KEY_TYPES, KEY_SIZE)),
    whole(CKM.DES3_CMAC, Mac(_cmac, BLOCK, KEY_TYPES, KEY_SIZE)),
    general(CKM.DES3_MAC_GENERAL, Mac(_cbc_mac, BLOCK, KEY_TYPES, KEY_SIZE)),
    whole(CKM.DES3_MAC, Mac(_cbc_mac, BLOCK // 2, KEY_TYPES, KEY_SIZE)),
)
