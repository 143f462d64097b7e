# SPDX-License-Identifier: Apache-2.0
"""What waits for what on a token, and what a token keeps in memory."""

import threading
from dataclasses import replace

import pytest

from softee.names import CKA, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from softee.pkcs11_ta.token.slots import vault_names
from softee.stores.memory import MemoryStore
from support.channel_attack import eventually
from support.commands import c
from support.families import Family
from support.stores import FailingStore
from support.token_world import SO_PIN, Caller, make_application, template

NEW_LABEL = b"another".ljust(32)


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


@pytest.mark.parametrize("policy", [OPTEE, PORTABLE, STRICT], ids=lambda policy: policy.name)
def test_the_so_renames_a_token_and_all_else_stays(policy: Policy) -> None:
    store = MemoryStore()
    caller = Caller(make_application(store, policy=policy))
    session = caller.set_up()
    caller.aes_key(session, token=True)
    before = caller.application.slots.token(0).state
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    caller.ok(c.RENAME_TOKEN, session, NEW_LABEL)
    for later in (caller, Caller(make_application(store, policy=policy))):
        assert later.ok(c.TOKEN_INFO, 0).output[:32] == NEW_LABEL
        assert later.application.slots.token(0).state == replace(before, label=NEW_LABEL)
    later = Caller(make_application(store, policy=policy))
    session = later.open()
    assert later.login(session) is CKR.OK
    later.ok(c.FIND_OBJECTS_INIT, session, template())
    assert later.ok(c.FIND_OBJECTS, session).output


def test_attack_nobody_but_the_so_renames_a_token() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    assert caller.call(c.RENAME_TOKEN, session, NEW_LABEL).rv is CKR.USER_NOT_LOGGED_IN
    assert caller.logout(session) is CKR.OK
    assert caller.call(c.RENAME_TOKEN, session, NEW_LABEL).rv is CKR.USER_NOT_LOGGED_IN
    assert caller.ok(c.TOKEN_INFO, 0).output[:32] == b"test".ljust(32)


def test_a_token_that_cannot_be_written_keeps_its_label() -> None:
    store = FailingStore(MemoryStore())
    caller = Caller(make_application(store))
    session = caller.set_up()
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    store.unreachable = True
    assert caller.call(c.RENAME_TOKEN, session, NEW_LABEL).rv is CKR.DEVICE_ERROR
    store.unreachable = False
    assert caller.ok(c.TOKEN_INFO, 0).output[:32] == b"test".ljust(32)


def test_a_pin_check_that_runs_meanwhile_brings_no_old_label_back() -> None:
    caller = Caller(make_application())
    session = caller.set_up()
    assert caller.logout(session) is CKR.OK
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    token = caller.application.slots.token(0)
    renaming = threading.Thread(target=caller.call, args=(c.RENAME_TOKEN, session, NEW_LABEL))
    with token.pin_turn():
        renaming.start()
        assert not eventually(lambda: token.state.label == NEW_LABEL, 0.05)
        token.store(token.state)
    renaming.join(20)
    assert token.state.label == NEW_LABEL


def test_other_workers_show_a_new_label_at_the_next_call() -> None:
    family = Family()
    ours, theirs = Caller(family.member(0)), Caller(family.member(1))
    session = ours.set_up()
    assert theirs.ok(c.TOKEN_INFO, 0).output[:32] == b"test".ljust(32)
    assert ours.logout(session) is CKR.OK
    assert ours.login(session, CKU.SO, SO_PIN) is CKR.OK
    ours.ok(c.RENAME_TOKEN, session, NEW_LABEL)
    assert theirs.ok(c.TOKEN_INFO, 0).output[:32] == NEW_LABEL
