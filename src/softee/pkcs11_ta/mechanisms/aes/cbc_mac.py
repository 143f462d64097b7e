# SPDX-License-Identifier: Apache-2.0
"""CKM_AES_MAC: CBC-MAC with AES (PKCS#11 3.2, section 6, General block cipher; FIPS 113).

The data are filled up with zeros to whole blocks. The MAC is the beginning of the last block of AES-CBC: half of it, or
as much as the parameter says. Data of different lengths must not be authenticated so: two MACs make a third.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, modes

from softee.names import CKM
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, block_cipher
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, MacContext, general, whole


class _CbcMac:
    __slots__ = ("_chain", "_last", "_taken")

    def __init__(self, secret: bytes | bytearray) -> None:
        self._chain = Cipher(block_cipher(secret), modes.CBC(bytes(BLOCK))).encryptor()
        self._last = b""
        self._taken = 0

    def update(self, data: bytes, /) -> None:
        """Take a part of the data."""
        self._taken += len(data)
        self._last = self._chain.update(data)[-BLOCK:] or self._last

    def finalize(self) -> bytes:
        """Return the last block. No data are one block of zeros."""
        if self._taken % BLOCK or not self._taken:
            self.update(bytes(BLOCK - self._taken % BLOCK))
        return self._last


def _begin(secret: bytes | bytearray) -> MacContext:
    return _CbcMac(secret)


SPECS = (
    general(CKM.AES_MAC_GENERAL, Mac(_begin, BLOCK, KEY_TYPES, KEY_SIZE)),
    whole(CKM.AES_MAC, Mac(_begin, BLOCK // 2, KEY_TYPES, KEY_SIZE)),
)
