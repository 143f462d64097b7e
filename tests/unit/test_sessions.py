# SPDX-License-Identifier: Apache-2.0
"""Opening and closing sessions.

The rules are those of PKCS#11 3.2 §5.6.1, PKCS#11 3.2 §5.6.2, PKCS#11 3.2 §5.6.3, PKCS#11 3.2 §5.6.4.
"""

import threading

import pytest

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PROFILES
from support.commands import c
from support.object_calls import fresh_caller
from support.token_world import Caller, make_application, sessions_with, template, u32


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application())


@pytest.mark.parametrize(
    ("flags", "rv"),
    [
        (0, CKR.SESSION_PARALLEL_NOT_SUPPORTED),
        (2, CKR.SESSION_PARALLEL_NOT_SUPPORTED),
        (4, CKR.OK),
        (6, CKR.OK),
        (12, CKR.ARGUMENTS_BAD),
        (0x80000004, CKR.ARGUMENTS_BAD),
    ],
)
def test_only_serial_sessions_are_opened(caller: Caller, flags: int, rv: CKR) -> None:
    assert caller.call(c.OPEN_SESSION, 0, flags).rv is rv


@pytest.mark.parametrize("policy", PROFILES.values(), ids=lambda policy: policy.name)
def test_no_session_is_asynchronous(policy: Policy) -> None:
    """OP-TEE does not know the flag."""
    caller, _ = fresh_caller(policy=policy)
    refused = CKR.ARGUMENTS_BAD if policy.as_optee else CKR.SESSION_ASYNC_NOT_SUPPORTED
    assert caller.call(c.OPEN_SESSION, 0, 12).rv is refused


def test_handles_begin_at_1_and_are_not_used_again(caller: Caller) -> None:
    assert [caller.open(), caller.open()] == [1, 2]
    caller.ok(c.CLOSE_SESSION, 1)
    assert caller.open() == 3
    assert caller.call(c.SESSION_INFO, 1).rv is CKR.SESSION_HANDLE_INVALID


@pytest.mark.parametrize(("flags", "state"), [(4, 0), (6, 2)])
def test_session_info_shows_slot_state_and_flags(caller: Caller, flags: int, state: int) -> None:
    session = caller.open(2, flags)
    assert caller.ok(c.SESSION_INFO, session).output == u32(2, state, flags, 0)


def test_close_all_closes_this_client_s_sessions_on_this_token(caller: Caller) -> None:
    other = Caller(caller.application)
    one, two, elsewhere, theirs = caller.open(0), caller.open(0), caller.open(1), other.open(0)
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    assert [caller.call(c.SESSION_INFO, handle).rv for handle in (one, two, elsewhere)] == [
        CKR.SESSION_HANDLE_INVALID,
        CKR.SESSION_HANDLE_INVALID,
        CKR.OK,
    ]
    assert other.call(c.SESSION_INFO, theirs).rv is CKR.OK


def test_a_client_may_have_so_many_sessions_and_no_more() -> None:
    caller = Caller(make_application(max_sessions=300))
    for _ in range(300):
        caller.open()
    assert caller.call(c.OPEN_SESSION, 0, 6).rv is CKR.SESSION_COUNT
    assert Caller(caller.application).open() == 1
    caller.ok(c.CLOSE_SESSION, 17)
    caller.open()


def test_session_objects_go_with_their_session(caller: Caller) -> None:
    mine, other = caller.open(), caller.open()
    attributes = template((CKA.CLASS, CKO.DATA), (CKA.TOKEN, False), (CKA.VALUE, b"x"))
    handle = caller.ok(c.CREATE_OBJECT, mine, attributes).handle
    assert caller.call(c.GET_OBJECT_SIZE, other, handle).rv is CKR.OK
    caller.ok(c.CLOSE_SESSION, mine)
    assert caller.call(c.GET_OBJECT_SIZE, other, handle).rv is CKR.OBJECT_HANDLE_INVALID


def test_a_session_runs_one_command_at_a_time_and_others_go_on(caller: Caller) -> None:
    busy, free = caller.open(), caller.open()
    (session,) = [one for one in sessions_with(caller.application.slots.token(0)) if one.handle == busy]
    answers: list[CKR] = []
    waiting = threading.Thread(target=lambda: answers.append(caller.call(c.SESSION_INFO, busy).rv))
    with session.lock:
        waiting.start()
        assert caller.call(c.SESSION_INFO, free).rv is CKR.OK
        assert answers == []
    waiting.join(10)
    assert answers == [CKR.OK]


def test_a_command_that_waited_for_a_session_that_was_closed_finds_it_gone(caller: Caller) -> None:
    handle = caller.open()
    (session,) = sessions_with(caller.application.slots.token(0))
    answers: list[CKR] = []
    waiting = threading.Thread(target=lambda: answers.append(caller.call(c.SESSION_INFO, handle).rv))
    with session.lock:
        waiting.start()
        session.client.close_session(session)
    waiting.join(10)
    assert answers == [CKR.SESSION_HANDLE_INVALID]
