# SPDX-License-Identifier: Apache-2.0
"""Key pair generation of ML-DSA and ML-KEM (PKCS#11 3.2, sections 6.67 and 6.68).

CKA_PARAMETER_SET of the public key's template names the algorithm; the private key gets it, its seed and all that was
expanded from that.
"""

from softee.names import CKK, CKM
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys import ml_dsa, ml_kem
from softee.pkcs11_ta.keys.lattice import ParameterSets
from softee.pkcs11_ta.mechanisms.functions import PairGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec


def _spec(mechanism: CKM, key_types: frozenset[CKK], sets: ParameterSets) -> MechanismSpec[None]:
    def generate(_: None, template: Attributes) -> tuple[Parts, Parts]:
        return sets.generate(template)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=key_types,
        key_size=sets.sizes,
        params=no_params,
        functions=(PairGenerating(generate=generate),),
    )


SPECS = (
    _spec(CKM.ML_DSA_KEY_PAIR_GEN, ml_dsa.KEY_TYPES, ml_dsa.SETS),
    _spec(CKM.ML_KEM_KEY_PAIR_GEN, ml_kem.KEY_TYPES, ml_kem.SETS),
)
