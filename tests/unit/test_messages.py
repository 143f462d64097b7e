# SPDX-License-Identifier: Apache-2.0
"""Requests decode field by field, and hostile sizes are refused before anything is taken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKA
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import decoder, encoder, fields
from softee.pkcs11_ta.abi.restored import SavedLogin, SavedSession
from softee.pkcs11_ta.abi.template import encode_template, read_template
from softee.wire.codec import Reader, WireError
from support.token_world import template, u32


def test_fields_come_out_in_the_order_of_the_layout() -> None:
    request = decoder(m.SetPin)(u32(7, 4, 5) + b"old1" + b"new22")
    assert request == m.SetPin(7, 4, 5, bytearray(b"old1"), bytearray(b"new22"))


def test_init_token_has_its_label_between_the_pin_and_the_pin_s_size() -> None:
    request = decoder(m.InitToken)(u32(1, 4) + b"x" * 32 + b"1234")
    assert request == m.InitToken(1, 4, b"x" * 32, bytearray(b"1234"))


def test_key_pair_generation_has_two_templates() -> None:
    public, private = template((CKA.VERIFY, True)), template((CKA.SIGN, True), (CKA.ID, b"7"))
    raw = u32(1, 0x1040, 0) + encode_template(public) + encode_template(private)
    request = decoder(m.GenerateKeyPair)(raw)
    assert request.public == ((CKA.VERIFY, b"\1"),)
    assert request.private == ((CKA.SIGN, b"\1"), (CKA.ID, b"7"))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (u32(8, 0xFFFFFFFF) + bytes(8), "attributes in 8 bytes"),
        (u32(0xFFFFFFFF, 1) + bytes(8), "bytes wanted"),
        (u32(8, 1, 0, 0xFFFFFFFF), "bytes wanted"),
        (u32(8, 0) + bytes(8), "left over"),
        (u32(16, 1, 0, 0) + bytes(8), "left over"),
    ],
    ids=["count", "size", "attribute size", "more than counted", "attribute left over"],
)
def test_a_template_that_lies_about_itself_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        read_template(Reader(raw))


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=40)), max_size=8))
def test_templates_round_trip(attributes: list[tuple[int, bytes]]) -> None:
    reader = Reader(encode_template(template(*attributes)))
    assert read_template(reader) == tuple(attributes)
    reader.finish()


def test_a_pin_is_in_bytes_that_can_be_wiped() -> None:
    request = decoder(m.Login)(u32(1, 1, 4) + b"1234")
    assert isinstance(request.pin, bytearray)


NUMBERS = st.integers(0, 2**32 - 1)
SESSIONS = st.builds(SavedSession, NUMBERS, NUMBERS, NUMBERS)
LOGINS = st.builds(SavedLogin, NUMBERS, NUMBERS, NUMBERS, st.binary(max_size=40))
VALUES = {
    "u32": st.integers(0, 2**32 - 1),
    "u32 size, bytes": st.binary(max_size=40),
    "32 bytes": st.binary(min_size=32, max_size=32),
    "PIN bytes": st.binary(max_size=40).map(bytearray),
    "u32 attrs_size, u32 attrs_count, attributes": st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=9)), max_size=4
    ).map(tuple),
    fields(m.RestoreSessions)[2][1].layout: st.lists(SESSIONS, max_size=4).map(tuple),
    fields(m.RestoreSessions)[3][1].layout: st.lists(LOGINS, max_size=4).map(tuple),
}
"""By layout: what a field can be."""


@pytest.mark.parametrize("request_type", sorted({one.request for one in COMMANDS}, key=str))
@given(data=st.data())
def test_what_is_encoded_decodes_to_itself(request_type: type[tuple[object, ...]], data: st.DataObject) -> None:
    layout = fields(request_type)
    values: dict[str, Any] = {name: data.draw(VALUES[field.layout]) for name, field in layout}
    values |= {field.size_in: len(values[name]) for name, field in layout if field.size_in}
    request = request_type(**values)
    assert decoder(request_type)(encoder(request_type)(request)) == request


def test_an_encoder_writes_the_true_size_of_a_pin_whatever_the_request_says() -> None:
    assert encoder(m.InitPin)(m.InitPin(1, 9, bytearray(b"12345"))) == u32(1, 5) + b"12345"
