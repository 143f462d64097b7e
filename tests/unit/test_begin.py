# SPDX-License-Identifier: Apache-2.0
"""Every check of C_*Init, and what is answered where several fail."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from softee.stores.memory import MemoryStore
from support.commands import c
from support.object_calls import create, fresh_caller
from support.stores import snapshot
from support.token_world import Attribute, Caller, make_application, template, u32

CBC = (CKM.AES_CBC, bytes(16))
INITS = (c.ENCRYPT_INIT, c.DECRYPT_INIT, c.SIGN_INIT, c.VERIFY_INIT)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application())


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


def secret(caller: Caller, session: int, size: int, *extra: Attribute, kind: CKK = CKK.AES) -> int:
    base = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, kind), (CKA.TOKEN, False), (CKA.VALUE, bytes(size)))
    return caller.ok(c.CREATE_OBJECT, session, template(*base, *extra)).handle


@pytest.mark.parametrize("command", INITS, ids=lambda command: command.name)
@pytest.mark.parametrize("number", [CKM.SHA256, 0x9999, 0xFFFFFFFF])
def test_a_mechanism_that_cannot_do_it_is_refused_first(
    caller: Caller, session: int, command: Command[object], number: int
) -> None:
    assert caller.call(command, session, 4242, number, b"").rv is CKR.MECHANISM_INVALID


@pytest.mark.parametrize("number", [CKM.ECDSA, CKM.AES_CBC, 0x9999])
def test_only_digests_digest(caller: Caller, session: int, number: int) -> None:
    assert caller.call(c.DIGEST_INIT, session, number, b"").rv is CKR.MECHANISM_INVALID


@pytest.mark.parametrize("handle", [0, 4242, 0x80004242, 0xFFFFFFFF])
def test_a_handle_of_nothing_is_refused(caller: Caller, session: int, handle: int) -> None:
    assert caller.call(c.ENCRYPT_INIT, session, handle, *CBC).rv is CKR.KEY_HANDLE_INVALID


@pytest.mark.parametrize("kind", ["data", "X.509 certificate"])
def test_a_handle_of_no_key_is_refused_as_optee_for_what_it_may_not_do(kind: str) -> None:
    for policy in (OPTEE, PORTABLE):
        caller, session = fresh_caller(policy=policy)
        none, key = create(caller, session, kind), create(caller, session, "RSA public key", WRAP=True)
        for rv, in_optee in (
            (caller.call(c.ENCRYPT_INIT, session, none, *CBC).rv, CKR.KEY_FUNCTION_NOT_PERMITTED),
            (caller.call(c.SIGN_INIT, session, none, CKM.AES_CMAC, b"").rv, CKR.KEY_FUNCTION_NOT_PERMITTED),
            (caller.call(c.DERIVE_KEY, session, none, CKM.ECDH1_DERIVE, b"", ()).rv, CKR.KEY_TYPE_INCONSISTENT),
            (caller.call(c.WRAP_KEY, session, key, none, CKM.RSA_AES_KEY_WRAP, b"").rv, CKR.KEY_NOT_WRAPPABLE),
        ):
            assert rv is (in_optee if policy is OPTEE else CKR.KEY_HANDLE_INVALID)


def test_a_damaged_key_is_a_device_error_and_no_bad_handle() -> None:
    """Who is told that the handle is bad would believe that the key is gone."""
    store = MemoryStore()
    caller = Caller(make_application(store))
    session = caller.set_up()
    sound = secret(caller, session, 16, (CKA.WRAP, True))
    before = snapshot(store)
    key = caller.aes_key(session, (CKA.EXTRACTABLE, True), token=True)
    (damaged,) = (name for name, value in snapshot(store).items() if name not in before and len(value) > 200)
    sealed = snapshot(store)[damaged]
    store.commit(expected={}, puts={damaged: sealed[:-1] + bytes([sealed[-1] ^ 1])})
    caller.application.slots.token(0).objects.forget_all()
    assert caller.call(c.ENCRYPT_INIT, session, key, *CBC).rv is CKR.DEVICE_ERROR
    assert caller.call(c.WRAP_KEY, session, key, sound, *CBC).rv is CKR.DEVICE_ERROR
    assert caller.call(c.WRAP_KEY, session, sound, key, *CBC).rv is CKR.DEVICE_ERROR
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    assert caller.call(c.DIGEST_KEY, session, key).rv is CKR.DEVICE_ERROR


def test_a_private_key_is_not_there_before_login(caller: Caller, session: int) -> None:
    _, private = caller.ec_pair(session)
    other = Caller(caller.application)
    assert other.call(c.SIGN_INIT, other.open(), private, CKM.ECDSA, b"").rv is CKR.KEY_HANDLE_INVALID


def test_the_usage_attribute_must_be_true(caller: Caller, session: int) -> None:
    key = secret(caller, session, 16, (CKA.ENCRYPT, True), (CKA.DECRYPT, False))
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC)
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.ENCRYPT_FINAL.number)
    assert caller.call(c.DECRYPT_INIT, session, key, *CBC).rv is CKR.KEY_FUNCTION_NOT_PERMITTED


def test_public_keys_do_not_sign_and_private_ones_do_not_verify(caller: Caller, session: int) -> None:
    public, private = caller.ec_pair(session)
    parts = (CKM.ECDSA, b"")
    assert caller.call(c.SIGN_INIT, session, public, *parts).rv is CKR.KEY_FUNCTION_NOT_PERMITTED
    assert caller.call(c.VERIFY_INIT, session, private, *parts).rv is CKR.KEY_FUNCTION_NOT_PERMITTED


def test_the_key_type_must_fit(caller: Caller, session: int) -> None:
    key = secret(caller, session, 16, (CKA.ENCRYPT, True), (CKA.SIGN, True), kind=CKK.GENERIC_SECRET)
    assert caller.call(c.ENCRYPT_INIT, session, key, *CBC).rv is CKR.KEY_TYPE_INCONSISTENT
    assert caller.call(c.SIGN_INIT, session, key, CKM.ECDSA, b"").rv is CKR.KEY_TYPE_INCONSISTENT


def test_the_key_size_must_fit(caller: Caller, session: int) -> None:
    key = secret(caller, session, 8, (CKA.SIGN, True), kind=CKK.GENERIC_SECRET)
    assert caller.call(c.SIGN_INIT, session, key, CKM.SHA512_HMAC, b"").rv is CKR.KEY_SIZE_RANGE


def test_allowed_mechanisms_are_the_only_ones(caller: Caller, session: int) -> None:
    key = secret(caller, session, 16, (CKA.ENCRYPT, True), (CKA.ALLOWED_MECHANISMS, u32(CKM.AES_ECB)))
    assert caller.call(c.ENCRYPT_INIT, session, key, *CBC).rv is CKR.KEY_FUNCTION_NOT_PERMITTED
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_ECB, b"")


@pytest.mark.parametrize("parameter", [b"", bytes(15), bytes(17)], ids=len)
def test_the_parameter_comes_last(caller: Caller, session: int, parameter: bytes) -> None:
    key = secret(caller, session, 16, (CKA.ENCRYPT, True))
    assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CBC, parameter).rv is CKR.MECHANISM_PARAM_INVALID
    assert caller.call(c.DECRYPT_INIT, session, key, CKM.AES_CBC, parameter).rv is CKR.KEY_FUNCTION_NOT_PERMITTED


def test_a_failed_init_leaves_nothing_behind(caller: Caller, session: int) -> None:
    key = secret(caller, session, 16, (CKA.ENCRYPT, True))
    assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CBC, b"").rv is CKR.MECHANISM_PARAM_INVALID
    assert caller.call(c.ENCRYPT_ONESHOT, session, data=bytes(16)).rv is CKR.OPERATION_NOT_INITIALIZED
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC)
