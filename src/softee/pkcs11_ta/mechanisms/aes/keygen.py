# SPDX-License-Identifier: Apache-2.0
"""Generation of AES keys (PKCS#11 3.2, section 6, AES)."""

from softee.names import CKM
from softee.pkcs11_ta.keys.secret import AES_SIZES
from softee.pkcs11_ta.mechanisms.aes.cipher import KEY_SIZE, KEY_TYPES
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes.generating import random_secret
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec

SPECS = (
    MechanismSpec(
        mechanism=CKM.AES_KEY_GEN,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        functions=(KeyGenerating(generate=random_secret(AES_SIZES, "16, 24 or 32")),),
    ),
)
