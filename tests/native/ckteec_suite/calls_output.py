# SPDX-License-Identifier: Apache-2.0
"""Functions that fill an application's buffer: sizes, lists, and the values of attributes."""

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import pytest

from native.ckteec_suite.support import (
    UNAVAILABLE,
    Answer,
    Attribute,
    Library,
    Sent,
    attributes,
    mechanism,
    pointer,
    room,
    template,
    too_small,
    ulong,
)
from softee.names import CKA, CKM, CKR, TeeResult

WIRE_UNAVAILABLE = 2**32 - 1
Call = Callable[[Library, object, object], int]

OUTPUTS: dict[str, Call] = {
    "C_Encrypt": lambda library, out, size: library.call("C_Encrypt", 1, b"data", 4, out, size),
    "C_EncryptUpdate": lambda library, out, size: library.call("C_EncryptUpdate", 1, b"data", 4, out, size),
    "C_EncryptFinal": lambda library, out, size: library.call("C_EncryptFinal", 1, out, size),
    "C_Decrypt": lambda library, out, size: library.call("C_Decrypt", 1, b"data", 4, out, size),
    "C_DecryptUpdate": lambda library, out, size: library.call("C_DecryptUpdate", 1, b"data", 4, out, size),
    "C_DecryptFinal": lambda library, out, size: library.call("C_DecryptFinal", 1, out, size),
    "C_Digest": lambda library, out, size: library.call("C_Digest", 1, b"data", 4, out, size),
    "C_DigestFinal": lambda library, out, size: library.call("C_DigestFinal", 1, out, size),
    "C_Sign": lambda library, out, size: library.call("C_Sign", 1, b"data", 4, out, size),
    "C_SignFinal": lambda library, out, size: library.call("C_SignFinal", 1, out, size),
    "C_SignRecover": lambda library, out, size: library.call("C_SignRecover", 1, b"data", 4, out, size),
    "C_VerifyRecover": lambda library, out, size: library.call("C_VerifyRecover", 1, b"data", 4, out, size),
    "C_GetOperationState": lambda library, out, size: library.call("C_GetOperationState", 1, out, size),
    "C_WrapKey": lambda library, out, size: library.call("C_WrapKey", 1, mechanism(CKM.AES_ECB), 2, 3, out, size),
}


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


@pytest.mark.parametrize("call", OUTPUTS.values(), ids=OUTPUTS)
class TestBytes:
    def test_a_null_buffer_asks_for_the_size_whatever_the_length_says(self, library: Library, call: Call) -> None:
        for length in (0, 5, UNAVAILABLE):
            library.answer(too_small(64))
            size = ulong(length)
            assert call(library, None, pointer(size)) == CKR.OK
            assert (size.value, library.last().capacity, len(library.sent)) == (64, 0, 1)

    def test_a_small_buffer_is_told_the_size_and_left_alone(self, library: Library, call: Call) -> None:
        for capacity in (0, 63):
            library.answer(too_small(64))
            buffer, size = room(64), ulong(capacity)
            assert call(library, buffer, pointer(size)) == CKR.BUFFER_TOO_SMALL
            assert (size.value, library.last().capacity, len(library.sent)) == (64, capacity, 1)
            assert buffer.raw == bytes(64)

    def test_a_large_buffer_is_filled(self, library: Library, call: Call) -> None:
        library.answer(Answer(output=b"s" * 64))
        buffer, size = room(80), ulong(80)
        assert call(library, buffer, pointer(size)) == CKR.OK
        assert (size.value, buffer.raw) == (64, b"s" * 64 + bytes(16))

    def test_an_answer_may_be_empty(self, library: Library, call: Call) -> None:
        library.answer(Answer())
        size = ulong(5)
        assert call(library, None, pointer(size)) == CKR.OK
        assert size.value == 0

    def test_a_failure_leaves_the_length_alone(self, library: Library, call: Call) -> None:
        library.answer(Answer(CKR.OPERATION_NOT_INITIALIZED, size=3))
        size = ulong(80)
        assert call(library, room(80), pointer(size)) == CKR.OPERATION_NOT_INITIALIZED
        assert size.value == 80

    @pytest.mark.parametrize("answer", [too_small(64), too_small(0), Answer(size=65), Answer(size=2**40)])
    def test_sizes_that_cannot_be_are_a_device_error(self, library: Library, call: Call, answer: Answer) -> None:
        library.answer(answer)
        size = ulong(64)
        assert call(library, room(64), pointer(size)) == CKR.DEVICE_ERROR
        assert size.value == 64


NOTHING_DONE = too_small(0)
"""softee's application tells the size of a part that brings no bytes, and has not taken it."""

WENT_ON = Answer()
"""OP-TEE's application takes an empty buffer for enough, and softee's one that is told of the end."""

UPDATES = {name: OUTPUTS[name] for name in ("C_EncryptUpdate", "C_DecryptUpdate")}
ENDS = {
    name: OUTPUTS[name] for name in ("C_Encrypt", "C_EncryptFinal", "C_Decrypt", "C_DecryptFinal", "C_VerifyRecover")
}


class TestNoBytes:
    """Parts that bring no bytes, and buffers that have none, which the other side cannot tell from NULL."""

    @pytest.mark.parametrize("call", [*UPDATES.values(), *ENDS.values()], ids=[*UPDATES, *ENDS])
    @pytest.mark.parametrize("answer", [NOTHING_DONE, WENT_ON])
    def test_a_null_buffer_only_asks(self, library: Library, call: Call, answer: Answer) -> None:
        library.answer(answer)
        size = ulong(5)
        assert call(library, None, pointer(size)) == CKR.OK
        assert (size.value, len(library.sent)) == (0, 1)

    @pytest.mark.parametrize("call", [*UPDATES.values(), *ENDS.values()], ids=[*UPDATES, *ENDS])
    def test_an_empty_one_goes_on_where_nothing_was_done(self, library: Library, call: Call) -> None:
        library.answer(NOTHING_DONE, Answer())
        buffer, size = room(1), ulong(0)
        assert call(library, buffer, pointer(size)) == CKR.OK
        assert (size.value, buffer.raw) == (0, b"\0")
        first, second = library.sent
        assert (first.capacity, second.capacity) == (0, 1)
        assert (first.command, first.control, first.data) == (second.command, second.control, second.data)

    @pytest.mark.parametrize("call", UPDATES.values(), ids=UPDATES)
    def test_a_part_that_was_taken_is_not_sent_again(self, library: Library, call: Call) -> None:
        library.answer(WENT_ON)
        assert call(library, room(1), pointer(ulong(0))) == CKR.OK
        assert len(library.sent) == 1

    @pytest.mark.parametrize("call", ENDS.values(), ids=ENDS)
    @pytest.mark.parametrize("after", [CKR.OK, CKR.OPERATION_NOT_INITIALIZED])
    def test_an_end_is_an_end_whether_or_not_it_was_one_before(self, library: Library, call: Call, after: CKR) -> None:
        library.answer(WENT_ON, Answer(after))
        size = ulong(0)
        assert call(library, room(1), pointer(size)) == CKR.OK
        assert (size.value, len(library.sent)) == (0, 2)

    @pytest.mark.parametrize("call", [*UPDATES.values(), *ENDS.values()], ids=[*UPDATES, *ENDS])
    @pytest.mark.parametrize(
        ("second", "expected"),
        [
            (Answer(output=b"x"), CKR.DEVICE_ERROR),
            (too_small(2), CKR.DEVICE_ERROR),
            (Answer(CKR.DATA_LEN_RANGE), CKR.DATA_LEN_RANGE),
            (Answer(CKR.OPERATION_NOT_INITIALIZED), CKR.OPERATION_NOT_INITIALIZED),
        ],
    )
    def test_what_goes_wrong_then_is_said(self, library: Library, call: Call, second: Answer, expected: CKR) -> None:
        library.answer(NOTHING_DONE, second)
        assert call(library, room(1), pointer(ulong(0))) == expected


def _slots(library: Library, array: object, count: object) -> int:
    return library.call("C_GetSlotList", 1, array, count)


def _mechanisms(library: Library, array: object, count: object) -> int:
    return library.call("C_GetMechanismList", 0, array, count)


@pytest.mark.parametrize("call", [_slots, _mechanisms])
class TestLists:
    def test_a_null_list_asks_for_the_count(self, library: Library, call: Call) -> None:
        library.answer(too_small(12))
        count = ulong(77)
        assert call(library, None, pointer(count)) == CKR.OK
        assert (count.value, library.last().capacity) == (3, 0)

    def test_a_short_list_is_told_the_count(self, library: Library, call: Call) -> None:
        library.answer(too_small(12))
        count = ulong(2)
        assert call(library, (ctypes.c_ulong * 2)(), pointer(count)) == CKR.BUFFER_TOO_SMALL
        assert (count.value, library.last().capacity) == (3, 8)

    def test_elements_are_widened_in_place(self, library: Library, call: Call) -> None:
        library.answer(Answer(output=u32(0, 0x80000001, WIRE_UNAVAILABLE)))
        count, array = ulong(4), (ctypes.c_ulong * 5)(*[9] * 5)
        assert call(library, array, pointer(count)) == CKR.OK
        assert count.value == 3
        assert list(array)[:3] == [0, 0x80000001, WIRE_UNAVAILABLE]
        assert array[4] == 9

    def test_half_an_element_is_a_device_error(self, library: Library, call: Call) -> None:
        library.answer(Answer(output=b"12345"))
        assert call(library, (ctypes.c_ulong * 4)(), pointer(ulong(4))) == CKR.DEVICE_ERROR

    def test_a_count_beyond_all_bounds_is_cut(self, library: Library, call: Call) -> None:
        library.answer(Answer(output=u32(1)))
        count = ulong(UNAVAILABLE)
        assert call(library, (ctypes.c_ulong * (1 << 14))(), pointer(count)) == CKR.OK
        assert (count.value, library.last().capacity) == (1, 1 << 16)


def test_a_search_gives_at_most_what_was_asked_for(library: Library) -> None:
    library.answer(Answer(output=u32(5, 6)))
    count, handles = ulong(), (ctypes.c_ulong * 3)()
    assert library.call("C_FindObjects", 1, handles, 3, pointer(count)) == CKR.OK
    assert (count.value, list(handles)[:2]) == (2, [5, 6])
    library.answer(Answer())
    assert library.call("C_FindObjects", 1, None, 0, pointer(count)) == CKR.OK
    assert (count.value, library.last().capacity) == (0, 0)
    library.answer(too_small(16))
    assert library.call("C_FindObjects", 1, handles, 3, pointer(count)) == CKR.DEVICE_ERROR
    assert library.call("C_FindObjects", 1, None, 0, pointer(count)) == CKR.DEVICE_ERROR


def asked(capacities: dict[CKA, int | None]) -> Any:  # noqa: ANN401 - a ctypes array
    """A template to be filled: the capacity of each buffer, None for a NULL pointer."""
    array = attributes(len(capacities))
    for attribute, (kind, capacity) in zip(array, capacities.items(), strict=True):
        attribute.type, attribute.length = kind, capacity or 0
        if capacity is not None:
            buffer = ctypes.create_string_buffer(b"\xee" * (capacity + 1), capacity + 1)
            array.keep.append(buffer)
            attribute.value = ctypes.addressof(buffer)
    return array


def values(array: Any) -> list[bytes | int | None]:  # noqa: ANN401 - a ctypes array
    """What came: the bytes, the length where no buffer was given, None where nothing is to be had."""
    found: list[bytes | int | None] = []
    for attribute in array:
        if attribute.length == UNAVAILABLE:
            found.append(None)
        else:
            found.append(ctypes.string_at(attribute.value, attribute.length) if attribute.value else attribute.length)
    return found


def object_with(held: dict[CKA, bytes | None], rv: CKR = CKR.OK) -> Callable[[Sent], Answer]:
    """A secure world with one object, that fills templates as OP-TEE's does. None is a value that it does not give."""

    def answer(sent: Sent) -> Answer:
        head, left, output = sent.control[8:16], sent.control[16:], b""
        while left:
            kind, size = struct.unpack_from("<II", left)
            space, left = left[8 : 8 + size], left[8 + size :]
            assert space == bytes(size)
            value = held[CKA(kind)]
            told = WIRE_UNAVAILABLE if value is None or 0 < size < len(value) else len(value)
            filled = value.ljust(size, b"\0") if value is not None and len(value) <= size else space
            output += u32(kind, told) + filled
        result = TeeResult.SHORT_BUFFER if rv == CKR.BUFFER_TOO_SMALL else TeeResult.SUCCESS
        return Answer(rv, head + output, result)

    return answer


def get(library: Library, array: Any) -> int:  # noqa: ANN401 - a ctypes array
    return library.call("C_GetAttributeValue", 1, 2, array, len(array))


def test_values_come_in_the_application_s_width(library: Library) -> None:
    held: dict[CKA, bytes | None] = {
        CKA.CLASS: u32(3),
        CKA.LABEL: b"label",
        CKA.KEY_GEN_MECHANISM: u32(WIRE_UNAVAILABLE),
        CKA.ALLOWED_MECHANISMS: u32(0x1041, 0x1044),
        CKA.ID: b"",
    }
    library.answers = object_with(held)
    array = asked(dict.fromkeys(held, 16))
    assert get(library, array) == CKR.OK
    assert library.last().control[:16] == u32(1, 2, 5 * 8 + 4 + 16 + 4 + 8 + 16, 5)
    long = struct.Struct("L").pack
    assert values(array) == [long(3), b"label", long(UNAVAILABLE), long(0x1041) + long(0x1044), b""]
    lengths = asked(dict.fromkeys(held))
    assert get(library, lengths) == CKR.OK
    assert values(lengths) == [8, 5, 8, 16, 0]


def test_small_buffers_are_marked_and_the_others_filled(library: Library) -> None:
    held: dict[CKA, bytes | None] = {
        CKA.KEY_TYPE: u32(3),
        CKA.EC_POINT: b"p" * 67,
        CKA.TOKEN: b"\1",
        CKA.ALLOWED_MECHANISMS: u32(1, 2),
        CKA.LABEL: b"label",
    }
    library.answers = object_with(held, CKR.BUFFER_TOO_SMALL)
    array = asked({CKA.KEY_TYPE: 4, CKA.EC_POINT: 66, CKA.TOKEN: 1, CKA.ALLOWED_MECHANISMS: 8, CKA.LABEL: 0})
    assert get(library, array) == CKR.BUFFER_TOO_SMALL
    assert values(array) == [None, None, b"\1", None, None]


def test_a_buffer_too_small_for_a_ulong_is_noticed_here(library: Library) -> None:
    library.answers = object_with({CKA.CLASS: u32(3), CKA.TOKEN: b"\1"})
    array = asked({CKA.CLASS: 4, CKA.TOKEN: 1})
    assert get(library, array) == CKR.BUFFER_TOO_SMALL
    assert values(array) == [None, b"\1"]


@pytest.mark.parametrize("rv", [CKR.ATTRIBUTE_SENSITIVE, CKR.ATTRIBUTE_TYPE_INVALID])
def test_what_is_not_given_is_marked_and_the_others_filled(library: Library, rv: CKR) -> None:
    library.answers = object_with({CKA.VALUE: None, CKA.CLASS: u32(4), CKA.PRIME_1: None}, rv)
    array = asked({CKA.VALUE: 32, CKA.CLASS: 8, CKA.PRIME_1: None})
    assert get(library, array) == rv
    assert values(array) == [None, struct.pack("L", 4), None]


def test_other_failures_leave_the_template_alone(library: Library) -> None:
    library.answer(Answer(CKR.OBJECT_HANDLE_INVALID))
    array = asked({CKA.LABEL: 5})
    assert get(library, array) == CKR.OBJECT_HANDLE_INVALID
    assert values(array) == [b"\xee" * 5]


def test_an_application_s_memory_is_not_sent(library: Library) -> None:
    library.answers = object_with({CKA.LABEL: b"x"})
    assert get(library, asked({CKA.LABEL: 100})) == CKR.OK
    assert library.last().control[24:] == bytes(100)


def test_an_empty_template_is_a_question_too(library: Library) -> None:
    library.answer(Answer(output=u32(0, 0)))
    assert library.call("C_GetAttributeValue", 1, 2, None, 0) == CKR.OK
    assert library.last().control == u32(1, 2, 0, 0)


NESTED = u32(21, 2, CKA.CLASS, 4, 4) + u32(CKA.SENSITIVE, 1) + b"\1"


def test_a_nested_template_tells_its_size_in_the_application_s_terms(library: Library) -> None:
    library.answers = object_with({CKA.WRAP_TEMPLATE: NESTED, CKA.TOKEN: b"\1"})
    array = asked({CKA.WRAP_TEMPLATE: None, CKA.TOKEN: 1})
    assert get(library, array) == CKR.OK
    assert values(array) == [2 * ctypes.sizeof(Attribute), b"\1"]


def test_a_nested_template_fills_the_application_s_attributes(library: Library) -> None:
    library.answers = object_with({CKA.WRAP_TEMPLATE: NESTED})
    inner = asked({CKA.VALUE: 8, CKA.VALUE_LEN: 1})
    outer = asked({CKA.WRAP_TEMPLATE: None})
    outer[0].value, outer[0].length = ctypes.addressof(inner), ctypes.sizeof(inner)
    assert get(library, outer) == CKR.OK
    assert [attribute.type for attribute in inner] == [CKA.CLASS, CKA.SENSITIVE]
    assert values(inner) == [struct.pack("L", 4), b"\1"]
    outer[0].length = ctypes.sizeof(Attribute)
    assert get(library, outer) == CKR.BUFFER_TOO_SMALL
    assert outer[0].length == UNAVAILABLE


def test_optee_s_application_does_not_give_nested_templates(library: Library) -> None:
    library.answer(Answer(CKR.ATTRIBUTE_TYPE_INVALID, u32(8, 1, CKA.WRAP_TEMPLATE, 0)))
    array = asked({CKA.WRAP_TEMPLATE: None})
    assert get(library, array) == CKR.ATTRIBUTE_TYPE_INVALID
    assert values(array) == [None]


@pytest.mark.parametrize(
    "output",
    [
        u32(16, 1, CKA.LABEL, 2) + b"ab",
        u32(12, 2, CKA.LABEL, 2) + b"abcd",
        u32(13, 1, CKA.LABEL, 2) + b"abcd",
        u32(12, 1, CKA.ID, 2) + b"abcd",
        b"",
        bytes(21),
    ],
)
def test_a_reply_of_another_layout_is_a_device_error(library: Library, output: bytes) -> None:
    for rv in (CKR.OK, CKR.ATTRIBUTE_SENSITIVE, CKR.BUFFER_TOO_SMALL):
        library.answer(Answer(rv, output))
        assert get(library, asked({CKA.LABEL: 4})) == CKR.DEVICE_ERROR


def test_a_value_never_overruns_the_buffer_whatever_size_is_told(library: Library) -> None:
    for size in (5, 100, 2**32 - 2):
        library.answer(Answer(output=u32(12, 1, CKA.LABEL, size) + b"abcd"))
        array = asked({CKA.LABEL: 4})
        assert get(library, array) == CKR.BUFFER_TOO_SMALL
        assert array.keep[0].raw == b"\xee" * 5


def test_templates_name_what_they_find(library: Library) -> None:
    assert library.call("C_FindObjectsInit", 1, *template([(CKA.LABEL, b"")])) == CKR.OK
    assert library.last().control == u32(1, 8, 1, CKA.LABEL, 0)


@pytest.mark.parametrize(
    "wire",
    [
        u32(8, 1, CKA.LABEL, 1),
        u32(8, 1, CKA.LABEL, WIRE_UNAVAILABLE),
        u32(9, 1, CKA.LABEL, 0) + b"x",
        u32(7, 1, CKA.LABEL, 0),
        u32(8, 2, CKA.LABEL, 0),
        u32(0, 1),
        u32(0, WIRE_UNAVAILABLE),
    ],
)
def test_a_nested_template_that_is_cut_or_too_long_is_a_device_error(library: Library, wire: bytes) -> None:
    library.answers = object_with({CKA.WRAP_TEMPLATE: wire})
    inner, outer = asked({CKA.VALUE: 8, CKA.VALUE_LEN: 1}), asked({CKA.WRAP_TEMPLATE: None})
    outer[0].value, outer[0].length = ctypes.addressof(inner), ctypes.sizeof(inner)
    assert get(library, outer) == CKR.DEVICE_ERROR
