# SPDX-License-Identifier: Apache-2.0
"""What libckteec asks of a secure world whose change counters it sees, and which then answers this or that."""

import ctypes
import struct
from ctypes import byref, c_uint64, c_ulong

import pytest

from native.ckteec_suite.support import Answer, Library, Mechanism, Sent, too_small
from softee.names import CKM, CKR, TeeResult
from softee.pkcs11_ta.abi.commands import objects, resuming, signatures

START, INIT = resuming.SIGN_START.number, signatures.SIGN_INIT.number
AGAIN, ONE_SHOT = resuming.SIGN_AGAIN.number, signatures.SIGN_ONESHOT.number
SEARCH, FIND_INIT = resuming.FIND_OBJECTS_START.number, objects.FIND_OBJECTS_INIT.number
FIRST_OF_OURS = 0x1000
RESUMABLE = 1


def started(count: int = 5, place: int = 0, size: int = 4, flags: int = RESUMABLE) -> Answer:
    return Answer(output=struct.pack("<IIIQ", size, flags, place, count))


def init(library: Library, session: int = 7) -> int:
    return library.call("C_SignInit", session, byref(Mechanism(CKM.AES_CMAC, None, 0)), 9)


def sign(library: Library, session: int = 7) -> int:
    signature, size = ctypes.create_string_buffer(4), c_ulong(4)
    return library.call("C_Sign", session, b"data", 4, signature, byref(size))


def commands(library: Library) -> list[int]:
    sent = [one.command for one in library.sent]
    library.sent.clear()
    return sent


@pytest.mark.usefixtures("counters")
def test_a_secure_world_that_lacks_the_commands_is_asked_once(library: Library) -> None:
    """It gets just what OP-TEE's library would have sent."""

    def as_optee(sent: Sent) -> Answer:
        return Answer(result=TeeResult.NOT_SUPPORTED) if sent.command >= FIRST_OF_OURS else Answer()

    library.answers = as_optee
    assert init(library) == CKR.OK
    assert [(one.command, one.capacity) for one in library.sent] == [(START, 20), (INIT, None)]
    assert library.sent[0].control == library.sent[1].control
    library.sent.clear()
    assert (sign(library), init(library)) == (CKR.OK, CKR.OK)
    assert library.call("C_FindObjectsInit", 7, None, 0) == CKR.OK
    assert commands(library) == [ONE_SHOT, INIT, FIND_INIT]


@pytest.mark.usefixtures("counters")
def test_a_search_is_begun_as_ever_where_the_commands_are_lacking(library: Library) -> None:
    library.answer(Answer(result=TeeResult.NOT_SUPPORTED), Answer())
    assert library.call("C_FindObjectsInit", 7, None, 0) == CKR.OK
    first, second = library.sent
    assert (first.command, second.command) == (SEARCH, FIND_INIT)
    assert first.control == second.control + bytes(4)
    assert second.capacity is None


def test_what_the_counter_says_decides(library: Library, counters: ctypes.Array[c_uint64]) -> None:
    library.answer(started(), Answer(output=bytes(4)))
    assert (init(library), sign(library), init(library), sign(library)) == (CKR.OK,) * 4
    assert commands(library) == [START, ONE_SHOT, AGAIN]
    counters[0] = 6
    library.answer(started(6), Answer(output=bytes(4)))
    assert (init(library), sign(library), init(library)) == (CKR.OK,) * 3
    assert commands(library) == [START, ONE_SHOT]


@pytest.mark.usefixtures("counters")
@pytest.mark.parametrize("answer", [started(place=1), started(place=2**32 - 1), started(count=4), started(flags=0)])
def test_what_makes_no_sense_or_is_not_to_be_resumed_is_asked_for_each_time(library: Library, answer: Answer) -> None:
    for _ in range(2):
        library.answer(answer, Answer(output=bytes(4)))
        assert (init(library), sign(library)) == (CKR.OK, CKR.OK)
        assert commands(library) == [START, ONE_SHOT]


@pytest.mark.usefixtures("counters")
def test_after_an_error_it_is_begun_anew(library: Library) -> None:
    library.answer(started(), Answer(output=bytes(4)), Answer(CKR.DATA_LEN_RANGE), started(), Answer(output=bytes(4)))
    assert (init(library), sign(library), init(library)) == (CKR.OK,) * 3
    assert (sign(library), init(library), sign(library)) == (CKR.DATA_LEN_RANGE, CKR.OK, CKR.OK)
    assert commands(library) == [START, ONE_SHOT, AGAIN, START, ONE_SHOT]


@pytest.mark.usefixtures("counters")
def test_a_buffer_that_is_too_small_leaves_it_active(library: Library) -> None:
    library.answer(started(size=0), Answer(output=bytes(4)), too_small(8), Answer(output=bytes(4)))
    assert (init(library), sign(library), init(library)) == (CKR.OK,) * 3
    assert (sign(library), sign(library), init(library)) == (CKR.BUFFER_TOO_SMALL, CKR.OK, CKR.OK)
    assert commands(library) == [START, ONE_SHOT, AGAIN, ONE_SHOT]


@pytest.mark.usefixtures("counters")
def test_a_lost_call_ends_all_that_is_answered_here(library: Library) -> None:
    """It may still be on its way, and change something when nobody expects it any more."""
    library.answer(started(), Answer(output=bytes(4)), Answer(result=TeeResult.COMMUNICATION, origin=2), Answer())
    assert (init(library), sign(library)) == (CKR.OK, CKR.OK)
    assert library.call("C_DestroyObject", 3, 9) == CKR.DEVICE_ERROR
    assert init(library) == CKR.OK
    assert commands(library)[3:] == [INIT]


@pytest.mark.usefixtures("counters")
@pytest.mark.parametrize(
    "output", [b"", bytes(3), struct.pack("<I", 129), struct.pack("<2I", 2, 5), struct.pack("<3I", 1, 5, 6)]
)
def test_handles_that_are_not_all_there_are_asked_for(library: Library, output: bytes) -> None:
    library.answer(Answer(output=output), Answer(output=bytes(4)))
    found, count = (c_ulong * 4)(), c_ulong()
    assert library.call("C_FindObjectsInit", 7, None, 0) == CKR.OK
    assert library.call("C_FindObjects", 7, found, 4, byref(count)) == CKR.OK
    assert commands(library) == [SEARCH, objects.FIND_OBJECTS.number]
