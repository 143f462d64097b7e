# SPDX-License-Identifier: Apache-2.0
"""C_GetAttributeValue is one command at most: what is asked next has come with it, and falls when it should."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from native.round_trips.calls_in_one_round_trip import AES, DATA, ready, sign
from native.round_trips.worlds import Client, World
from softee.names import CKA, CKM, CKO, CKR

AHEAD, ASKED = "GET_ATTRIBUTES_AHEAD", "GET_ATTRIBUTE_VALUE"
USUAL = (CKA.CLASS, CKA.LABEL, CKA.ID)
UNKNOWN = 0x8000_1234
LABEL = b"a label that stands nowhere else"


def labelled(client: Client, session: int, *, private: bool = False, token: bool = True) -> int:
    template = [*AES, (CKA.TOKEN, token), (CKA.PRIVATE, private), (CKA.LABEL, LABEL), (CKA.SENSITIVE, False)]
    rv, key = client.create(session, [*template, (CKA.EXTRACTABLE, True)])
    assert rv == CKR.OK
    assert isinstance(key, int)
    return key


def test_sizes_and_then_values_take_one_round_trip(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    key = labelled(client, session)
    shown.asked.clear()
    rv, sizes = client.read(session, key, *USUAL)
    assert (rv, [size for size, _ in sizes]) == (CKR.OK, [8, len(LABEL), 0])
    rv, (_, (size, label), _) = client.read(session, key, *USUAL, room=64)
    assert (rv, size, label[: len(LABEL)]) == (CKR.OK, len(LABEL), LABEL)
    assert client.read(session, key, CKA.ID, CKA.CLASS, room=8)[0] == CKR.OK
    assert shown.asked == [AHEAD]


@pytest.mark.parametrize("room", [2, 64])
def test_a_search_s_objects_are_told_of_together(shown: World, room: int) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    keys = [labelled(client, session, private=bool(number % 2)) for number in range(34)]
    shown.asked.clear()
    _, _, *found, _ = client.find(session, [(CKA.LABEL, LABEL)], room, *[2] * 32)
    assert sorted(key for key in found if isinstance(key, int) and key) == sorted(keys)
    for key in keys:
        for each in (None, 64):
            assert client.read(session, key, *USUAL, room=each)[0] == CKR.OK
    assert shown.asked == ["FIND_OBJECTS_START", AHEAD, AHEAD, AHEAD]


@pytest.mark.parametrize(
    ("types", "room", "expected"),
    [
        (USUAL, 64, CKR.OK),
        ((), None, CKR.OK),
        ((CKA.VALUE, CKA.CLASS), 64, CKR.OK),
        ((CKA.CLASS, UNKNOWN, CKA.LABEL), 64, CKR.ATTRIBUTE_TYPE_INVALID),
        ((UNKNOWN, CKA.LABEL), 8, CKR.BUFFER_TOO_SMALL),
        ((CKA.LABEL, UNKNOWN), 8, CKR.BUFFER_TOO_SMALL),
    ],
)
def test_it_is_one_command_whatever_is_asked_for(
    shown: World, types: tuple[int, ...], room: int | None, expected: CKR
) -> None:
    """PKCS#11 3.2 §5.7.5: what can be given is, whatever is wrong with the rest."""
    client = shown.clients[0]
    session, _ = ready(client)
    key = labelled(client, session)
    for times in (1, 2):
        shown.asked.clear()
        rv, given = client.read(session, key, *types, room=room)
        assert rv == expected
        assert [size for kind, (size, _) in zip(types, given, strict=True) if kind == CKA.CLASS] == [8] * types.count(0)
        assert len(shown.asked) <= 1
        assert times == 2 or len(shown.asked) == 1


def test_what_is_sensitive_is_refused_beside_what_is_given(shown: World) -> None:
    """PKCS#11 3.2 §5.7.5: CKR_ATTRIBUTE_SENSITIVE, and the other attributes with it."""
    client = shown.clients[0]
    session, _ = ready(client)
    rv, key = client.create(session, [*AES, (CKA.SENSITIVE, True)])
    assert rv == CKR.OK
    assert isinstance(key, int)
    for _ in range(2):
        shown.asked.clear()
        rv, ((size, _), (other, _)) = client.read(session, key, CKA.VALUE, CKA.VALUE_LEN, room=16)
        assert (rv, size, other) == (CKR.ATTRIBUTE_SENSITIVE, 2**64 - 1, 8)
        assert len(shown.asked) == 1


def test_a_key_s_value_is_asked_for_each_time(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    key = labelled(client, session)
    shown.asked.clear()
    assert client.read(session, key, CKA.VALUE, CKA.CLASS)[0] == CKR.OK
    for _ in range(2):
        assert client.read(session, key, CKA.VALUE, CKA.CLASS, room=16)[0] == CKR.OK
    assert client.read(session, key, CKA.CLASS, room=16)[0] == CKR.OK
    assert shown.asked == [AHEAD, ASKED, ASKED]


LOADED, WRITABLE = 1, 2
"""Of a segment in an ELF file: its type, a flag."""


def memory_of(client: Client) -> bytes:
    """Return the library's variables, as the process has them: its own alone, whatever the kernel has mapped beside."""
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    path = str(client.library.path)
    base = next(int(line[0].partition("-")[0], 16) for line in maps if len(line) > 5 and line[5] == path)
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:

        def read(place: int, room: int) -> bytes:
            memory.seek(base + place)
            return memory.read(room)

        head = read(0, 4096)
        (begin,), (size, count) = struct.unpack_from("<Q", head, 32), struct.unpack_from("<2H", head, 54)
        segments = [struct.unpack_from("<2I5Q", head, begin + number * size) for number in range(count)]
        variables = [(at, room) for kind, flags, _, at, _, _, room in segments if kind == LOADED and flags & WRITABLE]
        assert variables
        return b"".join(read(*one) for one in variables)


FALLS: dict[str, Callable[[Client, int, int], int]] = {
    "C_Logout": lambda client, session, _: client.call("C_Logout", session),
    "C_CloseSession of another": lambda client, _, __: client.call("C_CloseSession", client.sessions[-1]),
    "C_SetAttributeValue": lambda client, session, key: int(str(client.change(session, key, [(CKA.ID, b"1")])[0])),
    "C_Finalize": lambda client, _, __: client.call("C_Finalize", None),
}


@pytest.mark.parametrize("fall", FALLS)
def test_what_was_told_is_wiped_when_it_falls(shown: World, fall: str) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    client.sessions.append(client.open())
    key = labelled(client, session, private=True)
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    assert len(re.findall(LABEL, memory_of(client))) == 1
    assert FALLS[fall](client, session, key) == CKR.OK
    assert LABEL not in memory_of(client)


def test_a_key_s_value_does_not_stay_in_the_library(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    value = b"sixteen secrets!"
    template = [one for one in AES if one[0] != CKA.VALUE]
    rv, key = client.create(session, [*template, (CKA.VALUE, value), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True)])
    assert rv == CKR.OK
    assert isinstance(key, int)
    assert client.read(session, key, CKA.VALUE, CKA.CLASS)[0] == CKR.OK
    rv, ((_, given), _) = client.read(session, key, CKA.VALUE, CKA.CLASS, room=16)
    assert (rv, given) == (CKR.OK, value)
    assert value not in memory_of(client)


def test_a_logout_ends_what_was_told_of_private_objects(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    key = labelled(client, session, private=True)
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    assert client.call("C_Logout", client.open()) == CKR.OK
    assert client.read(session, key, *USUAL)[0] == CKR.OBJECT_HANDLE_INVALID


@pytest.mark.parametrize("what", ["change", "destroy"])
def test_another_process_s_change_is_seen_at_once(shown: World, what: str) -> None:
    client, other = shown.clients
    session, _ = ready(client)
    key = labelled(client, session)
    theirs = other.open()
    assert other.login(theirs) == CKR.OK
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    if what == "change":
        assert other.change(theirs, key, [(CKA.LABEL, b"new")]) == (CKR.OK,)
        rv, (_, (size, _), _) = client.read(session, key, *USUAL)
        assert (rv, size) == (CKR.OK, 3)
    else:
        assert other.call("C_DestroyObject", theirs, key) == CKR.OK
        assert client.read(session, key, *USUAL)[0] == CKR.OBJECT_HANDLE_INVALID


def test_another_session_s_change_of_a_session_object_is_seen_at_once(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    key = labelled(client, session, token=False)
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    assert client.change(client.open(), key, [(CKA.LABEL, b"new")]) == (CKR.OK,)
    assert client.read(session, key, *USUAL)[1][1][0] == 3


def test_what_changes_no_object_leaves_what_was_told(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    sign(client, session, key)
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    shown.asked.clear()
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OK
    assert client.read(session, key, *USUAL)[0] == CKR.OK
    assert shown.asked == ["SIGN_AGAIN"]


def test_more_types_and_sessions_than_are_remembered_are_answered_as_ever(shown: World) -> None:
    client = shown.clients[0]
    _, key = ready(client)
    sessions = [client.open() for _ in range(20)]
    for session in (*sessions, *sessions):
        for kind in range(UNKNOWN, UNKNOWN + 40):
            assert client.read(session, key, kind)[0] == CKR.ATTRIBUTE_TYPE_INVALID
        assert client.read(session, key, *range(UNKNOWN, UNKNOWN + 40))[0] == CKR.ATTRIBUTE_TYPE_INVALID
        assert client.read(session, key, *USUAL)[0] == CKR.OK


def test_a_secure_world_that_shows_no_changes_is_asked_each_time(hidden: World) -> None:
    client = hidden.clients[0]
    session, key = ready(client)
    hidden.asked.clear()
    for room in (None, 64):
        assert client.read(session, key, *USUAL, room=room)[0] == CKR.OK
    assert hidden.asked == [ASKED, ASKED]


def test_large_values_are_asked_for_and_their_sizes_too(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    rv, large = client.create(session, [(CKA.CLASS, CKO.DATA), (CKA.APPLICATION, bytes(1025))])
    assert rv == CKR.OK
    assert isinstance(large, int)
    shown.asked.clear()
    for room in (None, 1025, 1025):
        assert client.read(session, large, CKA.APPLICATION, room=room)[1][0][0] == 1025
    assert shown.asked == [AHEAD, ASKED, ASKED]
