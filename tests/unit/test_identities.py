# SPDX-License-Identifier: Apache-2.0
"""Login by TEE identity: kernel credentials in the place of PINs, as OP-TEE does it."""

from uuid import UUID, uuid5

import pytest

from softee.names import CKA, CKM, CKR, CKU, LoginMethod
from softee.pkcs11_ta.token import identities
from softee.pkcs11_ta.token.identities import Identity, identity_of, parse_identity
from softee.pkcs11_ta.token.pins import MAX_PIN
from softee.stores.memory import MemoryStore
from softee.tee.application import ClientIdentity
from softee.tee.sealing import SealKey
from support.commands import c
from support.token_world import NAMESPACE, SO_PIN, USER_PIN, Caller, make_application, public_client, user_client

ALICE, BOB, ROOT = user_client(1000), user_client(1001), user_client(0)
STAFF = ClientIdentity(7, 1002, 50, LoginMethod.GROUP, uuid5(NAMESPACE, "gid=32"))
PROTECTED = 0x505


@pytest.fixture
def alice() -> Caller:
    """The SO of a token that logs in by identity."""
    alice = Caller(make_application(), ALICE)
    assert alice.init_token(pin=b"") is CKR.OK
    return alice


def so_session(alice: Caller) -> int:
    session = alice.open()
    assert alice.login(session, CKU.SO, b"") is CKR.OK
    return session


def name(identity: ClientIdentity) -> bytes:
    return f"{identity.login.name.lower()}:{identity.uuid}".encode()


def test_an_empty_so_pin_makes_a_token_that_logs_in_by_identity(alice: Caller) -> None:
    assert alice.token_flags() == PROTECTED


@pytest.mark.parametrize(
    "stranger", [BOB, STAFF, public_client(uid=1000), ROOT], ids=["user", "group", "public", "root"]
)
def test_nobody_else_is_the_so(alice: Caller, stranger: ClientIdentity) -> None:
    other = Caller(alice.application, stranger)
    assert other.init_token(pin=b"") is CKR.PIN_INCORRECT
    session = other.open()
    for _ in range(10):
        assert other.login(session, CKU.SO, b"") is CKR.PIN_INCORRECT
    assert alice.token_flags() == PROTECTED
    so_session(alice)


def test_the_pin_is_not_looked_at(alice: Caller) -> None:
    session = alice.open()
    assert alice.login(session, CKU.SO, b"whatever it is") is CKR.OK


@pytest.mark.parametrize("user", [BOB, STAFF], ids=["user", "group"])
def test_the_so_names_the_user(alice: Caller, user: ClientIdentity) -> None:
    session = so_session(alice)
    assert alice.init_pin(session, name(user)) is CKR.OK
    assert alice.token_flags() == PROTECTED | 8
    caller = Caller(alice.application, user)
    mine = caller.open()
    assert caller.login(mine, CKU.USER, b"") is CKR.OK
    assert alice.logout(session) is CKR.OK
    assert alice.login(session, CKU.USER, b"") is CKR.PIN_INCORRECT


def test_public_lets_everybody_in_who_asks_for_no_identity(alice: Caller) -> None:
    assert alice.init_pin(so_session(alice), b"public") is CKR.OK
    caller = Caller(alice.application, public_client(uid=4711))
    assert caller.login(caller.open(), CKU.USER, b"") is CKR.OK
    assert Caller(alice.application, BOB).init_token(pin=b"") is CKR.SESSION_EXISTS


def test_an_empty_pin_names_oneself(alice: Caller) -> None:
    session = so_session(alice)
    assert alice.init_pin(session, b"") is CKR.OK
    alice.logout(session)
    assert alice.login(session, CKU.USER, b"") is CKR.OK


def test_what_the_so_names_is_who_gets_in_and_nobody_of_the_same_uuid_by_another_method(alice: Caller) -> None:
    assert alice.init_pin(so_session(alice), b"group:" + str(BOB.uuid).encode()) is CKR.OK
    bob = Caller(alice.application, BOB)
    assert bob.login(bob.open(), CKU.USER, b"") is CKR.PIN_INCORRECT


def test_a_pin_that_names_somebody_does_not_make_one_somebody(alice: Caller) -> None:
    assert alice.init_pin(so_session(alice), name(STAFF)) is CKR.OK
    bob = Caller(alice.application, BOB)
    session = bob.open()
    for pin in (name(STAFF), name(ALICE), b"public", b"user:", b""):
        assert bob.login(session, CKU.USER, pin) is CKR.PIN_INCORRECT
        assert bob.set_pin(session, pin, b"") is CKR.PIN_INCORRECT


def test_nobody_is_the_user_before_the_so_has_named_one(alice: Caller) -> None:
    for client in (public_client(), ALICE):
        caller = Caller(alice.application, client)
        assert caller.login(caller.open(), CKU.USER, b"") is CKR.USER_PIN_NOT_INITIALIZED


def test_init_token_forgets_who_the_user_was(alice: Caller) -> None:
    session = so_session(alice)
    assert alice.init_pin(session, name(BOB)) is CKR.OK
    alice.ok(c.CLOSE_SESSION, session)
    assert alice.init_token(pin=b"") is CKR.OK
    assert alice.token_flags() == PROTECTED
    bob = Caller(alice.application, BOB)
    assert bob.login(bob.open(), CKU.USER, b"") is CKR.USER_PIN_NOT_INITIALIZED


def test_the_user_hands_the_role_on_and_is_not_the_user_any_more(alice: Caller) -> None:
    session = so_session(alice)
    assert alice.init_pin(session, name(BOB)) is CKR.OK
    bob = Caller(alice.application, BOB)
    assert bob.set_pin(bob.open(), b"", name(STAFF)) is CKR.OK
    assert bob.login(bob.open(), CKU.USER, b"") is CKR.PIN_INCORRECT
    staff = Caller(alice.application, STAFF)
    assert staff.login(staff.open(), CKU.USER, b"") is CKR.OK


def test_objects_outlive_a_restart_and_every_change_of_who_the_user_is() -> None:
    store = MemoryStore()
    alice = Caller(make_application(store), ALICE)
    alice.init_token(pin=b"")
    alice.init_pin(so_session(alice), name(BOB))
    bob = Caller(alice.application, BOB)
    session = bob.open()
    assert bob.login(session, CKU.USER, b"") is CKR.OK
    key = bob.aes_key(session, (CKA.PRIVATE, True), token=True)
    assert bob.set_pin(session, b"", name(STAFF)) is CKR.OK
    staff = Caller(make_application(store), STAFF)
    session = staff.open()
    assert staff.login(session, CKU.USER, b"") is CKR.OK
    staff.ok(c.FIND_OBJECTS_INIT, session, ())
    assert len(staff.ok(c.FIND_OBJECTS, session).output) == 4, key


def test_a_careful_key_asks_for_the_identity_again(alice: Caller) -> None:
    session = so_session(alice)
    alice.init_pin(session, b"")
    alice.logout(session)
    assert alice.login(session, CKU.USER, b"") is CKR.OK
    key = alice.ec_pair(session, (CKA.ALWAYS_AUTHENTICATE, True))[1]
    alice.ok(c.SIGN_INIT, session, key, CKM.ECDSA, b"")
    assert alice.call(c.SIGN_ONESHOT, session, data=bytes(32)).rv is CKR.USER_NOT_LOGGED_IN
    alice.ok(c.SIGN_INIT, session, key, CKM.ECDSA, b"")
    assert alice.login(session, CKU.CONTEXT_SPECIFIC, b"") is CKR.OK
    alice.ok(c.SIGN_ONESHOT, session, data=bytes(32))


def test_set_pin_hands_the_role_on(alice: Caller) -> None:
    session = so_session(alice)
    assert alice.set_pin(session, b"", name(BOB)) is CKR.OK
    alice.tee.close()
    bob = Caller(alice.application, BOB)
    assert bob.login(bob.open(), CKU.SO, b"") is CKR.OK


@pytest.mark.parametrize(
    "pin",
    [
        b"12345678",
        b"Public",
        b"user:",
        b"user:1000",
        b"root:" + str(ALICE.uuid).encode(),
        b"user:{" + str(ALICE.uuid).encode() + b"}",
        name(ALICE) + b" ",
        b"user:" + ALICE.uuid.hex.encode(),
        b"\xff" * 8,
        b"public\0",
        b"user:" + str(ALICE.uuid).encode()[:-1],
        b"user:" + str(ALICE.uuid).encode()[:-1] + b"g",
        b"group :" + str(ALICE.uuid).encode(),
        b"user:" + b"1" * (MAX_PIN + 1),
    ],
)
def test_what_names_no_identity_is_an_invalid_pin(alice: Caller, pin: bytes) -> None:
    session = so_session(alice)
    assert alice.init_pin(session, pin) is CKR.PIN_INVALID
    assert alice.init_pin(session, name(BOB)) is CKR.OK
    assert alice.init_pin(session, pin) is CKR.PIN_INVALID
    assert alice.set_pin(session, b"", pin) is CKR.PIN_INVALID
    assert alice.token_flags() == PROTECTED | 8


def test_init_token_leaves_the_so_who_it_is_whatever_the_pin(alice: Caller) -> None:
    assert Caller(alice.application, BOB).init_token() is CKR.PIN_INCORRECT
    for pin in (b"123", SO_PIN, b"public", name(BOB)):
        assert alice.init_token(pin=pin) is CKR.OK
        assert alice.token_flags() == PROTECTED
        alice.ok(c.CLOSE_SESSION, so_session(alice))


def test_the_so_goes_back_to_a_pin_with_set_pin_until_there_is_a_user(alice: Caller) -> None:
    session = so_session(alice)
    assert alice.set_pin(session, b"", b"123") is CKR.PIN_LEN_RANGE
    assert alice.token_flags() == PROTECTED
    assert alice.set_pin(session, b"", SO_PIN) is CKR.OK
    assert alice.token_flags() == 0x405
    assert alice.init_pin(session) is CKR.OK
    alice.tee.close()
    bob = Caller(alice.application, BOB)
    session = bob.open()
    assert bob.login(session, CKU.SO, b"") is CKR.PIN_INCORRECT
    assert bob.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert bob.set_pin(session, SO_PIN, b"") is CKR.PIN_LEN_RANGE
    bob.logout(session)
    assert bob.login(session) is CKR.OK
    assert bob.set_pin(session, USER_PIN, b"") is CKR.PIN_LEN_RANGE


def test_the_so_goes_from_a_pin_to_identities_with_an_empty_one() -> None:
    store = MemoryStore()
    alice = Caller(make_application(store), ALICE)
    alice.init_token()
    session = alice.open()
    assert alice.set_pin(session, SO_PIN, b"") is CKR.USER_PIN_NOT_INITIALIZED
    assert alice.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert alice.set_pin(session, b"wrong", b"") is CKR.PIN_INCORRECT
    assert alice.set_pin(session, SO_PIN, b"") is CKR.OK
    assert alice.token_flags() == PROTECTED
    bob = Caller(make_application(store), BOB)
    assert bob.login(bob.open(), CKU.SO, SO_PIN) is CKR.PIN_INCORRECT
    alice = Caller(bob.application, ALICE)
    assert alice.init_pin(so_session(alice), name(BOB)) is CKR.OK
    assert bob.login(bob.open(), CKU.USER, b"") is CKR.OK


def test_nobody_takes_a_token_with_a_pin_over_by_identity() -> None:
    caller = Caller(make_application(), ALICE)
    caller.init_token()
    assert caller.init_token(pin=b"") is CKR.PIN_INCORRECT
    assert caller.token_flags() == 0x405 | 1 << 20


def test_what_wraps_the_user_key_for_an_identity_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[SealKey] = []

    def noted(secret: bytes) -> SealKey:
        keys.append(SealKey(secret))
        return keys[-1]

    monkeypatch.setattr(identities, "SealKey", noted)
    alice = Caller(make_application(), ALICE)
    assert alice.init_token(pin=b"") is CKR.OK
    so_session(alice)
    assert len(keys) == 2
    for key in keys:
        with pytest.raises(ValueError, match="wiped"):
            key.term(b"")


def test_upper_case_uuids_are_the_same() -> None:
    pin = bytearray(b"user:" + str(ALICE.uuid).upper().encode())
    assert parse_identity(pin, BOB) == identity_of(ALICE)


def test_public_has_the_nil_uuid() -> None:
    assert parse_identity(bytearray(b"public"), ALICE) == Identity(LoginMethod.PUBLIC, UUID(int=0))


def test_the_user_key_is_not_under_a_pin(alice: Caller) -> None:
    session = so_session(alice)
    alice.init_pin(session, name(ALICE))
    alice.logout(session)
    alice.login(session, CKU.USER, b"")
    assert alice.application.slots.token(0).user_key is not None
    alice.ok(c.CLOSE_SESSION, session)
    assert alice.application.slots.token(0).user_key is None
