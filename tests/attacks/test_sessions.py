# SPDX-License-Identifier: Apache-2.0
"""Attacks across clients: other clients' session handles, objects and operations are not there (invariant 2)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from softee.names import CKM, CKR, CKU
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import fields as fields_of_request
from support.commands import c
from support.token_world import SO_PIN, Caller, make_application, sessions_with, template, u32

SMALLEST = {
    "u32": bytes(4),
    "u32 size, bytes": bytes(4),
    "32 bytes": bytes(32),
    "PIN bytes": b"",
    "u32 attrs_size, u32 attrs_count, attributes": bytes(8),
}


@pytest.fixture
def victim() -> Caller:
    victim = Caller(make_application())
    for _ in range(3):
        victim.open()
    victim.ok(c.CLOSE_ALL_SESSIONS, 0)
    victim.set_up()
    return victim


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.in_session], ids=lambda one: one.name)
def test_another_client_s_session_is_no_session(victim: Caller, command: Command[object]) -> None:
    (session,) = sessions_with(victim.application.slots.token(0))
    attacker = Caller(victim.application)
    rest = b"".join(SMALLEST[field.layout] for _, field in fields_of_request(command.request)[1:])
    assert attacker.send(command, u32(session.handle) + rest).rv is CKR.SESSION_HANDLE_INVALID
    assert victim.call(c.SESSION_INFO, session.handle).rv is CKR.OK


def test_another_client_s_session_objects_are_not_there(victim: Caller) -> None:
    (session,) = sessions_with(victim.application.slots.token(0))
    key = victim.aes_key(session.handle)
    attacker = Caller(victim.application)
    mine = attacker.open()
    assert attacker.login(mine) is CKR.OK
    assert attacker.call(c.ENCRYPT_INIT, mine, key, CKM.AES_ECB, b"").rv is CKR.KEY_HANDLE_INVALID
    assert attacker.call(c.DESTROY_OBJECT, mine, key).rv is CKR.OBJECT_HANDLE_INVALID
    attacker.ok(c.FIND_OBJECTS_INIT, mine, template())
    assert attacker.ok(c.FIND_OBJECTS, mine).output == b""
    victim.ok(c.ENCRYPT_INIT, session.handle, key, CKM.AES_ECB, b"")


def test_session_objects_of_one_token_are_not_on_another(victim: Caller) -> None:
    (session,) = sessions_with(victim.application.slots.token(0))
    key = victim.aes_key(session.handle)
    elsewhere = victim.open(1)
    assert victim.call(c.GET_OBJECT_SIZE, elsewhere, key).rv is CKR.OBJECT_HANDLE_INVALID


def test_nobody_closes_logs_out_or_reinitializes_under_another_client(victim: Caller) -> None:
    (session,) = sessions_with(victim.application.slots.token(0))
    attacker = Caller(victim.application)
    mine = attacker.open()
    attacker.login(mine)
    attacker.logout(mine)
    attacker.ok(c.CLOSE_ALL_SESSIONS, 0)
    assert attacker.init_token(0, SO_PIN) is CKR.SESSION_EXISTS
    attacker.tee.close()
    assert victim.application.slots.token(0).user_key is not None
    assert int(session.state) == 3


def test_the_end_of_a_client_ends_all_that_is_its_own(victim: Caller) -> None:
    token = victim.application.slots.token(0)
    victim.open(1)
    victim.tee.close()
    assert token.sessions == set()
    assert token.logins == {}
    assert token.user_key is None
    assert victim.application.slots.token(1).sessions == set()
    assert Caller(victim.application).init_token() is CKR.OK


def test_sessions_that_open_close_and_log_in_at_once_leave_nothing_behind(victim: Caller) -> None:
    application = victim.application
    victim.tee.close()
    shared = Caller(application)
    allowed = {
        CKR.OK,
        CKR.SESSION_HANDLE_INVALID,
        CKR.USER_ALREADY_LOGGED_IN,
        CKR.USER_ANOTHER_ALREADY_LOGGED_IN,
        CKR.USER_NOT_LOGGED_IN,
    }
    barrier = threading.Barrier(6)

    def work(number: int) -> set[CKR]:
        barrier.wait(60)
        answers = set()
        for turn in range(15):
            session = shared.call(c.OPEN_SESSION, 0, 6).handle
            user, pin = (CKU.SO, SO_PIN) if (number + turn) % 3 == 0 else (CKU.USER, b"123456")
            answers.add(shared.login(session, user, pin))
            answers.add(shared.call(c.SESSION_INFO, session).rv)
            if turn % 4 == 0:
                answers.add(shared.call(c.CLOSE_ALL_SESSIONS, 0).rv)
            else:
                answers.add(shared.logout(session))
                answers.add(shared.call(c.CLOSE_SESSION, session).rv)
        return answers

    with ThreadPoolExecutor(6) as pool:
        answers = set().union(*pool.map(work, range(6)))
    assert answers <= allowed
    shared.tee.close()
    token = application.slots.token(0)
    assert (token.sessions, token.logins, token.user_key) == (set(), {}, None)
