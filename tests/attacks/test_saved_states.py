# SPDX-License-Identifier: Apache-2.0
"""Attacks on saved operations (PKCS#11 3.2 §5.6.7): states of others, altered, guessed, out of date, without end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKM, CKR
from softee.pkcs11_ta.session.saved_states import MAX_STATES, STATE_SIZE
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.stores.memory import MemoryStore
from support.commands import c
from support.token_world import Caller, make_application


def client(caller: Caller | None = None) -> tuple[Caller, int]:
    """Return a client of a new application, or one more of the same, with a session in the same state."""
    made = Caller(caller.application if caller else make_application(policy=PORTABLE))
    return made, made.open()


def save(caller: Caller, session: int, secret: bytes = b"secret") -> bytes:
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    caller.ok(c.DIGEST_UPDATE, session, data=secret)
    state = caller.ok(c.GET_OPERATION_STATE, session).output
    caller.ok(c.DIGEST_FINAL, session)
    return state


def restore(caller: Caller, session: int, state: bytes) -> CKR:
    return caller.call(c.SET_OPERATION_STATE, session, 0, 0, data=state).rv


def test_invariant_2_another_client_s_state_means_nothing() -> None:
    victim, session = client()
    state = save(victim, session)
    attacker, mine = client(victim)
    assert restore(attacker, mine, state) is CKR.SAVED_STATE_INVALID
    assert restore(victim, session, state) is CKR.OK


@pytest.fixture(scope="module")
def saved() -> tuple[Caller, int, bytes]:
    caller, session = client()
    return caller, session, save(caller, session)


@given(bit=st.integers(0, 8 * STATE_SIZE - 1))
def test_an_altered_state_is_refused(saved: tuple[Caller, int, bytes], bit: int) -> None:
    caller, session, state = saved
    altered = int.from_bytes(state, "big") ^ 1 << bit
    assert restore(caller, session, altered.to_bytes(STATE_SIZE, "big")) is CKR.SAVED_STATE_INVALID


@given(garbage=st.binary(max_size=2 * STATE_SIZE))
def test_a_guessed_state_is_refused(saved: tuple[Caller, int, bytes], garbage: bytes) -> None:
    caller, session, _ = saved
    assert restore(caller, session, garbage) is CKR.SAVED_STATE_INVALID


@pytest.mark.parametrize("change", [lambda one: one[:-1], lambda one: one + b"\0", lambda one: b"\0" + one])
def test_a_state_that_is_cut_or_longer_is_refused(saved: tuple[Caller, int, bytes], change: object) -> None:
    caller, session, state = saved
    assert callable(change)
    assert restore(caller, session, change(state)) is CKR.SAVED_STATE_INVALID


def test_a_state_of_one_token_is_not_gone_on_with_on_another() -> None:
    caller, session = client()
    assert restore(caller, caller.open(1), save(caller, session)) is CKR.SAVED_STATE_INVALID


def test_a_state_is_gone_with_its_client_and_with_a_restart() -> None:
    store = MemoryStore()
    caller = Caller(make_application(store, policy=PORTABLE))
    state = save(caller, caller.open())
    caller.tee.close()
    again, session = client(caller)
    assert restore(again, session, state) is CKR.SAVED_STATE_INVALID
    restarted = Caller(make_application(store, policy=PORTABLE))
    assert restore(restarted, restarted.open(), state) is CKR.SAVED_STATE_INVALID


def test_invariant_3_saving_without_end_keeps_so_many_and_takes_none_of_another_client_s() -> None:
    victim, session = client()
    state = save(victim, session)
    attacker, mine = client(victim)
    attacker.ok(c.DIGEST_INIT, mine, CKM.SHA256, b"")
    states = [attacker.ok(c.GET_OPERATION_STATE, mine).output for _ in range(MAX_STATES + 10)]
    answers = [restore(attacker, mine, one) for one in states]
    assert answers == [CKR.SAVED_STATE_INVALID] * 10 + [CKR.OK] * MAX_STATES
    assert restore(victim, session, state) is CKR.OK
