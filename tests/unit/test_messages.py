# SPDX-License-Identifier: Apache-2.0
"""Requests decode field by field, and hostile sizes are refused before anything is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKA
from softee.pkcs11_ta.abi import messages as m
from softee.wire.codec import Reader, WireError
from support.token_world import blob, template, u32


def test_fields_come_out_in_the_order_of_the_layout() -> None:
    request = m.decoder(m.SetPin)(u32(7, 4, 5) + b"old1" + b"new22")
    assert request == m.SetPin(7, 4, 5, bytearray(b"old1"), bytearray(b"new22"))


def test_init_token_has_its_label_between_the_pin_and_the_pin_s_size() -> None:
    request = m.decoder(m.InitToken)(u32(1, 4) + b"x" * 32 + b"1234")
    assert request == m.InitToken(1, 4, b"x" * 32, bytearray(b"1234"))


def test_key_pair_generation_has_two_templates() -> None:
    raw = u32(1, 0x1040) + blob(b"") + template((CKA.VERIFY, True)) + template((CKA.SIGN, True), (CKA.ID, b"7"))
    request = m.decoder(m.GenerateKeyPair)(raw)
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
        m.read_template(Reader(raw))


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=40)), max_size=8))
def test_templates_round_trip(attributes: list[tuple[int, bytes]]) -> None:
    reader = Reader(template(*attributes))
    assert m.read_template(reader) == tuple(attributes)
    reader.finish()


def test_a_pin_is_in_bytes_that_can_be_wiped() -> None:
    request = m.decoder(m.Login)(u32(1, 1, 4) + b"1234")
    assert isinstance(request.pin, bytearray)
