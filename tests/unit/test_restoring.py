# SPDX-License-Identifier: Apache-2.0
"""RESTORE_SESSIONS and KEEP_LOGIN: what a client gets back in the next secure world, and what not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from softee.names import CKA, CKR, CKU, SessionFlag
from softee.pkcs11_ta.abi.restored import SavedLogin, SavedSession
from softee.pkcs11_ta.session.tickets import NoLogins
from softee.stores.base import StoreError
from support.commands import c
from support.tickets import FIRST_OBJECT, PROCESS, Comeback, comeback, keep_login, restore, restored
from support.token_world import SO_PIN, USER_PIN, Caller, make_application, public_client

RW = int(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)
RO = int(SessionFlag.SERIAL_SESSION)


@pytest.fixture
def world() -> Iterator[Comeback]:
    with comeback() as made:
        yield made


def info(caller: Caller, session: int) -> CKR:
    return caller.call(c.SESSION_INFO, session).rv


def test_sessions_come_back_under_their_handles_with_their_flags(world: Comeback) -> None:
    before = world.caller()
    saved = [SavedSession(before.open(slot, flags), slot, flags) for slot, flags in ((0, RW), (1, RO), (0, RO))]
    told = [before.ok(c.SESSION_INFO, session.handle).output for session in saved]
    world.restart()
    after = world.caller()
    assert sorted(restored(restore(after, saved))) == [session.handle for session in saved]
    assert [after.ok(c.SESSION_INFO, session.handle).output for session in saved] == told
    assert after.open() == 1 + max(session.handle for session in saved)


def test_a_login_comes_back_with_its_private_handles(world: Comeback) -> None:
    before = world.caller()
    session = before.set_up()
    key = before.aes_key(session, (CKA.PRIVATE, True), token=True)
    login = keep_login(before, session)
    world.restart()
    after = world.caller()
    assert restored(restore(after, [SavedSession(session, 0, RW)], [login])) == [session]
    after.ok(c.GET_OBJECT_SIZE, session, key)
    assert after.login(session) is CKR.USER_ALREADY_LOGGED_IN


def test_the_so_comes_back_with_read_write_sessions_alone(world: Comeback) -> None:
    before = world.caller()
    session = before.set_up()
    assert before.logout(session) is CKR.OK
    assert before.login(session, CKU.SO, SO_PIN) is CKR.OK
    login = keep_login(before, session, CKU.SO)
    world.restart()
    after = world.caller()
    saved = [SavedSession(session, 0, RW), SavedSession(session + 1, 0, RO)]
    assert restored(restore(after, saved, [login])) == [session]
    assert after.init_pin(session) is CKR.OK


def test_where_a_login_is_no_more_no_session_of_its_token_is(world: Comeback) -> None:
    before = world.caller()
    session = before.set_up()
    login = keep_login(before, session)
    world.restart()
    after = world.caller()
    saved = [SavedSession(session, 0, RW), SavedSession(9, 1, RW)]
    assert restored(restore(after, saved, [login._replace(ticket=b"")])) == [9]
    assert info(after, session) is CKR.SESSION_HANDLE_INVALID
    assert after.login(after.open()) is CKR.OK


def test_an_earlier_logins_handles_name_nothing_in_a_later_one(world: Comeback) -> None:
    before = world.caller()
    session = before.set_up()
    key = before.aes_key(session, (CKA.PRIVATE, True), token=True)
    login = keep_login(before, session)
    before.aes_key(session, (CKA.PRIVATE, True), token=True)
    world.restart()
    after = world.caller()
    restore(after, [], [login._replace(ticket=b"")])
    again = after.open()
    assert after.login(again) is CKR.OK
    assert after.call(c.GET_OBJECT_SIZE, again, key).rv is CKR.OBJECT_HANDLE_INVALID
    assert keep_login(after, again).base > login.base


def test_session_objects_begin_above_all_that_there_were(world: Comeback) -> None:
    after = world.caller()
    restore(after, [SavedSession(1, 0, RW)], first=(2, FIRST_OBJECT + 5))
    assert after.init_token() is CKR.SESSION_EXISTS
    after.ok(c.CLOSE_SESSION, 1)
    session = after.set_up()
    assert after.aes_key(session) == FIRST_OBJECT + 5


def test_a_login_that_comes_back_with_no_session_ends(world: Comeback) -> None:
    before = world.caller()
    session = before.set_up()
    login = keep_login(before, session)
    world.restart()
    assert restored(restore(world.caller(), [SavedSession(session, 0, RW)] * 0, [login])) == []
    again = world.caller()
    assert restored(restore(again, [SavedSession(session, 0, RW)], [login])) == []


def test_whoever_is_not_logged_in_keeps_no_login(world: Comeback) -> None:
    caller = world.caller()
    assert caller.call(c.KEEP_LOGIN, caller.open()).rv is CKR.USER_NOT_LOGGED_IN


def test_a_ticket_that_does_not_fit_is_not_given(world: Comeback) -> None:
    caller = world.caller()
    session = caller.set_up()
    assert caller.call(c.KEEP_LOGIN, session, capacity=7).rv is CKR.BUFFER_TOO_SMALL
    assert len(keep_login(caller, session).ticket) > 32


def test_restoring_needs_room_for_the_answer(world: Comeback) -> None:
    caller = world.caller()
    control = c.RESTORE_SESSIONS.encode(c.RESTORE_SESSIONS.request(2, FIRST_OBJECT, (SavedSession(1, 0, RW),), ()))
    assert caller.send(c.RESTORE_SESSIONS, control, capacity=3).rv is CKR.BUFFER_TOO_SMALL
    assert info(caller, 1) is CKR.SESSION_HANDLE_INVALID, "nothing was done"
    assert restored(restore(caller, [SavedSession(1, 0, RW)])) == [1]


def test_a_slot_whose_store_fails_keeps_the_others_from_nothing(
    world: Comeback, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = world.caller()
    real = world.application.slots.token

    def fails(slot: int) -> object:
        if slot == 0:
            raise StoreError("no such page")
        return real(slot)

    monkeypatch.setattr(world.application.slots, "token", fails)
    assert restored(restore(caller, [SavedSession(1, 0, RW), SavedSession(2, 1, RW)])) == [2]


def test_the_users_of_a_token_that_has_changed_its_pin_by_themselves_keep_their_login(world: Comeback) -> None:
    before = world.caller()
    session = before.set_up()
    stale = keep_login(before, session)
    assert before.set_pin(session, USER_PIN, b"another") is CKR.OK
    fresh = keep_login(before, session)
    world.restart()
    saved = [SavedSession(session, 0, RW)]
    assert restored(restore(world.caller(), saved, [stale])) == []
    assert restored(restore(world.caller(), saved, [fresh])) == [session]


def test_no_ticket_is_a_login_without_a_secret(world: Comeback) -> None:
    caller = world.caller()
    session = caller.set_up()
    login: SavedLogin = keep_login(caller, session)
    user_key = world.application.slots.token(0).user_key
    assert user_key is not None
    assert bytes(user_key) not in login.ticket


def test_a_login_that_cannot_be_noted_gets_no_ticket(world: Comeback) -> None:
    caller = world.caller()
    session = caller.set_up()
    world.keeper.fails = True
    assert keep_login(caller, session).ticket == b""
    world.keeper.fails = False
    assert keep_login(caller, session).ticket


def test_where_nothing_outlives_the_secure_world_no_login_is_alive() -> None:
    caller = Caller(make_application(), replace(public_client(), process=PROCESS))
    session = caller.set_up()
    login = keep_login(caller, session)
    assert login.ticket == b""
    assert caller.logout(session) is CKR.OK
    nothing = NoLogins()
    assert not nothing.put(b"", b"", 0)
    nothing.call(b"", 0)
    nothing.end(b"")
    assert nothing.last_call(b"") is None
    assert restored(restore(Caller(caller.application), [SavedSession(1, 0, RW)], [login])) == []
