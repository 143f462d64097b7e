# SPDX-License-Identifier: Apache-2.0
"""AES-CMAC, whole and truncated (PKCS#11 3.2, section 6, AES CMAC; NIST SP 800-38B)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from cryptography.hazmat.primitives.cmac import CMAC

from softee.names import CKM
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES, block_cipher
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, MacContext, general, whole


def _begin(secret: bytes | bytearray) -> MacContext:
    return cast("MacContext", CMAC(block_cipher(secret)))  # it takes any buffer, though its types say bytes


_CMAC = Mac(_begin, BLOCK, KEY_TYPES, KEY_SIZE)

MACS: Final[Mapping[int, Mac]] = MappingProxyType({CKM.AES_CMAC: _CMAC})
"""By mechanism, for derivations that are made of it."""

SPECS = (general(CKM.AES_CMAC_GENERAL, _CMAC), whole(CKM.AES_CMAC, _CMAC))
