# SPDX-License-Identifier: Apache-2.0
"""The public key of a private key, as an object (PKCS#11 3.2, section 6.43).

What the template leaves open comes from the private key; ``handlers/derive.py`` copies it.
"""

from softee.names import CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.pkcs8 import public_half_of
from softee.pkcs11_ta.keys.table import KEY_PAIR_TYPES, find_key_type
from softee.pkcs11_ta.keys.view import KeyView, unfit
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


def _derive(key: KeyView, _: None, _others: tuple[KeyView, ...], template: Attributes) -> Parts:
    key_type = find_key_type(key.key_type)
    if key_type is None or key_type.public_parts is None:
        raise unfit("a private key that has a public one")
    parts = key_type.public_parts(public_half_of(key))
    if any(template.get(attribute, value) != value for attribute, value in parts.items()):
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "the template has another public key")
    return parts


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.PUB_KEY_FROM_PRIV_KEY,
        key_types=KEY_PAIR_TYPES,
        params=no_params,
        functions=(Deriving(derive=_derive, makes=CKO.PUBLIC_KEY),),
    ),
)
