# SPDX-License-Identifier: Apache-2.0
"""The login table is complete, and the calls follow it with OP-TEE's return values.

The rules are those of PKCS#11 3.2 §5.6.8, PKCS#11 3.2 §5.6.10.
"""

import itertools

import pytest

from softee.names import CKR, CKS, CKU
from softee.pkcs11_ta.session.login_rules import LOGIN_ANSWERS, STATES
from support.commands import c
from support.token_world import SO_PIN, USER_PIN, Caller, make_application, user_client

READ_ONLY = 4


@pytest.fixture
def caller() -> Caller:
    caller = Caller(make_application())
    caller.call(c.LOGOUT, caller.set_up())
    caller.tee.close()
    return Caller(caller.application)


def state(caller: Caller, session: int) -> int:
    return int.from_bytes(caller.ok(c.SESSION_INFO, session).output[4:8], "little")


def test_the_table_answers_for_every_pair() -> None:
    assert set(LOGIN_ANSWERS) == set(itertools.product((None, CKU.USER, CKU.SO), (CKU.USER, CKU.SO)))


def test_the_so_has_no_read_only_state() -> None:
    assert set(STATES) == set(itertools.product((None, CKU.USER, CKU.SO), (False, True))) - {(CKU.SO, False)}


@pytest.mark.parametrize(
    ("first", "second", "rv"),
    [
        (CKU.USER, CKU.USER, CKR.USER_ALREADY_LOGGED_IN),
        (CKU.SO, CKU.SO, CKR.USER_ALREADY_LOGGED_IN),
        (CKU.USER, CKU.SO, CKR.USER_ANOTHER_ALREADY_LOGGED_IN),
        (CKU.SO, CKU.USER, CKR.USER_ANOTHER_ALREADY_LOGGED_IN),
    ],
)
def test_a_second_login_is_refused(caller: Caller, first: CKU, second: CKU, rv: CKR) -> None:
    pins = {CKU.USER: USER_PIN, CKU.SO: SO_PIN}
    session = caller.open()
    assert caller.login(session, first, pins[first]) is CKR.OK
    assert caller.login(session, second, pins[second]) is rv


def test_an_unknown_user_type_is_refused(caller: Caller) -> None:
    assert caller.login(caller.open(), 7) is CKR.USER_TYPE_INVALID


def test_logout_wants_a_login(caller: Caller) -> None:
    session = caller.open()
    assert caller.logout(session) is CKR.USER_NOT_LOGGED_IN
    assert caller.login(session) is CKR.OK
    assert caller.logout(session) is CKR.OK
    assert caller.logout(session) is CKR.USER_NOT_LOGGED_IN


def test_a_login_holds_for_all_sessions_of_the_client_and_for_no_other_client(caller: Caller) -> None:
    writing, reading = caller.open(), caller.open(flags=READ_ONLY)
    other = Caller(caller.application)
    stranger = other.open()
    assert caller.login(reading) is CKR.OK
    assert state(caller, writing) == CKS.RW_USER_FUNCTIONS
    assert state(caller, reading) == CKS.RO_USER_FUNCTIONS
    assert state(caller, caller.open()) == CKS.RW_USER_FUNCTIONS
    assert state(other, stranger) == CKS.RW_PUBLIC_SESSION
    assert caller.logout(writing) is CKR.OK
    assert state(caller, reading) == CKS.RO_PUBLIC_SESSION


def test_a_login_is_on_one_token_only(caller: Caller) -> None:
    session, elsewhere = caller.open(0), caller.open(1)
    assert caller.login(session) is CKR.OK
    assert state(caller, elsewhere) == CKS.RW_PUBLIC_SESSION


def test_so_and_read_only_sessions_exclude_each_other(caller: Caller) -> None:
    reading = caller.open(flags=READ_ONLY)
    session = caller.open()
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.SESSION_READ_ONLY_EXISTS
    assert caller.login(reading, CKU.SO, SO_PIN) is CKR.SESSION_READ_ONLY_EXISTS
    caller.ok(c.CLOSE_SESSION, reading)
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.call(c.OPEN_SESSION, 0, READ_ONLY).rv is CKR.SESSION_READ_WRITE_SO_EXISTS
    assert state(caller, session) == CKS.RW_SO_FUNCTIONS


def test_another_client_s_read_only_session_does_not_hinder_the_so(caller: Caller) -> None:
    Caller(caller.application).open(flags=READ_ONLY)
    assert caller.login(caller.open(), CKU.SO, SO_PIN) is CKR.OK


def test_closing_the_last_session_logs_out(caller: Caller) -> None:
    one, two = caller.open(), caller.open()
    assert caller.login(one) is CKR.OK
    caller.ok(c.CLOSE_SESSION, one)
    assert state(caller, two) == CKS.RW_USER_FUNCTIONS
    caller.ok(c.CLOSE_SESSION, two)
    assert state(caller, caller.open()) == CKS.RW_PUBLIC_SESSION


@pytest.mark.parametrize("end", ["close", "close all", "logout", "close tee session"])
def test_the_user_key_is_gone_after_the_last_logout(caller: Caller, end: str) -> None:
    token = caller.application.slots.token(0)
    other = Caller(caller.application, user_client(7))
    session, theirs = caller.open(), other.open()
    assert caller.login(session) is CKR.OK
    key = token.user_key
    assert other.login(theirs, CKU.SO, SO_PIN) is CKR.OK
    assert other.logout(theirs) is CKR.OK
    assert key is not None
    assert any(key)
    if end == "close":
        caller.ok(c.CLOSE_SESSION, session)
    elif end == "close all":
        caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    elif end == "logout":
        caller.logout(session)
    else:
        caller.tee.close()
    assert token.user_key is None
    assert not any(key)


def test_an_uninitialized_token_lets_nobody_in() -> None:
    caller = Caller(make_application())
    session = caller.open()
    assert caller.login(session) is CKR.USER_PIN_NOT_INITIALIZED
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.USER_PIN_NOT_INITIALIZED


def test_context_specific_login_wants_an_operation_that_waits_for_it(caller: Caller) -> None:
    session = caller.open()
    assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OPERATION_NOT_INITIALIZED
    assert caller.login(session) is CKR.OK
    assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OPERATION_NOT_INITIALIZED
