# SPDX-License-Identifier: Apache-2.0
"""Generation of Triple DES keys (PKCS#11 3.2, section 6, Double and Triple-length DES)."""

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.des3 import SIZES
from softee.pkcs11_ta.mechanisms.shapes.generating import secret_of_one_size

(_SIZE,) = SIZES

SPECS = (secret_of_one_size(CKM.DES3_KEY_GEN, CKK.DES3, _SIZE),)
