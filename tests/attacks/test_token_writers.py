# SPDX-License-Identifier: Apache-2.0
"""Attacks on what stands on the token: planted, altered, destroyed, without a PIN or with the user's alone."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.commands import c
from support.object_calls import create, get, search, wire
from support.token_world import P256, SO_PIN, Caller, make_application, template

T, F = True, False
SAFE = pytest.mark.parametrize("policy", [PORTABLE, STRICT], ids=lambda policy: policy.name)


def prepared(policy: Policy) -> tuple[Caller, int]:
    """Return a client whose user is logged in, in a read-write session."""
    caller = Caller(make_application(policy=policy))
    return caller, caller.set_up()


def trusted_kek(caller: Caller, session: int) -> int:
    """Log the SO in and out for a private trusted KEK; return its handle for the user."""
    caller.logout(session)
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    caller.ok(c.CREATE_OBJECT, session, wire("AES key", TOKEN=True, PRIVATE=True, TRUSTED=True, WRAP=True, ID=b"kek"))
    caller.logout(session)
    assert caller.login(session) is CKR.OK
    (kek,) = search(caller, session, template((CKA.ID, b"kek")))
    return kek


@SAFE
def test_a_client_without_a_pin_neither_plants_nor_changes_nor_destroys_token_objects(policy: Policy) -> None:
    caller, session = prepared(policy)
    mine = create(caller, session, TOKEN=True, PRIVATE=False, LABEL=b"mine")
    stranger = Caller(caller.application)
    theirs = stranger.open()
    planted = wire("EC public key", TOKEN=True, PRIVATE=False, LABEL=b"mine")
    assert stranger.call(c.CREATE_OBJECT, theirs, planted).rv is CKR.USER_NOT_LOGGED_IN
    pair = (template((CKA.EC_PARAMS, P256), (CKA.TOKEN, T)), template((CKA.TOKEN, T), (CKA.PRIVATE, F)))
    answer = stranger.call(c.GENERATE_KEY_PAIR, theirs, CKM.EC_KEY_PAIR_GEN, b"", *pair)
    assert answer.rv is CKR.USER_NOT_LOGGED_IN
    assert stranger.call(c.COPY_OBJECT, theirs, mine, template()).rv is CKR.USER_NOT_LOGGED_IN
    change = template((CKA.LABEL, b"theirs"))
    assert stranger.call(c.SET_ATTRIBUTE_VALUE, theirs, mine, change).rv is CKR.USER_NOT_LOGGED_IN
    assert stranger.call(c.DESTROY_OBJECT, theirs, mine).rv is CKR.USER_NOT_LOGGED_IN
    assert get(caller, session, mine, CKA.LABEL) == b"mine"


def test_optee_lets_everybody_write_as_a_board_does() -> None:
    caller, session = prepared(OPTEE)
    stranger = Caller(caller.application)
    theirs = stranger.open()
    planted = create(stranger, theirs, TOKEN=True, LABEL=b"planted")
    assert search(caller, session, template((CKA.LABEL, b"planted"))) == [planted]


@SAFE
def test_a_new_object_with_a_victim_s_label_and_id_is_found_after_the_victim_s(policy: Policy) -> None:
    caller, session = prepared(policy)
    found = [create(caller, session, "AES key", TOKEN=True, LABEL=b"key", ID=b"1") for _ in range(3)]
    assert search(caller, session, template((CKA.LABEL, b"key"), (CKA.ID, b"1"))) == found
    in_session = [create(caller, session, LABEL=b"volatile") for _ in range(3)]
    assert search(caller, session, template((CKA.LABEL, b"volatile"))) == in_session


@SAFE
def test_the_user_does_not_change_copy_or_destroy_a_trusted_key(policy: Policy) -> None:
    caller, session = prepared(policy)
    kek = trusted_kek(caller, session)
    change = template((CKA.DECRYPT, T))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, kek, change).rv is CKR.ACTION_PROHIBITED
    assert caller.call(c.COPY_OBJECT, session, kek, change).rv is CKR.ACTION_PROHIBITED
    assert caller.call(c.COPY_OBJECT, session, kek, template()).rv is CKR.ACTION_PROHIBITED
    assert caller.call(c.DESTROY_OBJECT, session, kek).rv is CKR.ACTION_PROHIBITED
    assert get(caller, session, kek, CKA.TRUSTED) == b"\1"


@SAFE
def test_the_so_marks_a_private_key_that_it_knows_and_sees_nothing_else(policy: Policy) -> None:
    caller, session = prepared(policy)
    key = create(caller, session, "AES key", TOKEN=True, PRIVATE=True, ID=b"mine", WRAP=True)
    other = create(caller, session, TOKEN=True, PRIVATE=True)
    caller.logout(session)
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert search(caller, session, template()) == []
    assert search(caller, session, template((CKA.ID, b"mine"))) == []
    assert search(caller, session, template((CKA.CLASS, CKO.SECRET_KEY))) == []
    (known,) = search(caller, session, template((CKA.CLASS, CKO.SECRET_KEY), (CKA.ID, b"mine")))
    assert known not in (key, other)
    assert get_rv(caller, session, known) is CKR.OBJECT_HANDLE_INVALID
    assert caller.call(c.ENCRYPT_INIT, session, known, CKM.AES_CTR, bytes(20)).rv is CKR.KEY_HANDLE_INVALID
    assert caller.call(c.DESTROY_OBJECT, session, known).rv is CKR.OBJECT_HANDLE_INVALID
    relabel = template((CKA.TRUSTED, T), (CKA.LABEL, b"so's"))
    assert caller.call(c.SET_ATTRIBUTE_VALUE, session, known, relabel).rv is CKR.OBJECT_HANDLE_INVALID
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, known, template((CKA.TRUSTED, T)))
    caller.logout(session)
    caller.login(session)
    (mine,) = search(caller, session, template((CKA.ID, b"mine")))
    assert get(caller, session, mine, CKA.TRUSTED) == b"\1"


@SAFE
def test_the_so_makes_and_destroys_private_keys_only_where_they_are_trusted(policy: Policy) -> None:
    caller, session = prepared(policy)
    kek = trusted_kek(caller, session)
    caller.logout(session)
    caller.login(session, CKU.SO, SO_PIN)
    untrusted = wire("AES key", TOKEN=True, PRIVATE=True)
    assert caller.call(c.CREATE_OBJECT, session, untrusted).rv is CKR.USER_NOT_LOGGED_IN
    assert caller.call(c.DESTROY_OBJECT, session, kek).rv is CKR.OBJECT_HANDLE_INVALID, "the user's handle"
    (known,) = search(caller, session, template((CKA.CLASS, CKO.SECRET_KEY), (CKA.ID, b"kek")))
    caller.ok(c.DESTROY_OBJECT, session, known)


def get_rv(caller: Caller, session: int, handle: int) -> CKR:
    return caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, template((CKA.CLASS, bytes(4)))).rv


@pytest.mark.parametrize("policy", [PORTABLE, STRICT, OPTEE], ids=lambda policy: policy.name)
def test_invariant_6_the_handle_of_a_private_object_ends_with_its_login(policy: Policy) -> None:
    caller, session = prepared(policy)
    second = caller.open()
    key = create(caller, session, "AES key", TOKEN=True, PRIVATE=True, ENCRYPT=True, DESTROYABLE=True)
    public = create(caller, session, TOKEN=True, PRIVATE=False)
    caller.ok(c.FIND_OBJECTS_INIT, second, template((CKA.CLASS, CKO.SECRET_KEY)))
    caller.logout(session)
    assert caller.call(c.FIND_OBJECTS, second).rv is CKR.OPERATION_NOT_INITIALIZED
    caller.login(session)
    for one in (session, second):
        assert get_rv(caller, one, key) is CKR.OBJECT_HANDLE_INVALID
        assert caller.call(c.ENCRYPT_INIT, one, key, CKM.AES_CTR, bytes(20)).rv is CKR.KEY_HANDLE_INVALID
        assert caller.call(c.DESTROY_OBJECT, one, key).rv is CKR.OBJECT_HANDLE_INVALID
        assert get_rv(caller, one, public) is CKR.OK, "handles of public objects stay"
    (again,) = search(caller, session, template((CKA.CLASS, CKO.SECRET_KEY)))
    assert again > key
    caller.ok(c.ENCRYPT_INIT, session, again, CKM.AES_CTR, b"\x80\0\0\0" + bytes(16))


def test_another_client_s_handles_of_private_objects_are_its_own() -> None:
    caller, session = prepared(PORTABLE)
    key = create(caller, session, "AES key", TOKEN=True, PRIVATE=True, LABEL=b"shared")
    other = Caller(caller.application)
    theirs = other.open()
    other.login(theirs)
    other.logout(theirs)
    other.login(theirs)
    (same,) = search(other, theirs, template((CKA.LABEL, b"shared")))
    assert same != key
    assert get_rv(other, theirs, key) is CKR.OBJECT_HANDLE_INVALID


def test_handles_of_private_objects_run_out_instead_of_wrapping_around(monkeypatch: pytest.MonkeyPatch) -> None:
    caller, session = prepared(PORTABLE)
    caller.logout(session)
    monkeypatch.setattr("softee.pkcs11_ta.session.client.FIRST_SESSION_HANDLE", 0x40000005)
    assert caller.login(session) is CKR.OK
    caller.logout(session)
    assert caller.login(session) is CKR.DEVICE_MEMORY


def test_a_key_made_without_a_login_asks_for_one_by_default() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    caller.set_up()
    stranger = Caller(caller.application)
    session = stranger.open()
    wanted = template((CKA.VALUE_LEN, 16), (CKA.KEY_TYPE, CKK.AES))
    assert stranger.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).rv is CKR.USER_NOT_LOGGED_IN
