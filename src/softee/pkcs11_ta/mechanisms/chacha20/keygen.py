# SPDX-License-Identifier: Apache-2.0
"""Generation of ChaCha20 and Poly1305 keys (PKCS#11 3.2, section 6, ChaCha20 and Poly1305)."""

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.chacha20 import SIZES
from softee.pkcs11_ta.mechanisms.shapes.generating import secret_of_one_size

(_SIZE,) = SIZES

SPECS = (
    secret_of_one_size(CKM.CHACHA20_KEY_GEN, CKK.CHACHA20, _SIZE),
    secret_of_one_size(CKM.POLY1305_KEY_GEN, CKK.POLY1305, _SIZE),
)
