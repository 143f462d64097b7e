# SPDX-License-Identifier: Apache-2.0
"""What an attribute's bytes may be: each codec takes what the standard and OP-TEE's library send, and nothing else."""

import pytest

from softee.names import CKA, CKR, UNAVAILABLE_INFORMATION
from softee.names.attribute_kinds import ATTRIBUTE_KINDS, AttributeKind
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.template import encode_template
from softee.pkcs11_ta.attributes.codecs import (
    CHOICE,
    CODECS,
    MECHANISM_LIST,
    NESTED,
    NESTING_LIMIT,
    TRUST,
    ULONG,
    attribute_name,
    decode_value,
    encode_value,
)
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import AttributeValue

WRAPPED = ((int(CKA.SENSITIVE), b"\1"), (int(CKA.LABEL), b"wrapped"))

GOOD: list[tuple[CKA, bytes, AttributeValue]] = [
    (CKA.TOKEN, b"\0", False),
    (CKA.TOKEN, b"\1", True),
    (CKA.CLASS, b"\4\0\0\0", 4),
    (CKA.KEY_GEN_MECHANISM, b"\xff" * 4, UNAVAILABLE_INFORMATION),
    (CKA.LABEL, b"any \x00 bytes", b"any \x00 bytes"),
    (CKA.VALUE, b"key", b"key"),
    (CKA.START_DATE, b"", b""),
    (CKA.END_DATE, b"20261231", b"20261231"),
    (CKA.ALLOWED_MECHANISMS, b"", ()),
    (CKA.ALLOWED_MECHANISMS, bytes.fromhex("2102000056020000"), (0x221, 0x256)),
    (CKA.WRAP_TEMPLATE, encode_template(WRAPPED), WRAPPED),
    (CKA.WRAP_TEMPLATE, b"", ()),
    (CKA.CERTIFICATE_CATEGORY, b"\3\0\0\0", 3),
]


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = encode_template(((int(CKA.UNWRAP_TEMPLATE), inner),))
    return inner


@pytest.mark.parametrize(("kind", "raw", "value"), GOOD)
def test_a_good_value_is_decoded_and_encoded_back(kind: CKA, raw: bytes, value: AttributeValue) -> None:
    assert decode_value(kind, raw) == value
    assert encode_value(kind, value) == raw


def test_a_ulong_of_the_applications_machine_is_taken_too() -> None:
    assert decode_value(CKA.JAVA_MIDP_SECURITY_DOMAIN, b"\1" + bytes(7)) == 1
    assert decode_value(CKA.VALUE_LEN, b"\xff" * 8) == UNAVAILABLE_INFORMATION


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (CKA.TOKEN, b""),
        (CKA.TOKEN, b"\2"),
        (CKA.TOKEN, b"\1\0"),
        (CKA.CLASS, b""),
        (CKA.CLASS, b"\4"),
        (CKA.CLASS, bytes(5)),
        (CKA.CLASS, bytes(4) + b"\1\0\0\0"),
        (CKA.VALUE_LEN, bytes(4) + b"\1\0\0\0"),
        (CKA.VALUE_LEN, b"\xff" * 7 + b"\x7f"),
        (CKA.CERTIFICATE_CATEGORY, b"\xff" * 4),
        (CKA.CERTIFICATE_CATEGORY, b"\4\0\0\0"),
        (CKA.TRUST_SERVER_AUTH, b"\5\0\0\0"),
        (CKA.START_DATE, b"2026"),
        (CKA.START_DATE, b"20261301"),
        (CKA.START_DATE, b"20260230\n"),
        (CKA.ALLOWED_MECHANISMS, b"\1\2\3"),
        (CKA.WRAP_TEMPLATE, b"\0"),
        (CKA.WRAP_TEMPLATE, encode_template(WRAPPED)[:-1]),
        (CKA.WRAP_TEMPLATE, encode_template(((int(CKA.SENSITIVE), b"no"),))),
        (CKA.WRAP_TEMPLATE, nested(NESTING_LIMIT + 1)),
        (CKA.WRAP_TEMPLATE, nested(5000)),
    ],
)
def test_a_bad_value_is_refused_by_name(kind: CKA, raw: bytes) -> None:
    with pytest.raises(Pkcs11Error, match=f"CKA_{kind.name}") as refused:
        decode_value(kind, raw)
    assert refused.value.rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_templates_nest_to_the_limit() -> None:
    assert decode_value(CKA.WRAP_TEMPLATE, nested(NESTING_LIMIT))


@pytest.mark.parametrize("kind", [0x80000001, 0xFFFFFFFF, CKA.SUBPRIME, CKA.VALIDATION_LEVEL])
def test_an_attribute_that_no_object_has_is_refused(kind: int) -> None:
    with pytest.raises(Pkcs11Error) as refused:
        decode_value(kind, b"")
    assert refused.value.rv is CKR.ATTRIBUTE_TYPE_INVALID


def test_the_codecs_agree_with_the_table_that_the_client_library_converts_by() -> None:
    wanted = {
        AttributeKind.ULONG: {ULONG, CHOICE, TRUST},
        AttributeKind.ULONG_LIST: {MECHANISM_LIST},
        AttributeKind.TEMPLATE: {NESTED},
    }
    for kind, codec in CODECS.items():
        attribute_kind = ATTRIBUTE_KINDS.get(CKA(kind), AttributeKind.BYTES)
        numbers = {ULONG, CHOICE, TRUST, MECHANISM_LIST, NESTED}
        assert (codec in wanted[attribute_kind]) if attribute_kind in wanted else codec not in numbers, CKA(kind).name


def test_attributes_are_named_for_people() -> None:
    assert attribute_name(CKA.LABEL) == "CKA_LABEL"
    assert attribute_name(0x80000123) == "attribute 0x80000123"


def test_secret_bytes_are_never_shown_and_are_overwritten() -> None:
    secret = SecretBytes(b"private")
    assert "private" not in f"{secret!r}{secret}"
    still_seen = memoryview(secret)
    secret.__del__()
    assert bytes(still_seen) == bytes(7)


def test_secret_bytes_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        SecretBytes(b"private").__reduce_ex__(2)
