# SPDX-License-Identifier: Apache-2.0
"""Saved operations: a digest goes on where it was saved, whatever came in between (PKCS#11 3.2 §5.6.6, §5.6.7)."""

import hashlib

import pytest

from softee.names import CKM, CKR, CKU
from softee.pkcs11_ta.session.saved_states import MAX_STATES, STATE_SIZE
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from support.commands import c
from support.object_calls import create
from support.token_world import SO_PIN, Caller, make_application, template

SHA256 = (CKM.SHA256, b"")
NO_KEYS = (0, 0)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


def begin(caller: Caller, session: int, *parts: bytes) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    for part in parts:
        caller.ok(c.DIGEST_UPDATE, session, data=part)


def save(caller: Caller, session: int, *parts: bytes) -> bytes:
    begin(caller, session, *parts)
    state = caller.ok(c.GET_OPERATION_STATE, session).output
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.DIGEST_FINAL.number)
    return state


def restore(caller: Caller, session: int, state: bytes, *keys: int) -> CKR:
    return caller.call(c.SET_OPERATION_STATE, session, *(keys or NO_KEYS), data=state).rv


def test_a_saved_digest_goes_on_as_often_as_it_is_restored(caller: Caller, session: int) -> None:
    begin(caller, session, b"a")
    state = caller.ok(c.GET_OPERATION_STATE, session).output
    caller.ok(c.DIGEST_UPDATE, session, data=b"b")
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256(b"ab").digest()
    other = caller.open()
    for where, part in ((session, b"c"), (other, b"d"), (session, b"")):
        assert restore(caller, where, state) is CKR.OK
        caller.ok(c.DIGEST_UPDATE, where, data=part)
        assert caller.ok(c.DIGEST_FINAL, where).output == hashlib.sha256(b"a" + part).digest()


def test_one_that_has_had_no_data_may_still_be_done_in_one_part(caller: Caller, session: int) -> None:
    fresh, begun = save(caller, session), save(caller, session, b"a")
    assert restore(caller, session, fresh) is CKR.OK
    assert caller.ok(c.DIGEST_ONESHOT, session, data=b"x").output == hashlib.sha256(b"x").digest()
    assert restore(caller, session, begun) is CKR.OK
    assert caller.call(c.DIGEST_ONESHOT, session, data=b"x").rv is CKR.OPERATION_ACTIVE


def test_the_state_tells_nothing_and_is_another_each_time(caller: Caller, session: int) -> None:
    begin(caller, session, b"secret")
    states = [caller.ok(c.GET_OPERATION_STATE, session).output for _ in range(2)]
    assert len({*states}) == 2
    assert {len(state) for state in states} == {STATE_SIZE}


@pytest.mark.parametrize("capacity", [0, STATE_SIZE - 1])
def test_asking_for_the_size_saves_nothing(caller: Caller, session: int, capacity: int) -> None:
    kept = save(caller, session, b"a")
    begin(caller, session)
    for _ in range(MAX_STATES):
        answer = caller.call(c.GET_OPERATION_STATE, session, capacity=capacity)
        assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, STATE_SIZE)
    assert restore(caller, session, kept) is CKR.OK


def test_restoring_takes_the_place_of_what_the_session_was_at_but_not_of_its_search(
    caller: Caller, session: int
) -> None:
    state = save(caller, session, b"a")
    key = create(caller, session, "AES key")
    caller.ok(c.SIGN_INIT, session, key, CKM.AES_CMAC, b"")
    begin(caller, session, b"z")
    caller.ok(c.FIND_OBJECTS_INIT, session, template())
    assert restore(caller, session, state) is CKR.OK
    assert caller.call(c.SIGN_UPDATE, session, data=b"").rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256(b"a").digest()
    caller.ok(c.FIND_OBJECTS_FINAL, session)


def test_only_a_digest_alone_can_be_saved(caller: Caller, session: int) -> None:
    assert caller.call(c.GET_OPERATION_STATE, session).rv is CKR.OPERATION_NOT_INITIALIZED
    caller.ok(c.FIND_OBJECTS_INIT, session, template())
    assert caller.call(c.GET_OPERATION_STATE, session).rv is CKR.OPERATION_NOT_INITIALIZED
    key = create(caller, session, "AES key")
    caller.ok(c.SIGN_INIT, session, key, CKM.AES_CMAC, b"")
    assert caller.call(c.GET_OPERATION_STATE, session).rv is CKR.STATE_UNSAVEABLE
    begin(caller, session, b"a")
    assert caller.call(c.GET_OPERATION_STATE, session).rv is CKR.STATE_UNSAVEABLE
    caller.ok(c.SIGN_FINAL, session)
    caller.ok(c.GET_OPERATION_STATE, session)


@pytest.mark.parametrize("keys", [(1, 0), (0, 1)])
def test_a_digest_needs_no_key(caller: Caller, session: int, keys: tuple[int, int]) -> None:
    assert restore(caller, session, save(caller, session, b"a"), *keys) is CKR.KEY_NOT_NEEDED


def test_a_refused_state_leaves_the_session_s_operations(caller: Caller, session: int) -> None:
    begin(caller, session, b"a")
    assert restore(caller, session, bytes(STATE_SIZE)) is CKR.SAVED_STATE_INVALID
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256(b"a").digest()


def test_a_state_is_for_sessions_in_the_state_in_which_it_was_saved(caller: Caller, session: int) -> None:
    state = save(caller, session, b"a")
    read_only = caller.open(flags=4)
    assert restore(caller, read_only, state) is CKR.SAVED_STATE_INVALID
    caller.ok(c.CLOSE_SESSION, read_only)
    caller.logout(session)
    assert restore(caller, session, state) is CKR.SAVED_STATE_INVALID
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert restore(caller, session, state) is CKR.SAVED_STATE_INVALID
    caller.logout(session)
    assert caller.login(session) is CKR.OK
    assert restore(caller, session, state) is CKR.OK


def test_the_oldest_states_make_room_for_new_ones(caller: Caller, session: int) -> None:
    first, second = save(caller, session, b"1"), save(caller, session, b"2")
    begin(caller, session, b"more")
    for _ in range(MAX_STATES - 2):
        caller.ok(c.GET_OPERATION_STATE, session)
    last = caller.ok(c.GET_OPERATION_STATE, session).output
    assert restore(caller, session, first) is CKR.SAVED_STATE_INVALID
    for kept in (second, last):
        assert restore(caller, session, kept) is CKR.OK


def test_optee_s_token_does_not_have_the_functions() -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.open()
    begin(caller, session, b"a")
    assert caller.call(c.GET_OPERATION_STATE, session).rv is CKR.FUNCTION_NOT_SUPPORTED
    assert restore(caller, session, bytes(STATE_SIZE)) is CKR.FUNCTION_NOT_SUPPORTED
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256(b"a").digest()
