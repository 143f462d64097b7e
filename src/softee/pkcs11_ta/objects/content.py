# SPDX-License-Identifier: Apache-2.0
"""What an object's content must be when it is made: parts that belong together are checked, missing ones computed.

Runs on imported and unwrapped material, which is hostile: the work is bounded by the sizes that are taken. Whatever is
wrong with it has one error. A key's content is checked by its type (``keys/``).
"""

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.parts import octets, set_check_value
from softee.pkcs11_ta.keys.pkcs8 import export_public_key
from softee.pkcs11_ta.keys.secret import sha1_check_value
from softee.pkcs11_ta.keys.table import find_form


def complete(given: Given) -> None:
    """Check the content of an object in the making, and add the attributes that follow from it.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE, CKR_KEY_SIZE_RANGE; for an
            unknown curve CKR_ATTRIBUTE_TYPE_INVALID, as OP-TEE answers.

    """
    form = find_form(given[CKA.CLASS], given.get(CKA.KEY_TYPE))
    try:
        if form is not None:
            form.complete(given)
            check_public_key_info(given)
        elif given[CKA.CLASS] == CKO.CERTIFICATE:
            _complete_certificate(given)
    except (ValueError, OverflowError):
        # The library's words may quote numbers of the key; they are not repeated.
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "the key's parts are out of range or do not fit") from None


def check_public_key_info(attributes: Attributes) -> None:
    """Refuse a CKA_PUBLIC_KEY_INFO that is not the key's own (section 4.9). Empty says nothing."""
    claimed = attributes.get(CKA.PUBLIC_KEY_INFO)
    if claimed and CKA.KEY_TYPE in attributes and export_public_key(KeyMaterial(attributes)) != claimed:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO is not this key's")


def _complete_certificate(given: Given) -> None:
    value = given[CKA.VALUE]
    if not value and not given[CKA.URL]:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "a certificate needs CKA_VALUE or CKA_URL")
    if value:
        set_check_value(given, sha1_check_value(octets(given, CKA.VALUE)))
