# SPDX-License-Identifier: Apache-2.0
"""Every attribute of every kind of object behaves as its row in the table says: made, defaulted, read, set, copied.

The rules are those of PKCS#11 3.2 §4.
"""

from itertools import pairwise

import pytest

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.codecs import (
    BOOL,
    BYTES,
    CHOICE,
    CODECS,
    DATE,
    MECHANISM_LIST,
    NESTED,
    SECRET,
    TRUST,
    ULONG,
    Codec,
)
from softee.pkcs11_ta.attributes.uses import Rule, Unset, Use
from softee.pkcs11_ta.attributes.values import AttributeValue, Given
from softee.pkcs11_ta.objects import rules, showing
from softee.pkcs11_ta.objects.content import complete
from softee.pkcs11_ta.objects.kinds import HIDDEN_PARTS, KINDS, PROTECTED_CLASSES, ObjectKind
from softee.pkcs11_ta.objects.policy import ObjectPolicy
from softee.pkcs11_ta.objects.record import decode_object, encode_object
from support.samples import OBJECT_SAMPLES, as_template, sample

ROWS = [pytest.param(kind, use, id=f"{kind.name}-{use.type.name}") for kind in KINDS for use in kind.rows]
AS_THE_STANDARD = ObjectPolicy()
"""OP-TEE answers otherwise, and does without some attributes: ``tests/unit/test_profiles.py``."""

KIND_ROWS = [pytest.param(kind, id=kind.name) for kind in KINDS]

OTHER_VALUES: dict[str, AttributeValue] = {
    ULONG.name: 77,
    CHOICE.name: 2,
    TRUST.name: 3,
    BYTES.name: b"another value",
    SECRET.name: b"another secret",
    DATE.name: b"20300101",
    MECHANISM_LIST.name: (1, 0x1041),
    NESTED.name: ((int(CKA.LABEL), b"x"),),
}


def another(use: Use, current: AttributeValue | None) -> AttributeValue:
    """Return a value of the right type that differs from the current one."""
    codec: Codec = CODECS[use.type]
    return current is not True if codec is BOOL else OTHER_VALUES[codec.name]


def made(kind: ObjectKind, **changes: AttributeValue) -> Given:
    """Return the attributes of a finished object."""
    attributes = rules.make(rules.parse(as_template(sample(kind, **changes))), rules.CREATE, is_so=False)
    complete(attributes)
    return attributes


def test_a_kind_does_not_say_two_things_of_one_attribute() -> None:
    with pytest.raises(ValueError, match="data has an attribute twice"):
        ObjectKind("data", CKO.DATA, (Use(CKA.LABEL, default=b""), Use(CKA.LABEL, Rule.MODIFIABLE, default=b"")))


def is_type(kind: ObjectKind, use: Use) -> bool:
    return use.type in (CKA.CLASS, kind.subtype)


@pytest.mark.parametrize(("kind", "use"), ROWS)
def test_an_attribute_has_a_codec_that_takes_its_default(kind: ObjectKind, use: Use) -> None:
    codec = CODECS[use.type]
    if not isinstance(use.default, Unset):
        assert codec.decode(bytes(codec.encode(use.default))) == use.default, kind.name


@pytest.mark.parametrize(("kind", "use"), ROWS)
def test_an_attribute_that_is_not_given_has_its_default_or_is_asked_for(kind: ObjectKind, use: Use) -> None:
    given = {attribute: value for attribute, value in sample(kind).items() if attribute != use.type}
    if is_type(kind, use) or Rule.REQUIRED_ON_CREATE in use.rules:
        with pytest.raises(Pkcs11Error, match=use.type.name) as refused:
            rules.make(given, rules.CREATE, is_so=False, policy=AS_THE_STANDARD)
        assert refused.value.rv is CKR.TEMPLATE_INCOMPLETE
    else:
        attributes = rules.make(given, rules.CREATE, is_so=False, policy=AS_THE_STANDARD)
        expected = None if isinstance(use.default, Unset) else use.default
        assert attributes.get(use.type) == expected


@pytest.mark.parametrize(("kind", "use"), ROWS)
@pytest.mark.parametrize("way", [rules.CREATE, rules.GENERATE, rules.UNWRAP], ids=lambda way: way.name)
def test_an_attribute_that_a_way_forbids_is_refused(kind: ObjectKind, use: Use, way: rules.Way) -> None:
    required = {row.type for row in kind.rows if row.rules & way.required}
    given = {attribute: value for attribute, value in sample(kind).items() if attribute in required}
    given |= {row.type: OTHER_VALUES[CODECS[row.type].name] for row in kind.rows if row.type in required - given.keys()}
    given.setdefault(use.type, another(use, None))
    if use.rules & way.forbidden:
        with pytest.raises(Pkcs11Error, match=use.type.name) as refused:
            rules.make(given, way, is_so=True)
        assert refused.value.rv is CKR.TEMPLATE_INCONSISTENT
    else:
        assert rules.make(given, way, is_so=True)[use.type] == given[use.type]


@pytest.mark.parametrize(("kind", "use"), ROWS)
def test_an_attribute_is_changed_by_c_set_attribute_value_only_where_the_table_says(kind: ObjectKind, use: Use) -> None:
    check_change(kind, use, rules.BY_SET)


@pytest.mark.parametrize(("kind", "use"), ROWS)
def test_an_attribute_is_changed_by_a_copy_only_where_the_table_says(kind: ObjectKind, use: Use) -> None:
    check_change(kind, use, rules.BY_COPY)


def check_change(kind: ObjectKind, use: Use, changeable: Rule) -> None:
    attributes = made(kind)
    stuck = False if Rule.STICKY_FALSE in use.rules else True if Rule.STICKY_TRUE in use.rules else None
    if stuck is not None:
        attributes[use.type] = not stuck
    current = attributes.get(use.type)
    wanted = another(use, current)
    template = as_template({use.type: wanted})
    if not use.rules & changeable:
        with pytest.raises(Pkcs11Error, match=use.type.name) as refused:
            rules.change(attributes, template, changeable, is_so=True)
        assert refused.value.rv is CKR.ATTRIBUTE_READ_ONLY
        return
    changed = rules.change(attributes, template, changeable, is_so=True)
    assert changed == {**attributes, use.type: wanted}
    assert attributes.get(use.type) == current, "the object itself never changes"
    if stuck is not None:
        back = as_template({use.type: not stuck})
        with pytest.raises(Pkcs11Error, match=use.type.name):
            rules.change(changed, back, changeable, is_so=True)


@pytest.mark.parametrize(("kind", "use"), ROWS)
def test_only_the_security_officer_sets_what_is_his(kind: ObjectKind, use: Use) -> None:
    if Rule.ONLY_SO_SETS not in use.rules:
        assert use.type is not CKA.TRUSTED
        return
    with pytest.raises(Pkcs11Error, match="security officer"):
        rules.make({**sample(kind), use.type: True}, rules.CREATE, is_so=False)
    assert rules.make({**sample(kind), use.type: True}, rules.CREATE, is_so=True)[use.type] is True
    for current, wanted in pairwise((True, False, True)):
        attributes = {**made(kind), use.type: current}
        with pytest.raises(Pkcs11Error):
            rules.change(attributes, as_template({use.type: wanted}), rules.BY_SET, is_so=False)


@pytest.mark.parametrize(("kind", "use"), ROWS)
@pytest.mark.parametrize("sensitive", [False, True])
@pytest.mark.parametrize("extractable", [False, True])
def test_a_private_part_is_shown_only_where_both_attributes_allow_it(
    kind: ObjectKind, use: Use, *, sensitive: bool, extractable: bool
) -> None:
    attributes = made(kind)
    if kind.object_class in PROTECTED_CLASSES:
        attributes |= {CKA.SENSITIVE: sensitive, CKA.EXTRACTABLE: extractable}
    value = attributes.get(use.type)
    hidden = Rule.HIDDEN_WHEN_SENSITIVE in use.rules and (sensitive or not extractable)
    if hidden:
        with pytest.raises(Pkcs11Error) as refused:
            showing.read(attributes, use.type)
        assert refused.value.rv is CKR.ATTRIBUTE_SENSITIVE
    elif value is None or CODECS[use.type] is NESTED:
        with pytest.raises(Pkcs11Error) as refused:
            showing.read(attributes, use.type)
        assert refused.value.rv is CKR.ATTRIBUTE_TYPE_INVALID
    else:
        assert showing.read(attributes, use.type) == CODECS[use.type].encode(value)
    if value is not None:
        assert showing.matches(attributes, {use.type: value}) is not hidden


@pytest.mark.parametrize("kind", KIND_ROWS)
def test_an_attribute_of_another_kind_is_refused(kind: ObjectKind) -> None:
    for attribute in CODECS.keys() - kind.uses.keys():
        value = another(Use(CKA(attribute)), None)
        with pytest.raises(Pkcs11Error) as refused:
            rules.make({**sample(kind), attribute: value}, rules.CREATE, is_so=True)
        assert refused.value.rv is CKR.ATTRIBUTE_TYPE_INVALID
        with pytest.raises(Pkcs11Error) as refused:
            rules.change(made(kind), as_template({attribute: value}), rules.BY_SET, is_so=True)
        assert refused.value.rv is CKR.ATTRIBUTE_TYPE_INVALID


@pytest.mark.parametrize("kind", KIND_ROWS)
def test_an_object_survives_its_record(kind: ObjectKind) -> None:
    attributes = made(kind, LABEL=b"\x00a label\xff")
    assert decode_object(encode_object(attributes)) == attributes


def test_every_class_that_hides_parts_has_the_attributes_that_hide_them() -> None:
    for kind in KINDS:
        hides = any(Rule.HIDDEN_WHEN_SENSITIVE in use.rules for use in kind.rows)
        assert hides is (kind.object_class in PROTECTED_CLASSES)
        assert not hides or {CKA.SENSITIVE, CKA.EXTRACTABLE} <= kind.uses.keys()
    assert CKA.VALUE in HIDDEN_PARTS
    assert CKA.MODULUS not in HIDDEN_PARTS


def test_there_is_a_sample_and_one_meaning_for_every_kind() -> None:
    for kind in KINDS:
        assert rules.kind_of(sample(kind)) is kind
    for name, attributes in OBJECT_SAMPLES.items():
        assert name.startswith(rules.kind_of(attributes).name)
    assert {kind.object_class for kind in KINDS} == {
        CKO.DATA,
        CKO.CERTIFICATE,
        CKO.TRUST,
        CKO.PUBLIC_KEY,
        CKO.PRIVATE_KEY,
        CKO.SECRET_KEY,
    }
