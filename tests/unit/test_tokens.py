# SPDX-License-Identifier: Apache-2.0
"""What waits for what on a token, and what a token keeps in memory."""

import pytest

from softee.names import CKA, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.token.slots import vault_names
from support.commands import c
from support.token_world import SO_PIN, Caller, make_application, template


def test_a_pin_check_stops_nobody_s_other_work() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    _, private = caller.ec_pair(session)
    with caller.application.slots.token(0).pin_lock:  # as while Argon2id runs for another client
        other = caller.open()
        caller.ok(c.TOKEN_INFO, 0)
        caller.ok(c.CREATE_OBJECT, other, template((CKA.CLASS, CKO.DATA), (CKA.TOKEN, True), (CKA.VALUE, b"x")))
        caller.ok(c.SIGN_INIT, session, private, CKM.ECDSA, b"")
        caller.ok(c.SIGN_ONESHOT, session, data=bytes(32))
        caller.ok(c.CLOSE_SESSION, other)
        assert caller.logout(session) is CKR.OK


def test_a_pin_check_on_one_token_stops_none_on_another() -> None:
    caller = Caller(make_application())
    with caller.application.slots.token(0).pin_lock:
        caller.set_up(1)


def test_two_clients_share_one_user_key_until_both_are_gone() -> None:
    one = Caller(make_application())
    session = one.set_up()
    token = one.application.slots.token(0)
    key = token.user_key
    other = Caller(one.application)
    theirs = other.open()
    assert other.login(theirs, CKU.SO, SO_PIN) is CKR.OK
    assert token.user_key is key
    assert one.logout(session) is CKR.OK
    assert token.user_key is key
    assert other.logout(theirs) is CKR.OK
    assert token.user_key is None


def test_the_last_logout_wipes_the_user_key_and_what_seals_with_it() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    token = caller.application.slots.token(0)
    user_key, seal_key = token.user_key, token._seal_key
    assert user_key is not None
    assert seal_key is not None
    assert any(user_key)
    assert caller.logout(session) is CKR.OK
    assert not any(user_key)
    with pytest.raises(ValueError, match="wiped"):
        seal_key.term(b"")


def test_init_token_takes_the_objects_from_memory_too() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    caller.aes_key(session, token=True)
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    objects = caller.application.slots.token(0).objects
    assert objects._opened
    assert caller.init_token() is CKR.OK
    assert not objects._opened


def test_each_token_has_a_user_key_of_its_own() -> None:
    caller = Caller(make_application())
    caller.set_up(0)
    caller.set_up(1)
    keys = {bytes(caller.application.slots.token(slot).user_key or b"") for slot in (0, 1)}
    assert len(keys) == 2


def test_a_token_is_the_same_object_for_all_clients() -> None:
    application = make_application()
    assert application.slots.token(1) is application.slots.token(1)
    assert [application.slots.token(slot).slot for slot in range(3)] == [0, 1, 2]


def test_vaults_are_named_after_their_slots() -> None:
    assert vault_names(3) == ("token-0", "token-1", "token-2")
