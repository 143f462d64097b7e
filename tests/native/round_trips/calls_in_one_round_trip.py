# SPDX-License-Identifier: Apache-2.0
"""How often the secure world is asked: once for an operation that is the same as the one before it."""

from native.round_trips.worlds import Client, Template, World
from softee.names import CKA, CKK, CKM, CKO, CKR

AES: Template = [
    (CKA.CLASS, CKO.SECRET_KEY),
    (CKA.KEY_TYPE, CKK.AES),
    (CKA.SIGN, True),
    (CKA.VERIFY, True),
    (CKA.ENCRYPT, True),
    (CKA.DECRYPT, True),
    (CKA.VALUE, bytes(16)),
]
IV = bytes(range(16))
DATA = bytes(32)


def ready(client: Client, *, token: bool = False) -> tuple[int, int]:
    """Return a session in which the user is logged in, and a key."""
    session = client.open()
    assert client.login(session) == CKR.OK
    rv, key = client.create(session, [*AES, (CKA.TOKEN, token), (CKA.PRIVATE, False)])
    assert rv == CKR.OK
    assert isinstance(key, int)
    return session, key


def sign(client: Client, session: int, key: int) -> None:
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OK


def test_the_same_signature_again_takes_one_round_trip(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    shown.asked.clear()
    for _ in range(3):
        sign(client, session, key)
    assert shown.asked == ["SIGN_START", "SIGN_ONESHOT", "SIGN_AGAIN", "SIGN_AGAIN"]


def test_every_function_in_one_part_takes_one_round_trip(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    mac = b""
    for function, kind, parameter in (
        ("C_Encrypt", CKM.AES_CBC, IV),
        ("C_Decrypt", CKM.AES_CBC, IV),
        ("C_Sign", CKM.AES_CMAC, b""),
        ("C_Digest", CKM.SHA256, b""),
        ("C_Verify", CKM.AES_CMAC, b""),
    ):
        shown.asked.clear()
        for _ in range(3):
            keys = () if function == "C_Digest" else (key,)
            assert client.init(function, session, kind, parameter, *keys) == (CKR.OK,)
            if function == "C_Verify":
                assert client.take(function, session, DATA, mac) == (CKR.OK,)
                continue
            rv, _, output = client.give(function, session, DATA, 64)
            assert rv == CKR.OK
            mac = output if function == "C_Sign" and isinstance(output, bytes) else mac
        name = function[2:].upper()
        assert shown.asked == [f"{name}_START", f"{name}_ONESHOT", f"{name}_AGAIN", f"{name}_AGAIN"]


def test_the_size_of_a_signature_is_known(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    sign(client, session, key)
    shown.asked.clear()
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert client.give("C_Sign", session, DATA, None) == (CKR.OK, 16, b"")
    assert client.give("C_Sign", session, DATA, 15) == (CKR.BUFFER_TOO_SMALL, 16, b"")
    assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OK
    assert shown.asked == ["SIGN_AGAIN"]


def test_the_size_of_a_signature_of_parts_is_known(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    shown.asked.clear()
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert client.take("C_SignUpdate", session, DATA) == (CKR.OK,)
    assert client.give("C_SignFinal", session, None, None) == (CKR.OK, 16, b"")
    assert client.give("C_SignFinal", session, None, 16)[0] == CKR.OK
    assert shown.asked == ["SIGN_START", "SIGN_UPDATE", "SIGN_FINAL"]


def test_what_goes_on_otherwise_is_begun_first(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    sign(client, session, key)
    shown.asked.clear()
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert shown.asked == []
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OPERATION_ACTIVE,)
    assert client.take("C_SignUpdate", session, DATA) == (CKR.OK,)
    assert shown.asked == ["RESUME", "SIGN_START", "SIGN_UPDATE"]


def test_another_client_s_change_is_seen_at_once(shown: World) -> None:
    client, other = shown.clients
    session, key = ready(client, token=True)
    sign(client, session, key)
    theirs = other.open()
    assert other.login(theirs) == CKR.OK
    assert other.change(theirs, key, [(CKA.SIGN, False)]) == (CKR.OK,)
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.KEY_FUNCTION_NOT_PERMITTED,)


def test_a_change_between_begin_and_end_comes_too_late_for_that_operation(shown: World) -> None:
    client, other = shown.clients
    session, key = ready(client, token=True)
    sign(client, session, key)
    theirs = other.open()
    assert other.login(theirs) == CKR.OK
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert other.call("C_DestroyObject", theirs, key) == CKR.OK
    assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OK
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.KEY_HANDLE_INVALID,)


def test_a_call_that_is_refused_on_this_side_ends_no_other_operation(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    sign(client, session, key)
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert client.call("C_Digest", session, None, 5, None, None) == CKR.ARGUMENTS_BAD
    assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OK
    assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
    assert client.call("C_Sign", session, None, 5, None, None) == CKR.ARGUMENTS_BAD
    assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OPERATION_NOT_INITIALIZED


def test_a_search_that_finds_few_takes_one_round_trip(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    shown.asked.clear()
    for _ in range(2):
        assert client.find(session, [(CKA.CLASS, CKO.SECRET_KEY)], 8, 8) == (CKR.OK, CKR.OK, key, CKR.OK, CKR.OK)
    assert shown.asked == ["FIND_OBJECTS_START"] * 2


def test_a_search_is_gone_on_with_while_its_objects_are_destroyed(shown: World) -> None:
    client = shown.clients[0]
    session, first = ready(client)
    rv, second = client.create(session, AES)
    assert rv == CKR.OK
    assert client.find_init(session, [(CKA.CLASS, CKO.SECRET_KEY)]) == (CKR.OK,)
    assert client.find_next(session, 1) == (CKR.OK, first)
    assert client.call("C_DestroyObject", session, first) == CKR.OK
    assert client.find_next(session, 8) == (CKR.OK, second)
    assert client.call("C_FindObjectsFinal", session) == CKR.OK
    assert client.call("C_FindObjectsFinal", session) == CKR.OPERATION_NOT_INITIALIZED


def test_a_search_that_has_ended_here_does_not_stand_in_its_own_way(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    template = [(CKA.CLASS, CKO.SECRET_KEY)]
    assert client.find(session, template, 8) == (CKR.OK, CKR.OK, key, CKR.OK)
    assert client.find_next(session, 8) == (CKR.OPERATION_NOT_INITIALIZED,)
    assert client.find_init(session, template) == (CKR.OK,)
    assert client.find_init(session, template) == (CKR.OPERATION_ACTIVE,)
    assert client.find_next(session, 8) == (CKR.OK, key)


def test_a_logout_ends_a_search_whose_handles_have_come(shown: World) -> None:
    client = shown.clients[0]
    session, _ = ready(client)
    assert client.find_init(session, [(CKA.CLASS, CKO.SECRET_KEY)]) == (CKR.OK,)
    assert client.call("C_Logout", client.open()) == CKR.OK
    assert client.find_next(session, 8) == (CKR.OPERATION_NOT_INITIALIZED,)


def test_sessions_beyond_those_that_are_followed_work_as_ever(shown: World) -> None:
    client = shown.clients[0]
    _, key = ready(client)
    sessions = [client.open() for _ in range(300)]
    for _ in range(2):
        for session in sessions:
            sign(client, session, key)
            assert client.init("C_Sign", session, CKM.AES_CMAC, b"", key) == (CKR.OK,)
        for session in sessions:
            assert client.give("C_Sign", session, DATA, 16)[0] == CKR.OK


def test_a_secure_world_that_shows_no_changes_is_asked_as_ever(hidden: World) -> None:
    client = hidden.clients[0]
    session, key = ready(client)
    hidden.asked.clear()
    for _ in range(2):
        sign(client, session, key)
    assert hidden.asked == ["SIGN_INIT", "SIGN_ONESHOT"] * 2
