# SPDX-License-Identifier: Apache-2.0
"""Attacks on logins that come back: tickets of others, kept, altered, too old; numbers that make no sense."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKR, CKU, LoginMethod
from softee.pkcs11_ta.abi.restored import SavedLogin, SavedSession
from softee.tee.application import ClientIdentity
from support.commands import c
from support.tickets import FIRST_OBJECT, PROCESS, Comeback, comeback, keep_login, logged_out, restore, restored
from support.token_world import SO_PIN, USER_PIN, Caller, public_client

RW, RO = 6, 4
VICTIM = replace(public_client(), process=PROCESS)
SAVED = [SavedSession(1, 0, RW)]


@pytest.fixture
def world() -> Iterator[Comeback]:
    with comeback() as made:
        yield made


def log_in(world: Comeback) -> tuple[Caller, int, SavedLogin]:
    """Return a client that is logged in as the user, and what it keeps."""
    caller = world.caller(VICTIM)
    session = caller.set_up()
    return caller, session, keep_login(caller, session)


def comes_back(world: Comeback, login: SavedLogin, identity: ClientIdentity = VICTIM) -> bool:
    """Say whether somebody is logged in by it in a new client."""
    handle = 77
    return restored(restore(world.caller(identity), [SavedSession(handle, login.slot, RW)], [login])) == [handle]


@pytest.mark.parametrize(
    "thief",
    [
        pytest.param(replace(VICTIM, process=bytes(range(2, 14))), id="another_process"),
        pytest.param(replace(VICTIM, process=b""), id="a_process_that_cannot_be_seen"),
        pytest.param(replace(VICTIM, uid=1001), id="another_user"),
        pytest.param(replace(VICTIM, login=LoginMethod.USER), id="another_way_to_log_in"),
        pytest.param(replace(VICTIM, uuid=UUID(int=1)), id="another_identity"),
    ],
)
def test_a_ticket_is_worth_nothing_to_another(world: Comeback, thief: ClientIdentity) -> None:
    _, _, login = log_in(world)
    assert not comes_back(world, login, thief)
    world.restart()
    assert not comes_back(world, login, thief)
    assert comes_back(world, login)


def test_a_ticket_opens_no_other_token_and_no_other_user(world: Comeback) -> None:
    caller, _, login = log_in(world)
    caller.set_up(1)
    assert not comes_back(world, login._replace(slot=1))
    for user in (CKU.SO, CKU.CONTEXT_SPECIFIC, 17):
        assert not comes_back(world, login._replace(user=user))


@pytest.fixture(scope="module")
def stolen() -> Iterator[tuple[Comeback, SavedLogin]]:
    with comeback() as made:
        yield made, log_in(made)[2]


@given(bit=st.integers(0, 8 * 76 - 1))
def test_an_altered_ticket_opens_nothing(stolen: tuple[Comeback, SavedLogin], bit: int) -> None:
    world, login = stolen
    assert len(login.ticket) == 76
    altered = int.from_bytes(login.ticket, "big") ^ 1 << bit
    assert not comes_back(world, login._replace(ticket=altered.to_bytes(76, "big")))


@given(garbage=st.binary(max_size=128))
def test_a_guessed_ticket_opens_nothing(stolen: tuple[Comeback, SavedLogin], garbage: bytes) -> None:
    world, login = stolen
    assert not comes_back(world, login._replace(ticket=garbage))


def test_another_secure_worlds_ticket_opens_nothing(world: Comeback) -> None:
    _, _, login = log_in(world)
    with comeback() as elsewhere:
        log_in(elsewhere)
        assert not comes_back(elsewhere, login)


def log_out(caller: Caller, session: int) -> None:
    assert caller.logout(session) is CKR.OK


def close_session(caller: Caller, session: int) -> None:
    caller.ok(c.CLOSE_SESSION, session)


def close_all(caller: Caller, _: int) -> None:
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)


def finalize(caller: Caller, _: int) -> None:
    caller.tee.close()


def change_pin(caller: Caller, session: int) -> None:
    assert caller.set_pin(session, USER_PIN, b"another") is CKR.OK


def have_the_so_set_a_pin(caller: Caller, session: int) -> None:
    log_out(caller, session)
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.init_pin(session) is CKR.OK


def initialize(caller: Caller, session: int) -> None:
    close_session(caller, session)
    assert caller.init_token() is CKR.OK


ENDS: list[Callable[[Caller, int], None]] = [
    log_out,
    close_session,
    close_all,
    finalize,
    change_pin,
    have_the_so_set_a_pin,
    initialize,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_a_kept_ticket_opens_nothing_when_its_login_has_ended(
    world: Comeback, end: Callable[[Caller, int], None]
) -> None:
    caller, session, login = log_in(world)
    end(caller, session)
    assert not comes_back(world, login)
    world.restart()
    assert not comes_back(world, login)


def test_a_kept_ticket_opens_nothing_when_its_process_has_died(world: Comeback) -> None:
    _, _, login = log_in(world)
    world.dead.add(PROCESS)
    world.restart()
    world.dead.clear()  # as if another one had its number
    assert not comes_back(world, login)


def test_whoever_logs_out_while_nobody_is_there_ends_the_login(world: Comeback) -> None:
    _, _, login = log_in(world)
    world.restart()
    assert restored(restore(world.caller(VICTIM), SAVED, [logged_out(login)])) == [1]
    assert not comes_back(world, login)


def test_a_lost_connection_ends_no_login(world: Comeback) -> None:
    caller, _, login = log_in(world)
    caller.tee.close(returns=True)
    assert comes_back(world, login)


def test_a_process_that_cannot_be_seen_gets_no_ticket(world: Comeback) -> None:
    caller = world.caller(public_client())
    session = caller.set_up()
    assert keep_login(caller, session).ticket == b""


def test_a_login_that_makes_no_calls_ages() -> None:
    with comeback(max_age=100) as world:
        caller, session, login = log_in(world)
        for _ in range(5):
            world.time.now += 60
            caller.ok(c.SESSION_INFO, session)
        world.time.now += 85
        world.restart()
        assert comes_back(world, login)
        world.time.now += 101
        assert not comes_back(world, login)


def test_logins_that_do_not_age_are_not_counted(world: Comeback) -> None:
    caller, session, login = log_in(world)
    saved = len(world.keeper.saved)
    world.time.now += 10**9
    caller.ok(c.SESSION_INFO, session)
    assert len(world.keeper.saved) == saved
    assert comes_back(world, login)


def test_only_a_new_client_is_given_sessions_back(world: Comeback) -> None:
    caller = world.caller(VICTIM)
    session = caller.open()
    assert restore(caller, SAVED).rv is CKR.SESSION_EXISTS
    caller.ok(c.CLOSE_SESSION, session)
    assert restore(caller, SAVED).rv is CKR.SESSION_EXISTS


@pytest.mark.parametrize(
    "first", [(0, FIRST_OBJECT), (1, FIRST_OBJECT - 1), (1, 0), (1, 0xFFFFFFFF)], ids=lambda first: f"{first}"
)
def test_handles_cannot_begin_where_they_would_mean_something_else(world: Comeback, first: tuple[int, int]) -> None:
    assert restore(world.caller(VICTIM), first=first).rv is CKR.ARGUMENTS_BAD


def test_used_up_handles_stay_used_up(world: Comeback) -> None:
    caller = world.caller(VICTIM)
    restore(caller, first=(0xFFFFFFFF, 0xFFFFFF00))
    assert caller.call(c.OPEN_SESSION, 0, RW).rv is CKR.SESSION_COUNT


def test_sessions_get_no_handle_twice_and_none_that_was_never_given(world: Comeback) -> None:
    saved = [SavedSession(3, 0, RW), SavedSession(3, 1, RW), SavedSession(0, 0, RW), SavedSession(5, 0, RW)]
    assert restored(restore(world.caller(VICTIM), saved, first=(5, FIRST_OBJECT))) == [3]


def test_slots_that_there_are_not_are_passed_over(world: Comeback) -> None:
    saved = [SavedSession(1, 99, RW), SavedSession(2, 0, RO)]
    logins = [SavedLogin(0xFFFFFFFF, 0x40000000, CKU.USER, b"x")]
    assert restored(restore(world.caller(VICTIM), saved, logins)) == [2]


@pytest.mark.parametrize("base", [0, 0x3FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_private_handles_begin_where_they_may(world: Comeback, base: int) -> None:
    _, _, login = log_in(world)
    assert not comes_back(world, login._replace(base=base))


def test_no_client_gets_more_sessions_than_it_may_have(world: Comeback) -> None:
    world.application.max_sessions = 3
    saved = [SavedSession(n, n % 2, RW) for n in range(1, 7)]
    assert sorted(restored(restore(world.caller(VICTIM), saved))) == [1, 2, 3]
