# SPDX-License-Identifier: Apache-2.0
"""Slots, tokens and mechanisms as they are listed.

The rules are those of PKCS#11 3.2 §5.5.1, PKCS#11 3.2 §5.5.2, PKCS#11 3.2 §5.5.3, PKCS#11 3.2 §5.5.5, PKCS#11 3.2
§5.5.6.
"""

import struct

import pytest

from softee.names import CKK, CKM, CKR, PKCS11_APPLICATION, MechanismFlag, SlotFlag, TeeResult
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PROFILES
from softee.stores.memory import MemoryStore
from softee.tee.secure_storage import SecureStorage
from support.commands import c
from support.token_world import NOW, ROOT_KEY, Caller, make_application, u32

SAID_OF_CURVES = (
    MechanismFlag.EC_F_P | MechanismFlag.EC_NAMEDCURVE | MechanismFlag.EC_CURVENAME | MechanismFlag.EC_UNCOMPRESS
)
OF_CURVES = SAID_OF_CURVES | MechanismFlag.EC_F_2M | MechanismFlag.EC_ECPARAMETERS | MechanismFlag.EC_COMPRESS
ON_SLOT = (c.SLOT_INFO, c.TOKEN_INFO, c.MECHANISM_IDS, c.CLOSE_ALL_SESSIONS, c.SLOT_PROFILE)


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application())


def test_ping_answers_version_1(caller: Caller) -> None:
    assert caller.ok(c.PING, 0).output == u32(1, 0, 0)


def test_slots_are_numbered_from_0(caller: Caller) -> None:
    assert caller.ok(c.SLOT_LIST, 0).output == u32(0, 1, 2)
    short = caller.call(c.SLOT_LIST, 0, capacity=8)
    assert (short.result, short.rv, short.size) == (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 12)


def test_a_setting_says_how_many_slots_there_are() -> None:
    caller = Caller(make_application(slots=5))
    assert caller.ok(c.SLOT_LIST, 0).output == u32(0, 1, 2, 3, 4)
    assert caller.init_token(4) is CKR.OK


@pytest.mark.parametrize("command", ON_SLOT, ids=lambda command: command.name)
def test_there_is_no_slot_3(caller: Caller, command: Command[object]) -> None:
    assert caller.call(command, 3).rv is CKR.SLOT_ID_INVALID


def test_slot_3_has_no_mechanism_and_takes_no_token_or_session(caller: Caller) -> None:
    assert caller.call(c.MECHANISM_INFO, 3, CKM.AES_CBC).rv is CKR.SLOT_ID_INVALID
    assert caller.call(c.OPEN_SESSION, 3, 6).rv is CKR.SLOT_ID_INVALID
    assert caller.init_token(3) is CKR.SLOT_ID_INVALID


def test_the_description_shows_the_installation_in_64_bytes(caller: Caller) -> None:
    description, maker, flags, hardware, firmware = struct.unpack("<64s32sI2s2s", caller.ok(c.SLOT_INFO, 1).output)
    assert description == f"OP-TEE PKCS11 TA - TEE UUID {caller.application.slots.installation}".encode()
    assert maker == b"Linaro".ljust(32)
    assert flags == SlotFlag.TOKEN_PRESENT
    assert (hardware, firmware) == (b"\0\0", b"\1\0")


def test_serial_numbers_are_unique_and_stay() -> None:
    store = MemoryStore()
    serials = {serial(make_application(store), slot) for slot in range(3)}
    assert len(serials) == 3
    assert {serial(make_application(store), slot) for slot in range(3)} == serials
    assert serial(make_application(), 0) not in serials


def serial(application: Pkcs11Application, slot: int) -> bytes:
    return Caller(application).ok(c.TOKEN_INFO, slot).output[80:96]


def test_a_serial_number_survives_initialization(caller: Caller) -> None:
    before = serial(caller.application, 0)
    assert caller.init_token() is CKR.OK
    assert serial(caller.application, 0) == before


def test_sessions_of_all_clients_are_counted(caller: Caller) -> None:
    other = Caller(caller.application)
    caller.open()
    reading = caller.open(flags=4)
    other.open()
    assert counts(caller) == (3, 2)
    caller.ok(c.CLOSE_SESSION, reading)
    other.tee.close()
    assert counts(caller) == (1, 1)


def counts(caller: Caller) -> tuple[int, int]:
    info = caller.ok(c.TOKEN_INFO, 0).output
    return int.from_bytes(info[104:108], "little"), int.from_bytes(info[112:116], "little")


@pytest.mark.parametrize("policy", PROFILES.values(), ids=lambda policy: policy.name)
def test_every_mechanism_of_the_profile_is_listed_in_its_order_and_has_its_info(policy: Policy) -> None:
    caller = Caller(make_application(policy=policy))
    ids = struct.unpack(f"<{len(policy.mechanisms)}I", caller.ok(c.MECHANISM_IDS, 0).output)
    assert ids == tuple(policy.mechanisms)
    for number, spec in policy.mechanisms.items():
        low, high, flags = struct.unpack("<3I", caller.ok(c.MECHANISM_INFO, 0, number).output)
        by_message = MechanismFlag(0) if policy.as_optee else spec.message_flags
        assert flags & ~OF_CURVES == spec.flags | by_message
        assert (low, high) == ((spec.key_size.low, spec.key_size.high) if spec.key_size else (0, 0))


@pytest.mark.parametrize("policy", PROFILES.values(), ids=lambda policy: policy.name)
def test_mechanisms_of_curves_say_which_and_how_they_are_named_but_on_a_board(policy: Policy) -> None:
    """PKCS#11 3.2 §6.3."""
    caller = Caller(make_application(policy=policy))
    on_curves = {CKK.EC, CKK.EC_EDWARDS, CKK.EC_MONTGOMERY}
    for number, spec in policy.mechanisms.items():
        *_, flags = struct.unpack("<3I", caller.ok(c.MECHANISM_INFO, 0, number).output)
        says = bool(spec.key_types) and spec.key_types <= on_curves and not policy.as_optee
        assert flags & OF_CURVES == (SAID_OF_CURVES if says else 0), spec.mechanism.name


@pytest.mark.parametrize("policy", PROFILES.values(), ids=list(PROFILES))
def test_a_slot_names_its_profile(policy: Policy) -> None:
    caller = Caller(make_application(policy=policy))
    assert caller.ok(c.SLOT_PROFILE, 0).output == policy.name.encode()
    assert caller.call(c.SLOT_PROFILE, 0, capacity=0).size == len(policy.name)


@pytest.mark.parametrize("number", [0x9999, 0xFFFFFFFF])
def test_an_unlisted_mechanism_has_none(caller: Caller, number: int) -> None:
    assert caller.call(c.MECHANISM_INFO, 0, number).rv is CKR.MECHANISM_INVALID


def test_a_damaged_token_hurts_no_other() -> None:
    store = MemoryStore()
    caller = Caller(make_application(store))
    assert caller.init_token(0) is CKR.OK
    assert caller.init_token(1) is CKR.OK
    storage = SecureStorage(store, ROOT_KEY, PKCS11_APPLICATION, vaults(3))
    (key,) = [key for key, record in store.range(b"") if b"token-1" in key and len(record.value) > 100][:1]
    store.commit(expected={}, puts={key: bytes(100)})
    damaged = Caller(Pkcs11Application(storage, clock=lambda: NOW))
    assert damaged.call(c.TOKEN_INFO, 1).rv is CKR.DEVICE_ERROR
    assert damaged.call(c.SLOT_INFO, 1).rv is CKR.OK
    assert damaged.call(c.TOKEN_INFO, 0).rv is CKR.OK
    assert damaged.open(0) == 1
