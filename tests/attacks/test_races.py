# SPDX-License-Identifier: Apache-2.0
"""Attacks by timing: what another session does in the middle of a command must not leave behind.

It happens at a chosen point of the command: no test here depends on luck.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from softee.names import CKA, CKM, CKR, CKU
from softee.pkcs11_ta.token.pins import PinWrapper
from softee.pkcs11_ta.token.state import PinCredential
from softee.pkcs11_ta.token.token import Token
from support.commands import c
from support.object_calls import fresh_caller, generate, search
from support.token_world import SO_PIN, USER_PIN, Caller, sessions_with, template


class Interrupted:
    """A lock before which something happens once: what another thread does while this one waits."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = [meanwhile]
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if self._meanwhile:
            self._meanwhile.pop()()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def so_in_two_sessions() -> tuple[Caller, Token, int, int]:
    caller, session = fresh_caller()
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    return caller, caller.application.slots.token(0), session, caller.open()


@pytest.mark.parametrize("somebody_else", [False, True], ids=["last logout", "another client stays logged in"])
def test_init_pin_of_an_so_who_is_logged_out_meanwhile_sets_nothing(
    monkeypatch: pytest.MonkeyPatch, *, somebody_else: bool
) -> None:
    caller, token, session, other_session = so_in_two_sessions()
    other = Caller(caller.application)
    if somebody_else:
        assert other.login(other.open()) is CKR.OK
    with monkeypatch.context() as patch:
        patch.setattr(token, "pin_lock", Interrupted(lambda: caller.logout(other_session)))
        assert caller.init_pin(session, b"another PIN") is CKR.USER_NOT_LOGGED_IN
    assert caller.login(session, CKU.USER, USER_PIN) is CKR.OK


def test_a_wiped_user_key_is_never_put_under_a_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that InitPIN wraps is copied under the token's lock: a logout wipes it before that or after."""
    caller, token, session, other_session = so_in_two_sessions()

    def logged_out_while_it_is_read(_: Token) -> bytearray | None:
        key = token._user_key  # somebody else's hand is on it
        if key is not None and not waiting:
            thread = threading.Thread(target=caller.logout, args=(other_session,))
            thread.start()
            thread.join(0.2)  # it waits for us, or it has wiped the key
            waiting.append(thread)
        return key

    waiting: list[threading.Thread] = []
    with monkeypatch.context() as patch:
        patch.setattr(Token, "user_key", property(logged_out_while_it_is_read))
        caller.init_pin(session, b"another PIN")
    for thread in waiting:
        thread.join(10)
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    as_so = bytes(token.user_key or b"")
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.USER, b"another PIN") is CKR.OK
    assert bytes(token.user_key or b"") == as_so


@pytest.mark.parametrize("token_object", [False, True], ids=["session object", "token object"])
@pytest.mark.parametrize("last", [False, True], ids=["another client stays logged in", "last logout"])
def test_invariant_6_no_operation_with_a_private_key_begins_behind_a_logout(
    monkeypatch: pytest.MonkeyPatch, *, last: bool, token_object: bool
) -> None:
    caller, session = fresh_caller()
    token = caller.application.slots.token(0)
    (opened,) = sessions_with(token)
    holder: Any = token.objects if token_object else opened.objects
    if not last:
        other = Caller(caller.application)
        assert other.login(other.open()) is CKR.OK
    key = generate(caller, session, (CKA.TOKEN, token_object), (CKA.PRIVATE, True), (CKA.ENCRYPT, True))
    second = caller.open()
    find_key = holder.get

    def found_just_before_the_logout(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - passed on
        found = find_key(*args, **kwargs)
        assert caller.logout(second) is CKR.OK
        return found

    with monkeypatch.context() as patch:
        patch.setattr(holder, "get", found_just_before_the_logout)
        assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_ECB, b"").rv is CKR.KEY_HANDLE_INVALID
    assert caller.call(c.ENCRYPT_ONESHOT, session, data=bytes(16)).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("token_objects", [False, True], ids=["session objects", "token objects"])
def test_invariant_6_a_search_that_a_logout_overtakes_finds_no_private_object(
    monkeypatch: pytest.MonkeyPatch, *, token_objects: bool
) -> None:
    caller, session = fresh_caller()
    second = caller.open()
    private, public = (generate(caller, session, (CKA.TOKEN, True), (CKA.PRIVATE, hidden)) for hidden in (True, False))
    token = caller.application.slots.token(0)
    holder: Any = token.objects if token_objects else sessions_with(token)[0].objects
    find = holder.find

    def found_just_before_the_logout(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401  # passed on
        monkeypatch.undo()
        found = find(*args, **kwargs)
        assert caller.logout(second) is CKR.OK
        return found

    assert private in search(caller, session, template())
    monkeypatch.setattr(holder, "find", found_just_before_the_logout)
    assert search(caller, session, template()) == [public]


def test_a_session_that_is_opened_during_init_token_keeps_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is looked at again when the costly part is done, before anything of it is destroyed."""
    caller, session = fresh_caller()
    generate(caller, session, (CKA.TOKEN, True), (CKA.PRIVATE, True), (CKA.LABEL, b"kept"))
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    other, wrap = Caller(caller.application), PinWrapper.wrap

    def somebody_comes_meanwhile(*args: Any) -> PinCredential:  # noqa: ANN401  # passed on
        other.open()
        return wrap(*args)

    with monkeypatch.context() as patch:
        patch.setattr(PinWrapper, "wrap", somebody_comes_meanwhile)
        assert caller.init_token() is CKR.SESSION_EXISTS
    assert caller.login(again := caller.open()) is CKR.OK
    assert len(search(caller, again, template((CKA.LABEL, b"kept")))) == 1


def test_a_read_only_session_that_is_opened_during_the_sos_login_keeps_the_so_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller, session = fresh_caller()
    assert caller.logout(session) is CKR.OK
    unwrap = PinWrapper.unwrap

    def read_only_session_is_opened(*args: Any, **named: Any) -> bytearray | None:  # noqa: ANN401  # passed on
        caller.open(flags=4)
        return unwrap(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(PinWrapper, "unwrap", read_only_session_is_opened)
        assert caller.login(session, CKU.SO, SO_PIN) is CKR.SESSION_READ_ONLY_EXISTS
    assert caller.login(session) is CKR.OK


def test_reading_a_private_object_during_the_last_logout_says_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not CKR_USER_NOT_LOGGED_IN, which no function that reads an object may answer."""
    caller, session = fresh_caller()
    second = caller.open()
    key = generate(caller, session, (CKA.TOKEN, True), (CKA.PRIVATE, True))
    objects = caller.application.slots.token(0).objects
    objects.forget_all()
    monkeypatch.setattr(objects, "_guard", Interrupted(lambda: caller.logout(second)))
    assert caller.call(c.GET_OBJECT_SIZE, session, key).rv is CKR.OBJECT_HANDLE_INVALID
