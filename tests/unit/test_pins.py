# SPDX-License-Identifier: Apache-2.0
"""PINs: what is stored, what counts as a try, who may set which. The recordings hold OP-TEE's order of events.

The rules are those of PKCS#11 3.2 §5.5.7, PKCS#11 3.2 §5.5.8, PKCS#11 3.2 §5.5.9.
"""

import threading

import pytest

from softee.names import CKA, CKO, CKR, CKU, TokenFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.session.authentication import Authenticator
from softee.pkcs11_ta.token import pins
from softee.pkcs11_ta.token.pins import DEFAULT_COST, PinWrapper, new_user_key
from softee.pkcs11_ta.token.state import Cost, PinCredential
from softee.stores.memory import MemoryStore
from softee.tee.sealing import SealKey
from support.commands import c
from support.object_calls import search
from support.token_world import CHEAP, SO_PIN, USER_PIN, Caller, make_application, sessions_with, template

SECRET = b"vault secret".ljust(32, b"\0")
INITIALIZED = 0x405
WITH_USER = 0x40D


def wrapper(cost: Cost = CHEAP) -> PinWrapper:
    return PinWrapper(threading.BoundedSemaphore(1), cost)


def test_only_the_right_pin_user_and_vault_open_the_user_key() -> None:
    user_key = new_user_key()
    wrapped = wrapper().wrap(CKU.USER, bytearray(b"1234"), SECRET, user_key)
    assert wrapper().unwrap(CKU.USER, bytearray(b"1234"), SECRET, wrapped) == user_key
    assert wrapper().unwrap(CKU.USER, bytearray(b"1235"), SECRET, wrapped) is None
    assert wrapper().unwrap(CKU.SO, bytearray(b"1234"), SECRET, wrapped) is None
    assert wrapper().unwrap(CKU.USER, bytearray(b"1234"), bytes(32), wrapped) is None


def test_the_cost_is_stored_so_that_it_can_grow() -> None:
    user_key = new_user_key()
    wrapped = wrapper(CHEAP).wrap(CKU.USER, bytearray(b"1234"), SECRET, user_key)
    assert (wrapped.cost.memory, wrapped.cost.passes) == (CHEAP.memory, CHEAP.passes)
    assert wrapper(Cost(16, 2, 1)).unwrap(CKU.USER, bytearray(b"1234"), SECRET, wrapped) == user_key


def test_a_guess_costs_19_mib_by_default() -> None:
    assert (DEFAULT_COST.memory, DEFAULT_COST.passes, DEFAULT_COST.lanes) == (19 * 1024, 2, 1)


def test_two_wraps_of_one_key_share_nothing() -> None:
    user_key = new_user_key()
    one = wrapper().wrap(CKU.USER, bytearray(b"1234"), SECRET, user_key)
    two = wrapper().wrap(CKU.USER, bytearray(b"1234"), SECRET, user_key)
    assert one.salt != two.salt
    assert one.wrapped != two.wrapped


@pytest.mark.parametrize("pin", [b"", b"123", b"1" * 129], ids=len)
def test_as_optee_has_it_a_pin_of_a_length_that_none_has_is_wrong_without_a_computation(
    pin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped = wrapper().wrap(CKU.USER, bytearray(b"1234"), SECRET, new_user_key())
    monkeypatch.setattr(pins, "Argon2id", None)
    assert wrapper().unwrap(CKU.USER, bytearray(pin), SECRET, wrapped, cheaply=True) is None


def test_what_a_pin_was_stretched_to_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[SealKey] = []
    secrets: list[bytes | bytearray] = []

    def noted(secret: bytes | bytearray) -> SealKey:
        secrets.append(secret)
        keys.append(SealKey(secret))
        return keys[-1]

    monkeypatch.setattr(pins, "SealKey", noted)
    wrapped = wrapper().wrap(CKU.USER, bytearray(b"1234"), SECRET, new_user_key())
    for pin, is_right in ((b"1234", True), (b"4321", False)):
        opened = wrapper().unwrap(CKU.USER, bytearray(pin), SECRET, wrapped)
        assert (opened is not None) is is_right
    assert len(keys) == 3
    assert not any(any(secret) for secret in secrets)
    for key in keys:
        with pytest.raises(ValueError, match="wiped"):
            key.term(b"")


@pytest.fixture
def caller() -> Caller:
    caller = Caller(make_application())
    caller.set_up()
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    return caller


@pytest.mark.parametrize("pin", [b"", b"1", b"123", b"1" * 129], ids=len)
def test_a_new_pin_has_4_to_128_bytes(caller: Caller, pin: bytes) -> None:
    session = caller.open()
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.init_pin(session, pin) is CKR.PIN_LEN_RANGE
    assert caller.set_pin(session, SO_PIN, pin) is CKR.PIN_LEN_RANGE
    assert caller.logout(session) is CKR.OK
    assert caller.set_pin(session, USER_PIN, pin) is CKR.PIN_LEN_RANGE
    assert caller.login(session) is CKR.OK


@pytest.mark.parametrize("pin", [b"1234", b"1" * 128], ids=len)
def test_the_shortest_and_the_longest_pin_work(caller: Caller, pin: bytes) -> None:
    session = caller.open()
    assert caller.set_pin(session, USER_PIN, pin) is CKR.OK
    assert caller.login(session, CKU.USER, pin) is CKR.OK


@pytest.mark.parametrize("pin", [b"123", b"1" * 129], ids=len)
def test_a_new_so_pin_of_a_wrong_length_is_a_bad_argument(pin: bytes) -> None:
    caller = Caller(make_application())
    assert caller.init_token(pin=pin) is CKR.ARGUMENTS_BAD
    assert caller.token_flags() == 0x880005


@pytest.mark.parametrize("pin", [b"", b"12", b"x" * 200, b"wrong pin"], ids=len)
@pytest.mark.parametrize("user", [CKU.USER, CKU.SO])
def test_a_wrong_pin_of_any_length_counts(caller: Caller, user: CKU, pin: bytes) -> None:
    session = caller.open()
    assert caller.login(session, user, pin) is CKR.PIN_INCORRECT
    low = TokenFlag.USER_PIN_COUNT_LOW if user is CKU.USER else TokenFlag.SO_PIN_COUNT_LOW
    assert caller.token_flags() == WITH_USER | low


def test_the_seventh_wrong_pin_locks_and_the_so_unlocks(caller: Caller) -> None:
    session = caller.open()
    for _ in range(6):
        assert caller.login(session, CKU.USER, b"wrong") is CKR.PIN_INCORRECT
    assert caller.token_flags() == WITH_USER | 0x30000
    assert caller.login(session, CKU.USER, b"wrong") is CKR.PIN_LOCKED
    assert caller.token_flags() == WITH_USER | 0x70000
    assert caller.login(session) is CKR.PIN_LOCKED
    assert caller.set_pin(session, USER_PIN, b"123457") is CKR.PIN_LOCKED
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.init_pin(session, b"new one") is CKR.OK
    assert caller.token_flags() == WITH_USER
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.USER, b"new one") is CKR.OK


def test_a_locked_so_cannot_initialize_and_the_user_goes_on(caller: Caller) -> None:
    session = caller.open()
    answers = [caller.login(session, CKU.SO, b"wrong") for _ in range(7)]
    assert answers == [CKR.PIN_INCORRECT] * 6 + [CKR.PIN_LOCKED]
    assert caller.token_flags() == WITH_USER | 0x700000
    assert caller.login(session) is CKR.OK
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    assert caller.init_token() is CKR.PIN_LOCKED


def test_a_right_pin_on_the_last_try_resets_the_count(caller: Caller) -> None:
    session = caller.open()
    for _ in range(6):
        caller.login(session, CKU.USER, b"wrong")
    assert caller.login(session) is CKR.OK
    assert caller.token_flags() == WITH_USER


def test_only_the_so_initializes_the_user_pin(caller: Caller) -> None:
    session = caller.open()
    assert caller.init_pin(session) is CKR.USER_NOT_LOGGED_IN
    assert caller.login(session) is CKR.OK
    assert caller.init_pin(session) is CKR.USER_NOT_LOGGED_IN


def test_nobody_confirms_a_use_behind_a_logout() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    (opened,) = sessions_with(caller.application.slots.token(0))
    assert caller.logout(session) is CKR.OK
    with pytest.raises(Pkcs11Error) as refused:
        Authenticator(opened.client.pins).confirm(opened, bytearray(USER_PIN))
    assert refused.value.rv is CKR.USER_NOT_LOGGED_IN


def test_set_pin_wants_the_old_one_and_counts_wrong_ones(caller: Caller) -> None:
    session = caller.open()
    assert caller.set_pin(session, b"wrong", b"654321") is CKR.PIN_INCORRECT
    assert caller.token_flags() == WITH_USER | TokenFlag.USER_PIN_COUNT_LOW
    assert caller.set_pin(session, USER_PIN, b"654321") is CKR.OK
    assert caller.token_flags() == WITH_USER
    assert caller.login(session) is CKR.PIN_INCORRECT
    assert caller.login(session, CKU.USER, b"654321") is CKR.OK


def test_set_pin_is_the_so_s_where_the_so_is_logged_in(caller: Caller) -> None:
    session = caller.open()
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert caller.set_pin(session, SO_PIN, b"another so pin") is CKR.OK
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.PIN_INCORRECT
    assert caller.login(session, CKU.SO, b"another so pin") is CKR.OK


def test_set_pin_wants_a_read_write_session(caller: Caller) -> None:
    assert caller.set_pin(caller.open(flags=4), USER_PIN, b"654321") is CKR.SESSION_READ_ONLY


def test_set_pin_before_there_is_a_user_pin() -> None:
    caller = Caller(make_application())
    assert caller.set_pin(caller.open(), USER_PIN, b"654321") is CKR.USER_PIN_NOT_INITIALIZED
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    caller.init_token()
    assert caller.set_pin(caller.open(), USER_PIN, b"654321") is CKR.USER_PIN_NOT_INITIALIZED


def private_object(caller: Caller, session: int) -> int:
    attributes = ((CKA.CLASS, CKO.DATA), (CKA.TOKEN, True), (CKA.PRIVATE, True), (CKA.VALUE, b"secret"))
    return caller.ok(c.CREATE_OBJECT, session, template(*attributes)).handle


def test_private_objects_outlive_every_change_of_pins(caller: Caller) -> None:
    session = caller.open()
    caller.login(session)
    handle = private_object(caller, session)
    assert caller.set_pin(session, USER_PIN, b"second pin") is CKR.OK
    caller.logout(session)
    caller.login(session, CKU.SO, SO_PIN)
    assert caller.set_pin(session, SO_PIN, b"second so pin") is CKR.OK
    assert caller.init_pin(session, b"third pin") is CKR.OK
    caller.logout(session)
    assert caller.login(session, CKU.USER, b"third pin") is CKR.OK
    assert caller.call(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OBJECT_HANDLE_INVALID
    (again,) = search(caller, session, template((CKA.PRIVATE, True)))
    assert caller.call(c.GET_OBJECT_SIZE, session, again).rv is CKR.OK


def test_everything_is_there_after_a_restart() -> None:
    store = MemoryStore()
    before = Caller(make_application(store))
    session = before.set_up()
    handle = private_object(before, session)
    before.login(before.open(1), CKU.USER, b"wrong")
    after = Caller(make_application(store))
    session = after.open()
    assert after.token_flags() == WITH_USER
    assert after.call(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OBJECT_HANDLE_INVALID
    assert after.login(session) is CKR.OK
    assert after.call(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OK


def test_tries_are_counted_across_restarts() -> None:
    store = MemoryStore()
    Caller(make_application(store)).set_up()
    for number in range(1, 8):
        caller = Caller(make_application(store))
        answer = caller.login(caller.open(), CKU.USER, b"wrong")
        assert answer is (CKR.PIN_LOCKED if number == 7 else CKR.PIN_INCORRECT)


def test_init_token_wants_the_so_pin_and_no_session(caller: Caller) -> None:
    session = Caller(caller.application).open()
    assert caller.init_token() is CKR.SESSION_EXISTS
    del session
    other = Caller(make_application())
    other.set_up()
    other.ok(c.CLOSE_ALL_SESSIONS, 0)
    assert other.init_token(pin=b"wrong") is CKR.PIN_INCORRECT
    assert other.init_token(pin=b"123") is CKR.PIN_INCORRECT
    assert other.init_token(pin=b"") is CKR.PIN_INCORRECT
    assert other.token_flags() == WITH_USER | TokenFlag.SO_PIN_COUNT_LOW
    assert other.init_token() is CKR.OK
    assert other.token_flags() == INITIALIZED


def test_init_token_destroys_objects_user_pin_and_user_key(caller: Caller) -> None:
    session = caller.open()
    caller.login(session)
    handle = private_object(caller, session)
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    before = caller.application.slots.token(0).state
    assert caller.init_token(label=b"again") is CKR.OK
    after = caller.application.slots.token(0).state
    assert after.label == b"again".ljust(32)
    assert after.user is None
    assert isinstance(before.so, PinCredential)
    assert isinstance(after.so, PinCredential)
    assert before.so.salt != after.so.salt
    session = caller.open()
    assert caller.login(session) is CKR.USER_PIN_NOT_INITIALIZED
    caller.login(session, CKU.SO, SO_PIN)
    caller.init_pin(session)
    caller.logout(session)
    assert caller.login(session) is CKR.OK
    assert caller.call(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OBJECT_HANDLE_INVALID
    assert private_object(caller, session) > handle


def test_init_pin_gives_the_user_the_key_that_the_so_holds(caller: Caller) -> None:
    session = caller.open()
    caller.login(session)
    handle = private_object(caller, session)
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    session = caller.open()
    caller.login(session, CKU.SO, SO_PIN)
    assert caller.call(c.GET_OBJECT_SIZE, session, handle).rv is CKR.OBJECT_HANDLE_INVALID
    caller.init_pin(session, b"9999")
    caller.logout(session)
    assert caller.login(session, CKU.USER, b"9999") is CKR.OK
    (again,) = search(caller, session, template((CKA.PRIVATE, True)))
    assert caller.call(c.GET_OBJECT_SIZE, session, again).rv is CKR.OK
