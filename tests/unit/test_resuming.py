# SPDX-License-Identifier: Apache-2.0
"""Operations that are resumed: C_*Init and a function in one command, and what ends that."""

import struct
from dataclasses import dataclass
from typing import Any

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.replies import STARTED, StartedFlag
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from support.commands import c
from support.token_world import USER_PIN, Answer, Caller, make_application, template

DATA = b"what is signed"
HASH = bytes(32)


@dataclass
class World:
    """A client with a session, logged in, and a second client of the same token."""

    caller: Caller
    session: int

    def start(self, command: Command[Any] = c.SIGN_START, *request: int | bytes) -> Answer:
        return self.caller.call(command, self.session, *request)

    def sign_start(self, key: int) -> tuple[int, StartedFlag, int, int]:
        size, flags, place, count = STARTED.unpack(self.caller.ok(c.SIGN_START, self.session, key, *ECDSA).output)
        return size, StartedFlag(flags), place, count

    def again(self, capacity: int = 64) -> CKR:
        return self.caller.call(c.SIGN_AGAIN, self.session, data=HASH, capacity=capacity).rv

    def sign(self, key: int) -> None:
        self.sign_start(key)
        assert self.caller.ok(c.SIGN_ONESHOT, self.session, data=HASH).size == 64


ECDSA = (CKM.ECDSA_SHA256, b"")


@pytest.fixture(params=[PORTABLE, OPTEE], ids=["portable", "optee"])
def world(request: pytest.FixtureRequest) -> World:
    caller = Caller(make_application(policy=request.param))
    return World(caller, caller.set_up())


def secret_key(world: World, *, token: bool = False) -> int:
    attributes = template(
        (CKA.CLASS, CKO.SECRET_KEY),
        (CKA.KEY_TYPE, CKK.AES),
        (CKA.TOKEN, token),
        (CKA.ENCRYPT, True),
        (CKA.DECRYPT, True),
        (CKA.SIGN, True),
        (CKA.VERIFY, True),
        (CKA.VALUE, bytes(range(16))),
    )
    return world.caller.ok(c.CREATE_OBJECT, world.session, attributes).handle


def test_what_a_start_tells(world: World) -> None:
    _, private = world.caller.ec_pair(world.session)
    size, flags, place, _ = world.sign_start(private)
    assert (size, flags, place) == (64, StartedFlag.RESUMABLE | StartedFlag.MULTI_PART, 0)


def test_a_start_is_refused_as_an_init(world: World) -> None:
    public, private = world.caller.ec_pair(world.session)
    assert world.start(c.SIGN_START, private, CKM.RSA_PKCS, b"").rv is CKR.KEY_TYPE_INCONSISTENT
    assert world.start(c.SIGN_START, public, *ECDSA).rv is CKR.KEY_FUNCTION_NOT_PERMITTED
    world.sign_start(private)
    assert world.start(c.SIGN_START, private, *ECDSA).rv is CKR.OPERATION_ACTIVE


def test_the_same_again_gives_the_same(world: World) -> None:
    key, mechanism = secret_key(world), (CKM.AES_CBC_PAD, bytes(16))
    pairs = [
        (c.ENCRYPT_START, c.ENCRYPT_ONESHOT, c.ENCRYPT_AGAIN, (key, *mechanism), DATA),
        (c.DECRYPT_START, c.DECRYPT_ONESHOT, c.DECRYPT_AGAIN, (key, *mechanism), b""),
        (c.SIGN_START, c.SIGN_ONESHOT, c.SIGN_AGAIN, (key, CKM.AES_CMAC, b""), DATA),
        (c.DIGEST_START, c.DIGEST_ONESHOT, c.DIGEST_AGAIN, (CKM.SHA256, b""), DATA),
    ]
    output = b""
    for start, one_shot, again, request, data in pairs:
        given = data or output
        world.caller.ok(start, world.session, *request)
        output = world.caller.ok(one_shot, world.session, data=given).output
        for _ in range(3):
            assert world.caller.ok(again, world.session, data=given).output == output


def test_each_verification_is_of_its_own_signature(world: World) -> None:
    key = secret_key(world)
    world.caller.ok(c.SIGN_START, world.session, key, CKM.AES_CMAC, b"")
    mac = world.caller.ok(c.SIGN_ONESHOT, world.session, data=DATA).output
    world.caller.ok(c.VERIFY_START, world.session, key, CKM.AES_CMAC, b"")
    world.caller.ok(c.VERIFY_ONESHOT, world.session, data=DATA, second=mac)
    world.caller.ok(c.VERIFY_AGAIN, world.session, data=DATA, second=mac)
    assert world.caller.call(c.VERIFY_AGAIN, world.session, data=b"", second=mac).rv is CKR.SIGNATURE_INVALID
    answer = world.caller.call(c.VERIFY_AGAIN, world.session, data=DATA, second=mac)
    assert answer.rv is CKR.OPERATION_NOT_INITIALIZED


def test_what_was_resumed_goes_on_as_any_other(world: World) -> None:
    _, private = world.caller.ec_pair(world.session)
    world.sign(private)
    assert world.again(capacity=3) is CKR.BUFFER_TOO_SMALL
    assert world.caller.ok(c.SIGN_ONESHOT, world.session, data=HASH).size == 64
    world.caller.ok(c.RESUME, world.session, c.SIGN_AGAIN.number)
    assert world.caller.call(c.RESUME, world.session, c.SIGN_AGAIN.number).rv is CKR.OPERATION_ACTIVE
    world.caller.ok(c.SIGN_UPDATE, world.session, data=HASH)
    assert world.caller.ok(c.SIGN_FINAL, world.session).size == 64
    assert world.again() is CKR.OPERATION_NOT_INITIALIZED


def test_one_that_may_be_resumed_is_none(world: World) -> None:
    """PKCS#11 3.2 §5.13.1."""
    _, private = world.caller.ec_pair(world.session)
    world.sign(private)
    for command in (c.SIGN_ONESHOT, c.SIGN_UPDATE, c.SIGN_FINAL):
        assert world.caller.call(command, world.session).rv is CKR.OPERATION_NOT_INITIALIZED
    assert world.caller.call(c.RELEASE_ACTIVE_PROCESSING, world.session, 31).rv is CKR.OPERATION_NOT_INITIALIZED
    world.caller.ok(c.DIGEST_INIT, world.session, CKM.SHA256, b"")


def test_only_what_was_started_for_it_is_resumed(world: World) -> None:
    _, private = world.caller.ec_pair(world.session)
    world.caller.ok(c.SIGN_INIT, world.session, private, *ECDSA)
    world.caller.ok(c.SIGN_ONESHOT, world.session, data=HASH)
    assert world.again() is CKR.OPERATION_NOT_INITIALIZED
    assert world.caller.call(c.RESUME, world.session, c.SIGN_INIT.number).rv is CKR.ARGUMENTS_BAD


def test_a_key_that_asks_for_a_login_before_each_use_asks_each_time(world: World) -> None:
    """PKCS#11 3.2 §4.9."""
    _, private = world.caller.ec_pair(world.session, (CKA.ALWAYS_AUTHENTICATE, True))
    size, flags, _, _ = world.sign_start(private)
    assert (size, flags) == (0, StartedFlag.MULTI_PART)
    assert world.caller.login(world.session, CKU.CONTEXT_SPECIFIC, USER_PIN) is CKR.OK
    world.caller.ok(c.SIGN_ONESHOT, world.session, data=HASH)
    assert world.again() is CKR.OPERATION_NOT_INITIALIZED


def test_invariant_6_a_private_key_is_not_resumed_after_the_logout(world: World) -> None:
    _, private = world.caller.ec_pair(world.session)
    world.sign(private)
    assert world.caller.logout(world.session) is CKR.OK
    assert world.again() is CKR.OPERATION_NOT_INITIALIZED
    assert world.caller.login(world.session) is CKR.OK
    assert world.again() is CKR.OPERATION_NOT_INITIALIZED


def destroy_by_another_client(world: World) -> None:
    other = Caller(world.caller.application)
    session = other.open()
    assert other.login(session) is CKR.OK
    other.ok(c.FIND_OBJECTS_INIT, session, template((CKA.CLASS, CKO.SECRET_KEY)))
    for (handle,) in struct.iter_unpack("<I", other.ok(c.FIND_OBJECTS, session).output):
        other.ok(c.DESTROY_OBJECT, session, handle)


@pytest.mark.parametrize("token", [False, True], ids=["session", "token"])
def test_a_key_that_is_destroyed_is_resumed_once_more_and_never_again(world: World, *, token: bool) -> None:
    key = secret_key(world, token=token)
    world.caller.ok(c.SIGN_START, world.session, key, CKM.AES_CMAC, b"")
    world.caller.ok(c.SIGN_ONESHOT, world.session, data=DATA)
    if token:
        destroy_by_another_client(world)
    else:
        world.caller.ok(c.DESTROY_OBJECT, world.session, key)
    assert world.again() is CKR.OK
    assert world.again() is CKR.OPERATION_NOT_INITIALIZED


def test_a_change_is_counted_before_it_is_answered(world: World) -> None:
    key = secret_key(world, token=True)
    counts = [STARTED.unpack(world.start(c.DIGEST_START, CKM.SHA256, b"").output)[3]]
    other = world.caller.open()
    for label in (b"one", b"another"):
        world.caller.ok(c.SET_ATTRIBUTE_VALUE, other, key, template((CKA.LABEL, label)))
        counts.append(STARTED.unpack(world.caller.ok(c.DIGEST_START, world.caller.open(), CKM.SHA256, b"").output)[3])
    assert counts == sorted(set(counts))
