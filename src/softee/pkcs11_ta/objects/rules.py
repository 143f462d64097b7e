# SPDX-License-Identifier: Apache-2.0
"""The interpreters of the object kinds' tables: one each to make, change, read and match an object's attributes.

Every rule of a row is read here and nowhere else, and each refusal names its attribute. What depends on the session
(who is logged in, where the object goes) is decided in ``session/access.py``, what a key's parts must be in its type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import CODECS, NESTED, attribute_name, decode_value, encode_value
from softee.pkcs11_ta.attributes.uses import Rule, Unset, Use
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue, Given
from softee.pkcs11_ta.objects.kinds import HIDDEN_PARTS, KINDS, PROTECTED_CLASSES, ObjectKind

Defaults = Mapping[CKO, Mapping[CKA, AttributeValue]]
"""By class: the defaults that differ from those of the kinds' rows, which are OP-TEE's."""

NO_DEFAULTS: Final[Defaults] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which objects come to be: the rules that forbid and that require an attribute in its template."""

    name: str
    forbidden: Rule
    required: Rule


CREATE: Final = Way("C_CreateObject", Rule.FORBIDDEN_ON_CREATE, Rule.REQUIRED_ON_CREATE)
GENERATE: Final = Way("key generation", Rule.FORBIDDEN_ON_GENERATE, Rule.REQUIRED_ON_GENERATE)
DERIVE: Final = Way("C_DeriveKey", Rule.FORBIDDEN_ON_UNWRAP, Rule.REQUIRED_ON_UNWRAP)
UNWRAP: Final = Way("C_UnwrapKey", Rule.FORBIDDEN_ON_UNWRAP, Rule.REQUIRED_ON_UNWRAP)

BY_SET: Final = Rule.MODIFIABLE
BY_COPY: Final = Rule.MODIFIABLE | Rule.MODIFIABLE_BY_COPY


def parse(template: Template) -> Given:
    """Decode a template; an attribute may stand in it twice where it says the same.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID; CKR_TEMPLATE_INCONSISTENT where it
            contradicts itself.

    """
    given: Given = {}
    for attribute, raw in template:
        value = decode_value(attribute, raw)
        if given.setdefault(attribute, value) != value:
            raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"{attribute_name(attribute)} is given twice and differs")
    return given


def parse_search(template: Template) -> Given | None:
    """Decode a template to search by; None where nothing can match it. Raises CKR_ATTRIBUTE_VALUE_INVALID."""
    wanted: Given = {}
    for attribute, raw in template:
        if attribute not in CODECS:
            return None
        value = decode_value(attribute, raw)
        if wanted.setdefault(attribute, value) != value:
            return None
    return wanted


def add_expected(given: Given, expected: Attributes, source: str) -> None:
    """Add what ``source`` (a mechanism, an unwrap template) says of the object that is to be made.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCONSISTENT: the template says something else.

    """
    for attribute, value in expected.items():
        if given.setdefault(attribute, value) != value:
            raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"{attribute_name(attribute)} is not what {source} demands")


def kind_of(attributes: Attributes) -> ObjectKind:
    """Return the kind of object that the attributes describe.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCONSISTENT (as OP-TEE): no class, or no key or certificate type, or unknown ones.

    """
    object_class = attributes.get(CKA.CLASS)
    of_class = [kind for kind in KINDS if kind.object_class == object_class]
    for kind in of_class:
        if kind.subtype is None or attributes.get(kind.subtype) in kind.subtypes:
            return kind
    kind_attribute = next((kind.subtype for kind in of_class if kind.subtype is not None), CKA.CLASS)
    value = attributes.get(kind_attribute)
    said = f"{value:#x} is not supported" if isinstance(value, int) else "is missing"
    raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"{attribute_name(kind_attribute)} {said}")


def make(given: Given, way: Way, *, is_so: bool, defaults: Defaults = NO_DEFAULTS) -> Given:
    """Return the attributes of a new object: what is given, and defaults for the rest.

    Those that the token makes itself (the key's parts, say) are still missing.

    Args:
        given: the decoded template.
        way: how the object comes to be.
        is_so: the security officer is logged in.
        defaults: those of the token's policy that differ from the rows'.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_TYPE_INVALID,
            CKR_ATTRIBUTE_READ_ONLY.

    """
    kind = kind_of(given)
    for attribute, value in given.items():
        use = _use(kind, attribute)
        if use.rules & way.forbidden:
            raise Pkcs11Error(
                CKR.TEMPLATE_INCONSISTENT, f"{attribute_name(attribute)} must not be given to {way.name} ({kind.name})"
            )
        _check_so(use, value, default=False, is_so=is_so)
    own = defaults.get(kind.object_class, {})
    made: Given = {}
    for use in kind.rows:
        if use.type in given:
            made[use.type] = given[use.type]
        elif use.rules & way.required:
            raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, f"{way.name} of a {kind.name} needs {attribute_name(use.type)}")
        elif not isinstance(default := own.get(use.type, use.default), Unset):
            made[use.type] = default
    return made


def mark_generated(made: Given, mechanism: int) -> None:
    """Note that a key was made inside the token, and how it was protected from its first moment."""
    made[CKA.LOCAL] = True
    made[CKA.KEY_GEN_MECHANISM] = mechanism
    made[CKA.ALWAYS_SENSITIVE] = made.get(CKA.SENSITIVE, False)
    made[CKA.NEVER_EXTRACTABLE] = not made.get(CKA.EXTRACTABLE, False)


def mark_derived(made: Given, base: Attributes) -> None:
    """Note that a derived key has been protected all along only where its base key has, too."""
    made[CKA.ALWAYS_SENSITIVE] = base.get(CKA.ALWAYS_SENSITIVE) is True and made.get(CKA.SENSITIVE) is True
    made[CKA.NEVER_EXTRACTABLE] = base.get(CKA.NEVER_EXTRACTABLE) is True and made.get(CKA.EXTRACTABLE) is not True


def change(attributes: Attributes, template: Template, changeable: Rule, *, is_so: bool) -> Given:
    """Return an object's attributes with a template's changes.

    Args:
        attributes: those of the object.
        template: the changes.
        changeable: BY_SET or BY_COPY.
        is_so: the security officer is logged in.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY,
            CKR_TEMPLATE_INCONSISTENT.

    """
    kind = kind_of(attributes)
    changes = parse(template)
    for attribute, value in changes.items():
        use = _use(kind, attribute)
        if not use.rules & changeable:
            raise Pkcs11Error(CKR.ATTRIBUTE_READ_ONLY, f"{attribute_name(attribute)} of a {kind.name} is fixed")
        _check_one_way(use, attributes.get(attribute), value)
        _check_so(use, value, default=attributes.get(attribute, False), is_so=is_so)
    if changes and kind.frozen_when_trusted and attributes.get(CKA.TRUSTED) is True:
        raise Pkcs11Error(CKR.ATTRIBUTE_READ_ONLY, f"a trusted {kind.name} cannot be changed")
    return {**attributes, **changes}


def is_hidden(attributes: Attributes, attribute: int) -> bool:
    """Say whether an attribute is a private part that the object does not show.

    As with OP-TEE, a protected key says so of every private part that there is, whether it has it or not.
    """
    if attribute not in HIDDEN_PARTS or attributes.get(CKA.CLASS) not in PROTECTED_CLASSES:
        return False
    return attributes.get(CKA.SENSITIVE) is not False or attributes.get(CKA.EXTRACTABLE) is not True


def read(attributes: Attributes, attribute: int) -> bytes | bytearray:
    """Return an attribute's bytes for the client.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_SENSITIVE; CKR_ATTRIBUTE_TYPE_INVALID: the object has no such attribute, or it is a
            template (OP-TEE shows none).

    """
    if is_hidden(attributes, attribute):
        raise Pkcs11Error(CKR.ATTRIBUTE_SENSITIVE, f"{attribute_name(attribute)} of this key is not shown")
    value = attributes.get(attribute)
    if value is None or CODECS[attribute] is NESTED:
        raise Pkcs11Error(CKR.ATTRIBUTE_TYPE_INVALID, f"the object does not show {attribute_name(attribute)}")
    return encode_value(attribute, value)


def matches(attributes: Attributes, wanted: Attributes) -> bool:
    """Say whether an object has all ``wanted`` values. What it does not show, it does not match by either."""
    return all(
        not is_hidden(attributes, attribute) and attributes.get(attribute) == value
        for attribute, value in wanted.items()
    )


def agrees_with(attributes: Attributes, template: Template) -> bool:
    """Say whether an object has all values of another key's template (CKA_WRAP_TEMPLATE)."""
    return all(attributes.get(attribute) == value for attribute, value in parse(template).items())


def _use(kind: ObjectKind, attribute: int) -> Use:
    use = kind.uses.get(attribute)
    if use is None:
        raise Pkcs11Error(CKR.ATTRIBUTE_TYPE_INVALID, f"a {kind.name} has no {attribute_name(attribute)}")
    return use


def _check_so(use: Use, value: AttributeValue, *, default: AttributeValue, is_so: bool) -> None:
    if Rule.ONLY_SO_SETS in use.rules and value != default and not is_so:
        raise Pkcs11Error(CKR.ATTRIBUTE_READ_ONLY, f"{attribute_name(use.type)} is the security officer's to set")


def _check_one_way(use: Use, current: AttributeValue | None, value: AttributeValue) -> None:
    stuck = (Rule.STICKY_TRUE in use.rules and current is True) or (Rule.STICKY_FALSE in use.rules and current is False)
    if stuck and value is not current:
        # As OP-TEE: CKA_PRIVATE, which a copy alone can touch, has a return value of its own.
        only_by_copy = Rule.MODIFIABLE_BY_COPY in use.rules
        rv = CKR.TEMPLATE_INCONSISTENT if only_by_copy else CKR.ATTRIBUTE_READ_ONLY
        raise Pkcs11Error(rv, f"{attribute_name(use.type)} cannot be changed back")
