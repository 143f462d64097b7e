# SPDX-License-Identifier: Apache-2.0
"""EC key pair generation on a named curve (PKCS#11 3.2, section 6.3)."""

from cryptography.hazmat.primitives.asymmetric import ec

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.ec import KEY_SIZE, KEY_TYPES, encode_point, find_curve, private_parts
from softee.pkcs11_ta.mechanisms.functions import PairGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec


def _generate(_: None, template: Attributes) -> tuple[Parts, Parts]:
    """Return CKA_EC_PARAMS for both keys, CKA_EC_POINT for the public and CKA_VALUE for the private one."""
    ec_params = template.get(CKA.EC_PARAMS)
    if not isinstance(ec_params, bytes) or not ec_params:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_EC_PARAMS, the curve, is missing in the public key's template")
    key = ec.generate_private_key(find_curve(ec_params))
    return {CKA.EC_PARAMS: ec_params, CKA.EC_POINT: encode_point(key.public_key())}, private_parts(key)


SPECS = (
    MechanismSpec(
        mechanism=CKM.EC_KEY_PAIR_GEN,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        functions=(PairGenerating(generate=_generate),),
    ),
)
