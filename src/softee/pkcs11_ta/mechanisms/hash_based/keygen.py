# SPDX-License-Identifier: Apache-2.0
"""Key pair generation of SLH-DSA (PKCS#11 3.2, section 6.69): CKA_PARAMETER_SET of the template names it."""

from softee.names import CKM
from softee.pkcs11_ta.keys.slh_dsa import KEY_TYPES, SIZES, generate
from softee.pkcs11_ta.mechanisms.functions import PairGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.SLH_DSA_KEY_PAIR_GEN,
        key_types=KEY_TYPES,
        key_size=SIZES,
        params=no_params,
        functions=(PairGenerating(generate=lambda _, template: generate(template)),),
    ),
)
