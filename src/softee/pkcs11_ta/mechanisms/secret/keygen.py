# SPDX-License-Identifier: Apache-2.0
"""Generation of generic secrets (PKCS#11 3.2, section 6, Generic secret key).

CKM_GENERIC_SECRET_KEY_GEN lists its sizes in bits, as OP-TEE does, and makes whole bytes.
"""

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.shapes.generating import random_secret
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec

_BITS = SizeRange(1, 4096, scale=8)
_SIZES = range(1, _BITS.high // 8 + 1)

SPECS = (
    MechanismSpec(
        mechanism=CKM.GENERIC_SECRET_KEY_GEN,
        key_types=frozenset({CKK.GENERIC_SECRET}),
        key_size=_BITS,
        params=no_params,
        functions=(KeyGenerating(generate=random_secret(_SIZES, f"1 to {_SIZES[-1]}")),),
    ),
)
