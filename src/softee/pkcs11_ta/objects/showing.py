# SPDX-License-Identifier: Apache-2.0
"""What an object shows of its attributes: to who reads them, and to who searches by them."""

from typing import Final

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import CODECS, NESTED, attribute_name, encode_value
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue
from softee.pkcs11_ta.keys.octet_keys import wrapped_point
from softee.pkcs11_ta.keys.parts import is_protected
from softee.pkcs11_ta.keys.table import is_guarded
from softee.pkcs11_ta.objects.kinds import HIDDEN_PARTS, PROTECTED_CLASSES
from softee.pkcs11_ta.objects.policy import OPTEE_OBJECTS, ObjectPolicy
from softee.pkcs11_ta.objects.rules import parse

_PUBLIC_CLASSES: Final = frozenset({CKO.PUBLIC_KEY, CKO.CERTIFICATE})
"""Classes whose values are made to be known."""


def is_hidden(attributes: Attributes, attribute: int) -> bool:
    """Say whether an attribute is a private part that the object does not show.

    As with OP-TEE, a protected key says so of every private part that OP-TEE's keys have, whether it has it or not.
    """
    if attribute not in HIDDEN_PARTS or attributes.get(CKA.CLASS) not in PROTECTED_CLASSES:
        return False
    if attribute == CKA.SEED and attribute not in attributes:
        return False
    return is_protected(attributes)


def is_secret_part(attributes: Attributes, attribute: int) -> bool:
    """Say whether an attribute may be a secret, whatever CKA_SENSITIVE says: a data object's value may be one, too."""
    return attribute in HIDDEN_PARTS and attributes.get(CKA.CLASS) not in _PUBLIC_CLASSES


def read(attributes: Attributes, attribute: int, policy: ObjectPolicy = OPTEE_OBJECTS) -> bytes | bytearray:
    """Return an attribute's bytes for the client.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_SENSITIVE; CKR_ATTRIBUTE_TYPE_INVALID: the object has no such attribute, or it is a
            template, of which OP-TEE shows none.

    """
    if is_hidden(attributes, attribute):
        raise Pkcs11Error(CKR.ATTRIBUTE_SENSITIVE, f"{attribute_name(attribute)} of this key is not shown")
    value = shown(attributes, attribute, policy)
    if value is None:
        raise Pkcs11Error(CKR.ATTRIBUTE_TYPE_INVALID, f"the object does not show {attribute_name(attribute)}")
    return value


def shown(attributes: Attributes, attribute: int, policy: ObjectPolicy) -> bytes | bytearray | None:
    """Return the bytes of an attribute that is not hidden; None where the object has none to show."""
    value = _shown(attributes, attribute, policy)
    if value is None or (policy.as_optee and CODECS[attribute] is NESTED):
        return None
    return encode_value(attribute, value)


def matches(attributes: Attributes, wanted: Attributes, policy: ObjectPolicy = OPTEE_OBJECTS) -> bool:
    """Say whether an object has all ``wanted`` values. What it does not show, it does not match by either."""
    return all(
        not is_hidden(attributes, attribute) and _shown(attributes, attribute, policy) == value
        for attribute, value in wanted.items()
    )


def agrees_with(attributes: Attributes, template: Template) -> bool:
    """Say whether an object has all values of another key's template (CKA_WRAP_TEMPLATE)."""
    return all(attributes.get(attribute) == value for attribute, value in parse(template).items())


def _shown(attributes: Attributes, attribute: int, policy: ObjectPolicy) -> AttributeValue | None:
    """Return a value, None where there is none to show.

    A key that allows every mechanism has an empty list of them: programs take the lack of the attribute for a token
    that does not know it. A check value would tell a guarded key (``is_guarded``).
    """
    if attribute == CKA.CHECK_VALUE and (not policy.check_values or is_guarded(attributes)):
        return None
    if attribute == CKA.EC_POINT and not policy.bare_points and (point := wrapped_point(attributes)) is not None:
        return point
    value = attributes.get(attribute)
    lists_none = attribute == CKA.ALLOWED_MECHANISMS and CKA.KEY_TYPE in attributes and not policy.as_optee
    if value is None and lists_none:
        return ()
    return value
