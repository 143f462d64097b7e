# SPDX-License-Identifier: Apache-2.0
"""The runner of the profiles' test cases reads their grammar, and lets nothing pass that may not vary."""

import pytest

from interop.oasis.arguments import NumberIn, Omitted
from interop.oasis.attributes import attribute_type, from_bytes, to_bytes, value_type
from interop.oasis.comparison import compare
from interop.oasis.document import GrammarError, parse_case
from interop.oasis.functions import parameters
from interop.oasis.nodes import Facet, Node, UnboundError, Variables, placeholder
from interop.oasis.structures import element_name, structure_name
from interop.oasis.values import BOOLEAN, BYTES, FLAGS, NUMBER, TEXT, ValueType, enumeration
from softee.names import CKA
from support.cryptoki import facts


def case(*elements: str) -> bytes:
    return f"<PKCS11>{''.join(elements)}</PKCS11>".encode()


def test_a_case_is_calls_each_followed_by_its_response() -> None:
    (first, second) = parse_case(case("<C_A/># text<C_A rv='OK'/>", "<C_B><X value='1'/></C_B><C_B rv='0x5'/>"))
    assert (first.function, first.response.rv) == ("C_A", "OK")
    assert second.request.child("x") == second.request.children[0]
    assert second.request.child("y") is None


def test_a_case_may_have_the_standard_s_namespace() -> None:
    content = b'<PKCS11 xmlns="urn:oasis:tc:pkcs11:xmlns"><C_A/><C_A rv="OK"/></PKCS11>'
    assert parse_case(content)[0].function == "C_A"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<PKCS11>",
        b"<KMIP/>",
        case("<C_A/>"),
        case("<C_A/><C_B rv='OK'/>"),
        case("<C_A/><C_A/>"),
        case("<C_A rv='OK'/><C_A rv='OK'/>"),
        case("<C_A name='1'/><C_A rv='OK'/>"),
        b'<!DOCTYPE PKCS11 [<!ENTITY a "b">]><PKCS11>&a;</PKCS11>',
    ],
)
def test_what_is_no_case_is_refused(content: bytes) -> None:
    with pytest.raises(GrammarError):
        parse_case(content)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (NUMBER, "12", 12),
        (NUMBER, "0x0c", 12),
        (NUMBER, "UnavailableInformation", (1 << 64) - 1),
        (NUMBER, "EffectivelyInfinite", 0),
        (BOOLEAN, "TRUE", True),
        (BOOLEAN, "false", False),
        (FLAGS, "RW_SESSION|SERIAL_SESSION", 6),
        (FLAGS, "RW_SESSION SERIAL_SESSION", 6),
        (FLAGS, "0x6", 6),
        (BYTES, "00fF", b"\x00\xff"),
        (TEXT, "token1   ", "token1"),
        (enumeration("CKM"), "AES_CBC", 0x1082),
        (enumeration("CKM"), "0x00001082", 0x1082),
        (enumeration("CKM"), "4226", 0x1082),
        (enumeration("CKR"), "OK", 0),
    ],
)
def test_a_value_is_read_as_the_grammar_writes_it(kind: ValueType, text: str, value: object) -> None:
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (NUMBER, "-1"),
        (NUMBER, "twelve"),
        (BOOLEAN, "True"),
        (BOOLEAN, "1"),
        (FLAGS, "RW_SESSION|NONE_SUCH"),
        (BYTES, "0g"),
        (enumeration("CKM"), "CKM_AES_CBC"),
    ],
)
def test_a_value_that_is_none_is_refused(kind: ValueType, text: str) -> None:
    with pytest.raises(ValueError, match=r"no(t|n)"):
        kind.parse(text)


def test_every_function_of_the_standard_has_its_elements() -> None:
    plain = {"CK_BBOOL", "CK_FLAGS", "CK_MECHANISM_TYPE", "CK_OBJECT_HANDLE", "CK_SESSION_HANDLE", "CK_SLOT_ID"}
    plain |= {"CK_SESSION_VALIDATION_FLAGS_TYPE", "CK_ULONG", "CK_USER_TYPE"}
    for function in facts()["functions"]:
        known = parameters(function["name"])
        names = [name for name, _, sort in known if sort is not Omitted]
        assert len(names) == len(set(names)), function["name"]
        assert {base for _, base, sort in known if sort is NumberIn} <= plain, function["name"]
    with pytest.raises(ValueError, match="C_None"):
        parameters("C_None")


@pytest.mark.parametrize(
    ("name", "element"),
    [("hSession", "Session"), ("phObject", "Object"), ("pulCount", "Count"), ("slotID", "SlotID"), ("pPin", "Pin")],
)
def test_names_lose_the_letters_that_tell_their_types(name: str, element: str) -> None:
    assert element_name(name) == element
    assert structure_name("CK_TOKEN_INFO") == "TokenInfo"


def test_attributes_have_the_types_of_the_standard() -> None:
    assert value_type(CKA.CLASS).parse("PROFILE") == 9
    assert value_type(CKA.TRUST_SERVER_AUTH).parse("TRUST_ANCHOR") == 2
    assert value_type(CKA.TOKEN) is BOOLEAN
    assert (value_type(CKA.LABEL), value_type(CKA.ID), value_type(CKA.VALUE_LEN)) == (TEXT, BYTES, NUMBER)
    assert (to_bytes(BOOLEAN.parse("true")), to_bytes(9), to_bytes("é")) == (b"\1", b"\x09" + bytes(7), b"\xc3\xa9")
    assert (from_bytes(CKA.TOKEN, b"\1"), from_bytes(CKA.LABEL, b"a\0"), from_bytes(CKA.ID, b"a\0")) == (
        True,
        "a",
        b"a\0",
    )
    with pytest.raises(ValueError, match="CKA_LABEL"):
        attribute_type("CKA_LABEL")


def test_a_variable_is_bound_by_an_answer_and_then_used() -> None:
    variables = Variables({"Pin": "1234"})
    assert (placeholder("${Slots.SlotID[0]}"), placeholder("Slots"), placeholder("a ${b}")) == (
        "Slots.SlotID[0]",
        None,
        None,
    )
    assert variables.resolve("${Pin}", TEXT) == "1234"
    with pytest.raises(UnboundError, match="Session"):
        variables.resolve("${Session}", NUMBER)
    assert differences("<Session value='${Session}'/>", Node("Session", {"value": Facet(7)}), variables=variables) == []
    assert variables.resolve("${Session}", NUMBER) == 7


def differences(expected: str, *actual: Node, variables: Variables | None = None) -> list[str]:
    (step,) = parse_case(case(f"<C_A/><C_A rv='OK'>{expected}</C_A>"))
    found = compare(step.response, Node("C_A", {}, actual), variables or Variables({}))
    return [f"{'note: ' if one.is_note else ''}{one}" for one in found]


def info(name: str, **members: Facet) -> Node:
    return Node(name, {}, tuple(Node(member, {"value": facet}) for member, facet in members.items()))


def test_only_what_the_profiles_permit_may_vary() -> None:
    told = info("TokenInfo", Label=Facet("mine", TEXT), Flags=Facet(0x405, FLAGS), MaxPinLen=Facet(9), X=Facet(1))
    assert differences("<TokenInfo><label value='theirs'/></TokenInfo>", told) == []
    assert differences("<TokenInfo><Flags value='RNG'/></TokenInfo>", told) == []
    assert differences("<TokenInfo><Flags value='RNG|CLOCK_ON_TOKEN'/></TokenInfo>", told) == [
        "C_A/TokenInfo/Flags value: expected RNG|CLOCK_ON_TOKEN, got 1029"
    ]
    assert differences("<TokenInfo><MaxPinLen value='255'/></TokenInfo>", told) == [
        "note: C_A/TokenInfo/MaxPinLen value: expected 255, got 9"
    ]
    assert differences("<TokenInfo><X value='2'/></TokenInfo>", told) == ["C_A/TokenInfo/X value: expected 2, got 1"]
    assert differences("<Thing><label value='theirs'/></Thing>", info("Thing", Label=Facet("mine", TEXT))) == [
        "C_A/Thing/label value: expected theirs, got mine"
    ]


def attribute(name: str, **facets: Facet) -> Node:
    return Node("Template", {}, (Node("Attribute", facets, type=name),))


def test_attributes_vary_where_the_profiles_say_and_a_token_s_own_key_in_its_bytes_alone() -> None:
    wanted = "<Template><Attribute type='{}' value='{}'/></Template>"
    assert differences(wanted.format("VALUE", "00"), attribute("VALUE", value=Facet(b"abc", BYTES))) == []
    assert differences(wanted.format("MODULUS", "0000"), attribute("MODULUS", value=Facet(b"ab", BYTES))) == []
    assert differences(wanted.format("MODULUS", "00"), attribute("MODULUS", value=Facet(b"ab", BYTES))) == [
        "C_A/Template/Attribute(MODULUS) value: expected 00, got 6162"
    ]
    assert differences(wanted.format("ID", "00"), attribute("ID", value=Facet(b"a", BYTES))) == [
        "C_A/Template/Attribute(ID) value: expected 00, got 61"
    ]
    assert differences(wanted.format("ID", "00"), attribute("ID", length=Facet(1))) == [
        "C_A/Template/Attribute(ID) value: expected 00, got nothing"
    ]


def test_a_list_has_each_value_somewhere_and_variables_in_order() -> None:
    kind, variables = enumeration("CKM"), Variables({})
    types = tuple(Node("Type", {"value": Facet(number, kind)}) for number in (0x270, 0, 1))
    told = Node("MechanismList", {"length": Facet(3)}, types, is_list=True)
    wanted = "<MechanismList>{}</MechanismList>"
    both = wanted.format("<Type value='RSA_PKCS'/><Type value='SHA512'/>")
    assert differences(both, told) == []
    assert differences(wanted.format("<Type value='MD5'/>"), told) == [
        "C_A/MechanismList/Type[0]: expected MD5, got nothing"
    ]
    bound = wanted.format("<Type value='${First}'/><Type value='${Second}'/>")
    assert differences(bound, told, variables=variables) == []
    assert variables.resolve("${Second}", kind) == 0
    four = wanted.format("<Type value='${A}'/>" * 4)
    assert differences(four, told) == ["C_A/MechanismList/Type[3]: expected ${A}, got nothing"]


def test_an_element_that_does_not_come_back_is_missed() -> None:
    assert differences("<Key value='1'/>") == ["C_A/Key: expected 1, got nothing"]
