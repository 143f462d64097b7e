# SPDX-License-Identifier: Apache-2.0
"""Which commands the loop answers itself: none that commits, seeks primes, computes with a PIN, or waits for a lock."""

import struct
import threading
from typing import Any

import pytest

from softee.names import CKA, CKM, CKO, ParamType
from softee.pkcs11_ta import pace
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.wire.values import Memref, Params
from support.commands import c
from support.mechanism_runs import gcm_params
from support.object_calls import fresh_caller, pair
from support.samples.ec import P256
from support.samples.lattice import sign_params
from support.token_world import Attribute, Caller, template

Given = tuple[Attribute, ...]

P384 = bytes.fromhex("06052b81040022")
ED25519 = bytes.fromhex("06032b6570")
LONG = {
    *("INIT_TOKEN", "INIT_PIN", "SET_PIN", "LOGIN", "LOGOUT", "CLOSE_ALL_SESSIONS"),
    *("CREATE_OBJECT", "COPY_OBJECT", "SET_ATTRIBUTE_VALUE"),
    *("DERIVE_KEY", "DERIVE_KEYS", "WRAP_KEY", "UNWRAP_KEY"),
    *("ENCAPSULATE_KEY", "DECAPSULATE_KEY", "WRAP_KEY_AUTHENTICATED", "UNWRAP_KEY_AUTHENTICATED", "ATTEST_KEY"),
}


@pytest.fixture(scope="module")
def world() -> tuple[Caller, int]:
    return fresh_caller(policy=PORTABLE)


def request(first: bytes) -> Params:
    return (Memref(ParamType.MEMREF_INOUT, bytearray(first), 64), None, None, None)


def quick(caller: Caller, command: Command[Any] | int, first: int | bytes) -> bool:
    number = command if isinstance(command, int) else command.number
    return caller.tee.is_quick(number, request(first if isinstance(first, bytes) else struct.pack("<I", first)))


def test_what_commits_unwraps_keys_or_takes_a_pin_has_a_thread_of_its_own(world: tuple[Caller, int]) -> None:
    caller, session = world
    assert {command.name for command in COMMANDS} > LONG
    assert not [command.name for command in COMMANDS if command.name in LONG and quick(caller, command, session)]


@pytest.mark.parametrize(
    ("generation", "mechanism", "part", "expected"),
    [
        (CKM.EC_KEY_PAIR_GEN, CKM.ECDSA, (CKA.EC_PARAMS, P256), True),
        (CKM.EC_KEY_PAIR_GEN, CKM.ECDSA, (CKA.EC_PARAMS, P384), False),
        (CKM.ML_DSA_KEY_PAIR_GEN, CKM.ML_DSA, (CKA.PARAMETER_SET, 1), False),
        (CKM.RSA_PKCS_KEY_PAIR_GEN, CKM.SHA256_RSA_PKCS, (CKA.MODULUS_BITS, 1024), False),
    ],
    ids=lambda value: value.name if isinstance(value, CKM) else "",
)
def test_a_signature_is_as_quick_as_its_key(
    world: tuple[Caller, int], generation: CKM, mechanism: CKM, part: tuple[CKA, bytes | int], *, expected: bool
) -> None:
    caller, session = world
    _, private = pair(caller, session, generation, (part,))
    caller.ok(c.SIGN_INIT, session, private, mechanism, sign_params() if mechanism is CKM.ML_DSA else b"")
    assert quick(caller, c.SIGN_ONESHOT, session) is expected
    assert quick(caller, c.SIGN_UPDATE, session) is expected
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.SIGN_UPDATE.number)
    assert quick(caller, c.SIGN_ONESHOT, session)


def quick_with(caller: Caller, command: Command[Any], session: int, size: int) -> bool:
    control = Memref(ParamType.MEMREF_INOUT, bytearray(struct.pack("<I", session)), 64)
    data = Memref(ParamType.MEMREF_INPUT, capacity=size)
    return caller.tee.is_quick(command.number, (control, data, None, None))


@pytest.mark.parametrize(
    ("mechanism", "parameter", "most"),
    [(CKM.AES_GCM, gcm_params(bytes(12)), 72 << 10), (CKM.AES_CTS, bytes(16), 16 << 10)],
)
def test_encryption_is_as_quick_as_its_mechanism_with_the_data(
    world: tuple[Caller, int], mechanism: CKM, parameter: bytes, most: int
) -> None:
    caller, session = world
    caller.ok(c.ENCRYPT_INIT, session, caller.aes_key(session), mechanism, parameter)
    for command in (c.ENCRYPT_ONESHOT, c.ENCRYPT_UPDATE):
        assert [quick_with(caller, command, session, size) for size in (0, most, most + 1)] == [True, True, False]
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.ENCRYPT_UPDATE.number)


@pytest.mark.parametrize(("mechanism", "most"), [(CKM.SHA256, 72 << 10), (CKM.SHA3_256, 16 << 10)])
def test_so_are_digests(world: tuple[Caller, int], mechanism: CKM, most: int) -> None:
    caller, session = world
    caller.ok(c.DIGEST_INIT, session, mechanism, b"")
    for command in (c.DIGEST_ONESHOT, c.DIGEST_UPDATE):
        assert [quick_with(caller, command, session, size) for size in (0, most, most + 1)] == [True, True, False]
    caller.ok(c.DIGEST_FINAL, session)


ON_TOKEN, IN_SESSION = (CKA.TOKEN, True), (CKA.TOKEN, False)


@pytest.mark.parametrize(
    ("mechanism", "public", "private", "expected"),
    [
        (CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),), (), True),
        (CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256), IN_SESSION), (IN_SESSION,), True),
        (CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P384),), (), False),
        (CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256), ON_TOKEN), (), False),
        (CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),), (ON_TOKEN,), False),
        (CKM.EC_KEY_PAIR_GEN, ((CKA.LABEL, bytes(4096)), ON_TOKEN), (), False),
        (CKM.EC_EDWARDS_KEY_PAIR_GEN, ((CKA.EC_PARAMS, ED25519),), (), True),
        (CKM.EC_EDWARDS_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P384),), (), False),
        (CKM.EC_MONTGOMERY_KEY_PAIR_GEN, (), (), True),
        (CKM.RSA_PKCS_KEY_PAIR_GEN, ((CKA.MODULUS_BITS, 1024),), (), False),
        (CKM.ML_DSA_KEY_PAIR_GEN, ((CKA.PARAMETER_SET, 1),), (), False),
    ],
)
def test_keys_are_made_at_once_where_that_is_quick_and_nothing_is_committed(
    world: tuple[Caller, int], mechanism: CKM, public: Given, private: Given, *, expected: bool
) -> None:
    caller, session = world
    command = c.GENERATE_KEY_PAIR
    data = command.encode(command.request(session, mechanism, b"", template(*public), template(*private)))
    assert caller.tee.is_quick(command.number, request(data)) is expected
    for cut in range(len(data)):
        caller.tee.is_quick(command.number, request(data[:cut]))  # whatever it says, it raises nothing


@pytest.mark.parametrize(
    ("mechanism", "given", "expected"),
    [
        (CKM.AES_KEY_GEN, (), True),
        (CKM.GENERIC_SECRET_KEY_GEN, (IN_SESSION,), True),
        (CKM.AES_KEY_GEN, (ON_TOKEN,), False),
        (CKM.PKCS5_PBKD2, (), False),
    ],
)
def test_so_are_secret_keys(world: tuple[Caller, int], mechanism: CKM, given: Given, *, expected: bool) -> None:
    caller, session = world
    data = c.GENERATE_KEY.encode(c.GENERATE_KEY.request(session, mechanism, b"par", template(*given)))
    assert caller.tee.is_quick(c.GENERATE_KEY.number, request(data)) is expected


@pytest.mark.parametrize(("handle", "expected"), [(1, False), (0x40000001, False), (0x80000000, True)])
def test_a_session_object_is_destroyed_at_once(world: tuple[Caller, int], handle: int, *, expected: bool) -> None:
    caller, session = world
    data = c.DESTROY_OBJECT.encode(c.DESTROY_OBJECT.request(session, handle))
    assert caller.tee.is_quick(c.DESTROY_OBJECT.number, request(data)) is expected


def test_nobody_waits_for_a_token_s_lock(world: tuple[Caller, int]) -> None:
    caller, session = world
    token = caller.application.slots.token(0)
    on_token: list[tuple[Command[Any], int | bytes]]
    on_token = [(c.OPEN_SESSION, 0), (c.TOKEN_INFO, 0), (c.CLOSE_SESSION, session), (c.FIND_OBJECTS_INIT, session)]
    on_token.append((c.DESTROY_OBJECT, struct.pack("<II", session, 0x80000000)))
    on_token.append((c.GENERATE_KEY, struct.pack("<5I", session, CKM.AES_KEY_GEN, 0, 0, 0)))
    assert all(quick(caller, command, first) for command, first in on_token)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with token.lock:
            held.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    assert not any(quick(caller, command, first) for command, first in on_token)
    assert quick(caller, c.SESSION_INFO, session)
    done.set()
    holder.join()


def test_a_token_that_was_not_opened_yet_is_opened_in_a_thread(world: tuple[Caller, int]) -> None:
    assert not quick(world[0], c.OPEN_SESSION, 2)


def test_a_search_among_very_many_objects_has_a_thread(
    world: tuple[Caller, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, session = world
    monkeypatch.setattr(pace, "_MANY_OBJECTS", 0)
    kind = (CKA.CLASS, CKO.PRIVATE_KEY)
    for attributes, expected in (
        ((), False),
        ((kind,), False),
        (((CKA.LABEL, b"x"),), True),
        (((CKA.APPLICATION, bytes(4096)), (CKA.LABEL, b"x")), False),
        ((kind, (CKA.ID, b"1")), True),
    ):
        data = c.FIND_OBJECTS_INIT.encode(c.FIND_OBJECTS_INIT.request(session, template(*attributes)))
        for cut in (0, 1, 9):
            found = caller.tee.is_quick(c.FIND_OBJECTS_INIT.number, request(data[: len(data) - cut]))
            assert found is expected or cut
    assert not quick(caller, c.FIND_OBJECTS_INIT, session)


def test_a_refusal_is_quick(world: tuple[Caller, int]) -> None:
    caller, _ = world
    assert quick(caller, 0x7777, 0)
    assert quick(caller, c.OPEN_SESSION, 99)
    for command in (c.SIGN_ONESHOT, c.CLOSE_SESSION, c.GENERATE_KEY, c.DESTROY_OBJECT):
        assert quick(caller, command, 0x7777)
        assert caller.tee.is_quick(command.number, request(b"\1"))
        assert caller.tee.is_quick(command.number, (None, None, None, None))
