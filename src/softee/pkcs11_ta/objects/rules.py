# SPDX-License-Identifier: Apache-2.0
"""The interpreters of the object kinds' tables that make and change objects; ``showing.py`` has those that read them.

Each refusal names its attribute. What depends on the session
(who is logged in, where the object goes) is decided in ``session/access.py``, what a key's parts must be in its type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import CODECS, attribute_name, decode_value
from softee.pkcs11_ta.attributes.uses import UNSET, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue, Given
from softee.pkcs11_ta.keys.edwards import OPTEE_ED25519
from softee.pkcs11_ta.objects.kinds import KINDS, ObjectKind
from softee.pkcs11_ta.objects.policy import OPTEE_OBJECTS, ObjectPolicy


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

_ONLY_SO: Final[int] = Rule.ONLY_SO_SETS.value

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


_KINDS_OF: Final[Mapping[object, list[ObjectKind]]] = {
    one: [kind for kind in KINDS if kind.object_class is one] for one in {kind.object_class for kind in KINDS}
}
"""Those of each class."""


def kind_of(attributes: Attributes, policy: ObjectPolicy = OPTEE_OBJECTS) -> ObjectKind:
    """Return the kind of object that the attributes describe.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCOMPLETE where the class, or the key or certificate type, is missing,
            CKR_ATTRIBUTE_VALUE_INVALID where it is not known; OP-TEE answers CKR_TEMPLATE_INCONSISTENT to both, but to
            a certificate without its type.

    """
    of_class = _KINDS_OF.get(attributes.get(CKA.CLASS), ())
    for kind in of_class:
        if kind.subtype is None or attributes.get(kind.subtype) in kind.subtypes:
            return kind
    subtype = next((kind.subtype for kind in of_class if kind.subtype is not None), CKA.CLASS)
    value = attributes.get(subtype)
    said = f"{value:#x} is not supported" if isinstance(value, int) else "is missing"
    raise Pkcs11Error(_of_no_kind(subtype, value, policy), f"{attribute_name(subtype)} {said}")


def _of_no_kind(subtype: int, value: object, policy: ObjectPolicy) -> CKR:
    """Return what is said of a class or type that is missing or not known."""
    if policy.as_optee and not (subtype == CKA.CERTIFICATE_TYPE and value is None):
        return CKR.TEMPLATE_INCONSISTENT
    return CKR.TEMPLATE_INCOMPLETE if value is None else CKR.ATTRIBUTE_VALUE_INVALID


def make(given: Given, way: Way, *, is_so: bool, policy: ObjectPolicy = OPTEE_OBJECTS) -> Given:
    """Return the attributes of a new object: what is given, and defaults for the rest.

    Those that the token makes itself (the key's parts, say) are still missing.

    Args:
        given: the decoded template.
        way: how the object comes to be.
        is_so: the security officer is logged in.
        policy: what the token's policy says of objects.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_TYPE_INVALID,
            CKR_ATTRIBUTE_READ_ONLY.

    """
    kind = kind_of(given, policy)
    if policy.as_optee:
        given = _as_optee(kind, way, given)
    forbidden, required = way.forbidden.value, way.required.value
    for attribute, value in given.items():
        use = _use(kind, attribute)
        if use.bits & forbidden:
            raise Pkcs11Error(
                CKR.TEMPLATE_INCONSISTENT, f"{attribute_name(attribute)} must not be given to {way.name} ({kind.name})"
            )
        _check_so(use, value, default=False, is_so=is_so)
    own = policy.defaults_of(kind, given)
    made: Given = {}
    for use in kind.rows:
        if use.type in given:
            made[use.type] = given[use.type]
        elif use.bits & required:
            raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, f"{way.name} of a {kind.name} needs {attribute_name(use.type)}")
        elif (default := own.get(use.type, use.default)) is not UNSET:
            made[use.type] = default
    _check_policy(made, policy)
    _check_dates(made)
    return made


_ASSUMED: Final[Mapping[tuple[object, object], Attributes]] = {
    (CKO.PRIVATE_KEY, CKK.EC_EDWARDS): {CKA.EC_PARAMS: OPTEE_ED25519}
}
"""What OP-TEE assumes where C_CreateObject is not told, by class and type."""


def _as_optee(kind: ObjectKind, way: Way, given: Given) -> Given:
    """Return a template as OP-TEE takes it, whose own tests want it so.

    They unwrap private keys that should encrypt, generate pairs with room in both templates for all parts, and import
    Edwards private keys without their curve.
    """
    assumed = _ASSUMED.get((kind.object_class, given.get(CKA.KEY_TYPE)), {}) if way is CREATE else {}
    kept = {attribute: value for attribute, value in given.items() if not _is_ignored(kind, way, attribute, value)}
    return {**assumed, **kept}


def _is_ignored(kind: ObjectKind, way: Way, attribute: int, value: AttributeValue) -> bool:
    use = kind.uses.get(attribute)
    if way is UNWRAP:
        return use is None
    room = way is GENERATE and value == b"" and kind.object_class is not CKO.SECRET_KEY
    return room and (use is None or bool(use.rules & way.forbidden))


def mark_generated(made: Given, mechanism: int) -> None:
    """Note that a key was made inside the token, and how it was protected from its first moment."""
    made[CKA.LOCAL] = True
    made[CKA.KEY_GEN_MECHANISM] = mechanism
    made[CKA.ALWAYS_SENSITIVE] = made.get(CKA.SENSITIVE, False)
    made[CKA.NEVER_EXTRACTABLE] = not made.get(CKA.EXTRACTABLE, False)


def mark_derived(made: Given, *sources: Attributes) -> None:
    """Note that a derived key has been protected all along only where the keys that it is made of have, too."""
    always_sensitive = all(source.get(CKA.ALWAYS_SENSITIVE) is True for source in sources)
    never_extractable = all(source.get(CKA.NEVER_EXTRACTABLE) is True for source in sources)
    made[CKA.ALWAYS_SENSITIVE] = always_sensitive and made.get(CKA.SENSITIVE) is True
    made[CKA.NEVER_EXTRACTABLE] = never_extractable and made.get(CKA.EXTRACTABLE) is not True


def change(
    attributes: Attributes,
    template: Template,
    changeable: Rule,
    *,
    is_so: bool,
    policy: ObjectPolicy = OPTEE_OBJECTS,
) -> Given:
    """Return an object's attributes with a template's changes.

    Args:
        attributes: those of the object.
        template: the changes.
        changeable: BY_SET or BY_COPY.
        is_so: the security officer is logged in.
        policy: what the token's policy says of objects.

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
        _check_one_way(use, attributes.get(attribute), value, same_is_change=changeable is BY_SET)
        _check_apart(use, attributes, value, policy)
        _check_so(use, value, default=attributes.get(attribute, False), is_so=is_so)
    if changes and kind.frozen_when_trusted and attributes.get(CKA.TRUSTED) is True:
        raise Pkcs11Error(CKR.ATTRIBUTE_READ_ONLY, f"a trusted {kind.name} cannot be changed")
    changed = {**attributes, **changes}
    _check_policy(changed, policy)
    _check_dates(changed)
    return changed


def _use(kind: ObjectKind, attribute: int) -> Use:
    use = kind.uses.get(attribute)
    if use is None:
        raise Pkcs11Error(CKR.ATTRIBUTE_TYPE_INVALID, f"a {kind.name} has no {attribute_name(attribute)}")
    return use


def _check_so(use: Use, value: AttributeValue, *, default: AttributeValue, is_so: bool) -> None:
    if use.bits & _ONLY_SO and value != default and not is_so:
        raise Pkcs11Error(CKR.ATTRIBUTE_READ_ONLY, f"{attribute_name(use.type)} is the security officer's to set")


def _check_apart(use: Use, attributes: Attributes, value: AttributeValue, policy: ObjectPolicy) -> None:
    """Refuse to take a usage back that the policy keeps apart from another one, which could then be given."""
    if value is False and attributes.get(use.type) is True and any(use.type in pair for pair in policy.apart):
        raise Pkcs11Error(CKR.ATTRIBUTE_READ_ONLY, f"{attribute_name(use.type)} stays: this token keeps usages apart")


def _check_dates(attributes: Attributes) -> None:
    """Refuse an end before the beginning. Of a CK_DATE the order is that of its digits, and empty ones say nothing."""
    start, end = (attributes.get(one) for one in (CKA.START_DATE, CKA.END_DATE))
    if isinstance(start, bytes) and isinstance(end, bytes) and start > end > b"":
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "CKA_END_DATE is before CKA_START_DATE")


def _check_policy(attributes: Attributes, policy: ObjectPolicy) -> None:
    """Refuse a key that may be used for two things that the policy keeps apart, or with no mechanism at all."""
    for one, other in policy.apart:
        if attributes.get(one) is True and attributes.get(other) is True:
            detail = f"{attribute_name(one)} and {attribute_name(other)} are kept apart by this token's policy"
            raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, detail)
    if attributes.get(CKA.ALLOWED_MECHANISMS) == () and not policy.as_optee:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, "CKA_ALLOWED_MECHANISMS is empty: no mechanism could be used")


def _check_one_way(use: Use, current: AttributeValue | None, value: AttributeValue, *, same_is_change: bool) -> None:
    """Refuse to change what has become fixed; C_SetAttributeValue may not even name it (footnotes 11 and 12)."""
    stuck = (Rule.STICKY_TRUE in use.rules and current is True) or (Rule.STICKY_FALSE in use.rules and current is False)
    if stuck and (same_is_change or value is not current):
        # As OP-TEE: CKA_PRIVATE, which a copy alone can touch, has a return value of its own.
        only_by_copy = Rule.MODIFIABLE_BY_COPY in use.rules
        rv = CKR.TEMPLATE_INCONSISTENT if only_by_copy else CKR.ATTRIBUTE_READ_ONLY
        raise Pkcs11Error(rv, f"{attribute_name(use.type)} cannot be changed back")
