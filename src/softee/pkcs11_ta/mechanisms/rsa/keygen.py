# SPDX-License-Identifier: Apache-2.0
"""RSA key pair generation (PKCS#11 3.2, section 6.1).

The library makes keys of 1024 bits and more, with the public exponents 3 and 65537.
"""

from cryptography.hazmat.primitives.asymmetric import rsa

from softee.names import CKA, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.rsa import KEY_TYPES, private_parts, public_parts
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import PairGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec

_KEY_SIZE = SizeRange(1024, 4096)
_EXPONENTS = (3, 65537)
_USUAL_EXPONENT = 65537


def _modulus_bits(template: Attributes) -> int:
    bits = template.get(CKA.MODULUS_BITS)
    if not isinstance(bits, int):
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_MODULUS_BITS is missing in the public key's template")
    if bits not in _KEY_SIZE:
        raise Pkcs11Error(CKR.KEY_SIZE_RANGE, f"CKA_MODULUS_BITS {bits} is not {_KEY_SIZE.low} to {_KEY_SIZE.high}")
    return bits


def _public_exponent(template: Attributes) -> int:
    """Return CKA_PUBLIC_EXPONENT, 65537 where the template leaves it out or empty."""
    given = template.get(CKA.PUBLIC_EXPONENT)
    if not isinstance(given, bytes | bytearray) or not given:
        return _USUAL_EXPONENT
    exponent = int.from_bytes(given, "big")
    if exponent not in _EXPONENTS:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_EXPONENT is neither 3 nor 65537")
    return exponent


def _generate(_: None, template: Attributes) -> tuple[Parts, Parts]:
    """Return CKA_MODULUS and CKA_PUBLIC_EXPONENT for the public key, and these and the private parts for the other."""
    key = rsa.generate_private_key(_public_exponent(template), _modulus_bits(template))
    return public_parts(key.public_key()), private_parts(key)


SPECS = (
    MechanismSpec(
        mechanism=CKM.RSA_PKCS_KEY_PAIR_GEN,
        key_types=KEY_TYPES,
        key_size=_KEY_SIZE,
        params=no_params,
        functions=(PairGenerating(generate=_generate),),
    ),
)
