# SPDX-License-Identifier: Apache-2.0
"""What libckteec makes of attributes that a secure world tells ahead, honest or not."""

import ctypes
import struct
from ctypes import c_uint64

import pytest

from native.ckteec_suite.calls_counters import FIRST_OF_OURS, commands
from native.ckteec_suite.support import UNAVAILABLE, Answer, Library, Sent, template, too_small
from softee.names import CKA, CKR, TeeResult
from softee.pkcs11_ta.abi.commands import objects, resuming
from softee.pkcs11_ta.abi.template import ValueSlot, encode_slots

AHEAD, GET = resuming.GET_ATTRIBUTES_AHEAD.number, objects.GET_ATTRIBUTE_VALUE.number
KEY = 9
ROOM = 8

pytestmark = pytest.mark.usefixtures("counters")


def own(size: int = 5) -> bytes:
    """The answer to a question for the label's size."""
    return encode_slots([ValueSlot(CKA.LABEL, b"", bytes(size))])


def told(*attributes: bytes, handle: int = KEY) -> bytes:
    return struct.pack("<II", handle, len(b"".join(attributes))) + b"".join(attributes)


def attribute(kind: int, value: bytes | None) -> bytes:
    return struct.pack("<II", kind, 2**32 - 1 if value is None else len(value)) + (value or b"")


LABEL = attribute(CKA.LABEL, b"abcde")


def ahead(*objects: bytes, place: int = 0, count: int = 5) -> bytes:
    return own() + struct.pack("<IQ", place, count) + b"".join(objects)


def read(library: Library, kind: int = CKA.LABEL, *, room: int = 0, session: int = 7) -> tuple[int, int, bytes]:
    """Ask for an attribute's size, or for its value."""
    made, count = template([(kind, bytes(room))])
    rv = library.call("C_GetAttributeValue", session, KEY, made, count)
    return rv, made[0].length, made.keep[0].raw


def answered(library: Library, answer: bytes, rv: int = CKR.OK) -> None:
    library.answer(Answer(rv, output=answer), Answer(output=own()))
    library.sent.clear()


def test_a_secure_world_that_lacks_the_command_is_asked_once(library: Library) -> None:
    """It gets just what OP-TEE's library would have sent."""

    def as_optee(sent: Sent) -> Answer:
        return Answer(result=TeeResult.NOT_SUPPORTED) if sent.command >= FIRST_OF_OURS else Answer(output=own())

    library.answers = as_optee
    assert read(library) == (CKR.OK, 5, b"")
    first, second = library.sent
    assert (first.command, second.command, second.capacity) == (AHEAD, GET, len(own()))
    assert first.control == second.control + struct.pack("<3I", 0, 4, CKA.LABEL)
    library.sent.clear()
    assert read(library) == (CKR.OK, 5, b"")
    assert commands(library) == [GET]


def test_what_was_told_is_given_while_the_counter_stands(library: Library, counters: ctypes.Array[c_uint64]) -> None:
    answered(library, ahead(told(attribute(CKA.ID, None), LABEL)))
    assert read(library) == (CKR.OK, 5, b"")
    assert read(library, room=ROOM) == (CKR.OK, 5, b"abcde" + bytes(3))
    assert read(library, room=4) == (CKR.BUFFER_TOO_SMALL, UNAVAILABLE, bytes(4))
    assert read(library, CKA.ID, room=4) == (CKR.ATTRIBUTE_TYPE_INVALID, UNAVAILABLE, bytes(4))
    assert commands(library) == [AHEAD]
    counters[0] = 6
    assert read(library) == (CKR.OK, 5, b"")
    assert commands(library) == [AHEAD]


@pytest.mark.parametrize(
    "answer",
    [
        own(),
        own() + bytes(11),
        ahead(),
        ahead(told(LABEL), place=1),
        ahead(told(LABEL), place=2**32 - 1),
        ahead(told(LABEL), count=4),
        ahead(told(LABEL, handle=KEY + 1)),
        ahead(told(LABEL)[:-1]),
        ahead(bytes(7)),
        ahead(struct.pack("<II", KEY, 2**32 - 1)),
        ahead(struct.pack("<II", KEY + 1, 2**32 - 8), told(LABEL)),
    ],
)
def test_what_makes_no_sense_or_is_no_longer_true_is_asked_for_each_time(library: Library, answer: bytes) -> None:
    for _ in range(2):
        answered(library, answer)
        assert read(library) == (CKR.OK, 5, b"")
        assert commands(library) == [AHEAD]


@pytest.mark.parametrize(
    "attributes",
    [b"", LABEL[:-1], struct.pack("<II", CKA.LABEL, 2**32 - 2), struct.pack("<II", CKA.ID, 9) + LABEL[:8], bytes(3)],
)
def test_a_value_that_is_not_all_there_is_asked_for(library: Library, attributes: bytes) -> None:
    answered(library, ahead(told(attributes)))
    assert [read(library) for _ in range(2)] == [(CKR.OK, 5, b"")] * 2
    assert commands(library) == [AHEAD, GET]


@pytest.mark.parametrize("size", [0, 11, len(own()) - 1])
def test_an_answer_without_what_was_asked_for_is_an_error(library: Library, size: int) -> None:
    answered(library, ahead(told(LABEL))[:size])
    assert read(library)[0] == CKR.DEVICE_ERROR
    assert commands(library) == [AHEAD]


def test_an_answer_larger_than_its_place_is_an_error(library: Library) -> None:
    library.answer(too_small(2**20))
    assert read(library)[0] == CKR.DEVICE_ERROR


@pytest.mark.parametrize("rv", [CKR.OBJECT_HANDLE_INVALID, CKR.SESSION_HANDLE_INVALID, CKR.DEVICE_ERROR])
def test_a_refusal_is_the_answer(library: Library, rv: CKR) -> None:
    answered(library, b"", rv)
    assert read(library)[0] == rv
    assert commands(library) == [AHEAD]


def test_a_lost_question_is_not_asked_again(library: Library) -> None:
    library.answer(Answer(result=TeeResult.COMMUNICATION, origin=2), Answer(output=own()))
    assert read(library)[0] == CKR.DEVICE_ERROR
    assert commands(library) == [AHEAD]
    assert read(library)[0] == CKR.OK
    assert commands(library) == [GET]


def test_questions_with_much_room_are_asked_as_ever(library: Library) -> None:
    library.answers = lambda sent: Answer(CKR.OBJECT_HANDLE_INVALID, output=bytes(sent.capacity or 0))
    assert read(library, room=5000)[0] == CKR.OBJECT_HANDLE_INVALID
    assert commands(library) == [GET]


def test_another_session_s_question_takes_the_place(library: Library) -> None:
    """16 sessions have one each."""
    answered(library, ahead(told(LABEL)))
    assert (read(library)[0], read(library, session=7 + 16)[0], read(library)[0]) == (CKR.OK,) * 3
    assert commands(library) == [AHEAD, AHEAD, AHEAD]
