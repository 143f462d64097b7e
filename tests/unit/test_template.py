# SPDX-License-Identifier: Apache-2.0
"""Templates on the wire: layout, bounds, and the reply of C_GetAttributeValue as OP-TEE lays it out.

The rules are those of PKCS#11 3.2 §4.1.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKA
from softee.pkcs11_ta.abi.template import ValueSlot, decode_template, encode_slots, encode_template
from softee.wire.codec import WireError, Writer

TEMPLATES = st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=20)), max_size=6).map(tuple)


def test_a_template_is_laid_out_as_op_tee_does() -> None:
    template = ((CKA.CLASS, b"\x04\0\0\0"), (CKA.LABEL, b"k"))
    wire = bytes.fromhex("15000000 02000000 00000000 04000000 04000000 03000000 01000000 6b")
    assert encode_template(template) == wire
    assert decode_template(wire) == template


@given(TEMPLATES)
def test_a_template_comes_back_with_its_order_and_its_duplicates(template: tuple[tuple[int, bytes], ...]) -> None:
    assert decode_template(encode_template(template)) == template


@given(TEMPLATES.filter(len), st.data())
def test_a_template_that_is_cut_anywhere_is_refused(
    template: tuple[tuple[int, bytes], ...], data: st.DataObject
) -> None:
    wire = encode_template(template)
    with pytest.raises(WireError):
        decode_template(wire[: data.draw(st.integers(0, len(wire) - 1))])


@pytest.mark.parametrize("change", [-1, 1, 0x7FFFFFFF], ids=["one less", "one more", "huge"])
def test_a_count_that_does_not_fit_the_size_is_refused(change: int) -> None:
    body = Writer().u32(CKA.ID).blob(b"id").u32(CKA.LABEL).blob(b"label").done()
    with pytest.raises(WireError):
        decode_template(Writer().u32(len(body)).u32(2 + change).raw(body).done())


def test_a_template_with_leftovers_is_refused() -> None:
    with pytest.raises(WireError):
        decode_template(encode_template(((CKA.ID, b"id"),)) + b"\0")


def test_values_stand_in_the_space_that_the_request_left_for_them() -> None:
    reply = encode_slots(
        [
            ValueSlot(CKA.TOKEN, b"\1", b"\0"),
            ValueSlot(CKA.VALUE, b"\xcc" * 8, b"hello"),
            ValueSlot(CKA.CLASS, b"\xff" * 4, b"\0\0\0\0"),
        ]
    )
    assert reply == bytes.fromhex(
        "25000000 03000000 01000000 01000000 00 11000000 05000000 68656c6c6f cccccc 00000000 04000000 00000000"
    )


@pytest.mark.parametrize(
    ("slot", "attribute"),
    [
        (ValueSlot(CKA.VALUE, b"", b"hello"), "11000000 05000000"),
        (ValueSlot(CKA.VALUE, b"\xcc" * 3, b"hello"), "11000000 05000000 cccccc"),
        (ValueSlot(CKA.VALUE, b"\xcc" * 3, None), "11000000 ffffffff cccccc"),
        (ValueSlot(CKA.LABEL, b"\xcc", b""), "03000000 00000000 cc"),
    ],
    ids=["size asked for", "too small", "not to be had", "empty"],
)
def test_a_value_that_is_not_copied_leaves_its_size_and_the_space_as_it_was(slot: ValueSlot, attribute: str) -> None:
    wire = bytes.fromhex(attribute)
    assert encode_slots([slot]) == Writer().u32(len(wire)).u32(1).raw(wire).done()


def test_only_a_buffer_that_is_there_can_be_too_small() -> None:
    assert ValueSlot(CKA.VALUE, b"ab", b"abc").too_small
    assert not ValueSlot(CKA.VALUE, b"", b"abc").too_small
    assert not ValueSlot(CKA.VALUE, b"ab", b"ab").too_small
    assert not ValueSlot(CKA.VALUE, b"ab", None).too_small
