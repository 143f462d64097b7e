# SPDX-License-Identifier: Apache-2.0
"""EC key pair generation on a named curve (PKCS#11 3.2, section 6.3)."""

from cryptography.hazmat.primitives.asymmetric import ec

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue
from softee.pkcs11_ta.keys.curves import KEY_SIZE, KEY_TYPES, encode_point, find_curve
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec, no_params


def _generate(_: None, template: Attributes) -> tuple[dict[CKA, AttributeValue], dict[CKA, AttributeValue]]:
    """Return CKA_EC_PARAMS for both keys, CKA_EC_POINT for the public and CKA_VALUE for the private one."""
    ec_params = template.get(CKA.EC_PARAMS)
    if not isinstance(ec_params, bytes) or not ec_params:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_EC_PARAMS, the curve, is missing in the public key's template")
    curve = find_curve(ec_params)
    private = ec.generate_private_key(curve)
    value = bytearray(private.private_numbers().private_value.to_bytes(-(-curve.key_size // 8), "big"))
    return (
        {CKA.EC_PARAMS: ec_params, CKA.EC_POINT: encode_point(private.public_key())},
        {CKA.EC_PARAMS: ec_params, CKA.VALUE: value},
    )


SPECS = (
    MechanismSpec(
        type=CKM.EC_KEY_PAIR_GEN,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=no_params,
        generate_key_pair=_generate,
    ),
)
