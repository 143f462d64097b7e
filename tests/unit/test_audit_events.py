# SPDX-License-Identifier: Apache-2.0
"""Which events are noted, with what, before which answer; and what is refused where that cannot be."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from softee.daemon.tickets import LoginTable
from softee.names import CKA, CKK, CKM, CKO, CKR, CKU, ParamType, SessionFlag
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.restored import SavedSession
from softee.pkcs11_ta.audit.events import POLICY_REFUSALS, REFUSED, ROWS, USES, events
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.session.tickets import Tickets
from softee.pkcs11_ta.token.profiles import OPTEE, STRICT
from softee.stores.base import StoreError
from softee.tee.audit_chain import LARGEST_LINE
from softee.wire.values import Memref
from support.audit import AuditWorld
from support.commands import c
from support.object_calls import create, generate
from support.tickets import PROCESS, MemoryKeeper, Time, keep_login, restore
from support.token_world import P256, SO_PIN, USER_PIN, Caller, public_client, template, user_client


@pytest.fixture
def world(tmp_path: Path) -> AuditWorld:
    return AuditWorld(tmp_path / "audit")


@pytest.fixture
def caller(world: AuditWorld) -> Caller:
    return Caller(world.application(("sign", "decrypt")))


def names(world: AuditWorld) -> list[str]:
    return [event["event"] for event in world.events()]


def last(world: AuditWorld) -> dict[str, Any]:
    """Return the last event, without what all have."""
    common = {"number", "time", "previous", "uid", "pid", "slot", "token"}
    return {name: value for name, value in world.events()[-1].items() if name not in common}


def test_a_token_s_first_day_is_told_in_order(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    caller.logout(session)
    told = [(event["event"], event.get("user"), event["result"]) for event in world.events()]
    assert told == [
        ("init-token", None, "CKR_OK"),
        ("login", "SO", "CKR_OK"),
        ("init-pin", None, "CKR_OK"),
        ("logout", None, "CKR_OK"),
        ("login", "USER", "CKR_OK"),
        ("logout", None, "CKR_OK"),
    ]
    first = world.events()[0]
    assert (first["label"], first["slot"], first["uid"], first["pid"]) == ("test", 0, 1000, 1)
    assert first["token"] == caller.application.slots.token(0).serial_number
    assert world.findings() == []


def test_wrong_pins_and_the_lock_they_lead_to_are_noted(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    caller.logout(session)
    before = len(world.events())
    assert [caller.login(session, CKU.USER, b"wrong!") for _ in range(8)][-1] is CKR.PIN_LOCKED
    told = [(event["event"], event["result"]) for event in world.events()[before:]]
    assert told == [
        *[("login", "CKR_PIN_INCORRECT")] * 6,
        *(("login", "CKR_PIN_LOCKED"), ("lock", "CKR_OK")),
        ("login", "CKR_PIN_LOCKED"),
    ]
    assert world.events()[before + 7]["user"] == "USER"
    assert caller.init_token(pin=b"nobody's") is CKR.SESSION_EXISTS
    assert last(world)["result"] == "CKR_SESSION_EXISTS"


def test_a_pin_that_is_changed_is_noted(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    assert caller.set_pin(session, USER_PIN, b"another") is CKR.OK
    assert last(world) == {"event": "set-pin", "result": "CKR_OK", "function": "C_SetPIN"}
    assert caller.set_pin(session, b"wrong!", b"another") is CKR.PIN_INCORRECT
    assert last(world)["result"] == "CKR_PIN_INCORRECT"


def test_who_asked_for_an_identity_is_told_with_it(world: AuditWorld) -> None:
    identity = user_client(1234, pid=77)
    Caller(world.application(), identity).init_token()
    event = world.events()[-1]
    assert (event["uid"], event["pid"], event["identity"]) == (1234, 77, f"user {identity.uuid}")


def test_every_end_of_a_login_is_a_logout(world: AuditWorld, caller: Caller) -> None:
    first = caller.set_up()
    second = caller.open()
    count = names(world).count("logout")
    caller.ok(c.CLOSE_SESSION, first)
    assert names(world).count("logout") == count, "another session holds the login"
    caller.ok(c.CLOSE_SESSION, second)
    assert names(world).count("logout") == count + 1
    session = caller.open()
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    assert names(world).count("logout") == count + 1, "nobody was logged in"
    session = caller.open()
    assert caller.login(session) is CKR.OK
    caller.ok(c.CLOSE_ALL_SESSIONS, 0)
    session = caller.open()
    assert caller.login(session) is CKR.OK
    caller.tee.close(returns=True)
    assert names(world).count("logout") == count + 3
    assert last(world) == {"event": "logout", "result": "CKR_OK", "ended": True}


def test_objects_are_told_by_number_id_and_label(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    named = ((CKA.ID, b"\xa1\x02"), (CKA.LABEL, b'a "key"\n\xff\x1b[31m'), (CKA.TOKEN, True))
    handle = generate(caller, session, *named)
    told = {"number": 1, "class": "secret key", "id": "a102", "label": 'a "key"\n\\xff\x1b[31m'}
    assert last(world) == {
        "event": "generate",
        "result": "CKR_OK",
        "function": "C_GenerateKey",
        "mechanism": "CKM_AES_KEY_GEN",
        "made": [told],
    }
    assert b"\x1b" not in world.lines()[-1]
    caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"new")))
    assert last(world)["event"] == "change"
    assert last(world)["object"] == told, "as it was"
    copied = caller.ok(c.COPY_OBJECT, session, handle, template((CKA.ID, b"\1"))).handle
    assert last(world)["made"] == [told | {"number": 2, "id": "01", "label": "new"}]
    caller.ok(c.DESTROY_OBJECT, session, copied)
    assert last(world) == {
        "event": "destroy",
        "result": "CKR_OK",
        "function": "C_DestroyObject",
        "object": told | {"number": 2, "id": "01", "label": "new"},
    }
    caller.call(c.DESTROY_OBJECT, session, copied)
    assert last(world) | {"function": ""} == {
        "event": "destroy",
        "result": "CKR_OBJECT_HANDLE_INVALID",
        "function": "",
        "object": {"handle": copied},
    }
    data = create(caller, session)
    assert last(world)["made"][0]["session_handle"] == data


def test_a_name_without_end_is_cut(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    named = ((CKA.ID, bytes(5000)), (CKA.LABEL, "\U0001f511".encode() * 5000), (CKA.TOKEN, True))
    public = template((CKA.EC_PARAMS, P256), *named)
    caller.ok(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", public, template(*named))
    made = last(world)["made"]
    assert [len(one["label"]) for one in made] == [67, 67]
    assert [len(one["id"]) for one in made] == [131, 131]


def test_as_many_names_as_there_can_be_fit_into_a_line(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    named = ((CKA.ID, bytes(5000)), (CKA.LABEL, "\U0001f511".encode() * 5000), (CKA.TOKEN, True))
    generate(caller, session, *named)
    assert len(world.lines()[-1]) * (1 + max(row.makes for row in ROWS)) < LARGEST_LINE


def test_keys_that_come_and_go_are_noted_with_what_they_came_and_went_by(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    wrapping = generate(caller, session, (CKA.WRAP, True), (CKA.UNWRAP, True), (CKA.ID, b"\1"), (CKA.TOKEN, True))
    key = generate(caller, session, (CKA.EXTRACTABLE, True), (CKA.ID, b"\2"), (CKA.TOKEN, True))
    wrapped = caller.ok(c.WRAP_KEY, session, wrapping, key, CKM.AES_KEY_WRAP, b"").output
    event = last(world)
    assert (event["event"], event["key"]["id"], event["wrapped"]["id"]) == ("wrap", "01", "02")
    assert event["mechanism"] == "CKM_AES_KEY_WRAP"
    attributes = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (CKA.ID, b"\3"))
    caller.ok(c.UNWRAP_KEY, session, wrapping, CKM.AES_KEY_WRAP, b"", attributes, data=wrapped)
    event = last(world)
    assert (event["event"], event["key"]["id"], event["made"][0]["id"]) == ("unwrap", "01", "03")
    base = create(caller, session, "generic secret key", DERIVE=True, ID=b"\4")
    caller.ok(c.DERIVE_KEY, session, base, CKM.SHA256_KEY_DERIVATION, b"", template((CKA.ID, b"\5")))
    event = last(world)
    assert (event["event"], event["key"]["id"], event["made"][0]["id"]) == ("derive", "04", "05")
    caller.call(c.WRAP_KEY, session, key, wrapping, CKM.AES_KEY_WRAP, b"")
    assert (last(world)["event"], last(world)["result"]) == ("wrap", "CKR_WRAPPING_KEY_TYPE_INCONSISTENT")


def test_a_question_for_the_size_is_no_event(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    wrapping = generate(caller, session, (CKA.WRAP, True))
    key = generate(caller, session, (CKA.EXTRACTABLE, True))
    _, private = caller.ec_pair(session)
    count = len(world.events())
    asked = caller.call(c.WRAP_KEY, session, wrapping, key, CKM.AES_KEY_WRAP, b"", capacity=0)
    assert asked.rv is CKR.BUFFER_TOO_SMALL
    caller.ok(c.SIGN_INIT, session, private, CKM.ECDSA_SHA256, b"")
    assert caller.call(c.SIGN_ONESHOT, session, data=b"data", capacity=0).rv is CKR.BUFFER_TOO_SMALL
    assert len(world.events()) == count


def test_uses_of_keys_are_noted_where_it_is_asked_for(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    _, private = caller.ec_pair(session, (CKA.ID, b"\7"))
    caller.ok(c.SIGN_START, session, private, CKM.ECDSA_SHA256, b"")
    for command in (c.SIGN_ONESHOT, c.SIGN_AGAIN):
        caller.ok(command, session, data=b"data")
        assert last(world) == {
            "event": "sign",
            "result": "CKR_OK",
            "function": "C_Sign",
            "mechanism": "CKM_ECDSA_SHA256",
            "key": {"session_handle": private, "class": "private key", "id": "07"},
        }
    caller.ok(c.SIGN_INIT, session, private, CKM.ECDSA_SHA256, b"")
    caller.ok(c.SIGN_UPDATE, session, data=b"data")
    count = len(world.events())
    caller.ok(c.SIGN_FINAL, session)
    assert [event["event"] for event in world.events()[count:]] == ["sign"]
    key = generate(caller, session, (CKA.ENCRYPT, True), (CKA.DECRYPT, True))
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_CBC, bytes(16))
    encrypted = caller.ok(c.ENCRYPT_ONESHOT, session, data=bytes(64)).output
    count = len(world.events())
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_CBC, bytes(16))
    for at in range(0, 64, 16):
        caller.ok(c.DECRYPT_UPDATE, session, data=encrypted[at : at + 16])
    caller.ok(c.DECRYPT_FINAL, session)
    assert [event["event"] for event in world.events()[count:]] == ["decrypt"], "one, in however many parts"
    assert caller.call(c.DECRYPT_ONESHOT, session, data=encrypted).rv is CKR.OPERATION_NOT_INITIALIZED
    assert last(world)["result"] == "CKR_OPERATION_NOT_INITIALIZED"


def test_uses_of_keys_are_not_noted_where_nobody_asks(world: AuditWorld) -> None:
    caller = Caller(world.application())
    session = caller.set_up()
    _, private = caller.ec_pair(session)
    count = len(world.events())
    caller.ok(c.SIGN_INIT, session, private, CKM.ECDSA_SHA256, b"")
    caller.ok(c.SIGN_ONESHOT, session, data=b"data")
    assert len(world.events()) == count


def test_what_the_policy_refuses_is_noted(world: AuditWorld) -> None:
    caller = Caller(world.application(policy=STRICT))
    session = caller.set_up()
    key = generate(caller, session, (CKA.ENCRYPT, False), (CKA.ID, b"\1"))
    assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CBC, bytes(16)).rv is CKR.KEY_FUNCTION_NOT_PERMITTED
    event = last(world)
    assert (event["event"], event["function"], event["key"]["id"]) == ("refuse", "C_EncryptInit", "01")
    assert caller.call(c.DIGEST_INIT, session, CKM.MD5, b"").rv is CKR.MECHANISM_INVALID
    assert last(world)["mechanism"] == "CKM_MD5"
    assert caller.call(c.DIGEST_INIT, session, 0x12345, b"").rv is CKR.MECHANISM_INVALID
    assert last(world)["mechanism"] == "0x12345"
    count = len(world.events())
    assert caller.call(c.ENCRYPT_INIT, session, 99, CKM.AES_CBC, bytes(16)).rv is CKR.KEY_HANDLE_INVALID
    assert len(world.events()) == count, "a wrong handle is no policy's refusal"


def test_what_is_noted_is_what_the_client_is_told(world: AuditWorld) -> None:
    caller = Caller(world.application(policy=OPTEE))
    session = caller.set_up()
    answer = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", template((CKA.VALUE_LEN, 5)))
    assert last(world)["result"] == f"CKR_{answer.rv.name}"


def test_logins_that_come_back_are_noted(world: AuditWorld) -> None:
    table = LoginTable(MemoryKeeper(), lambda _: True)
    application = world.application(tickets=Tickets(table.key, table, Time(), None))
    identity = replace(public_client(), process=PROCESS)
    caller = Caller(application, identity)
    session = caller.set_up()
    saved = [SavedSession(session, 0, int(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION))]
    count = len(world.events())
    login = keep_login(caller, session)
    restore(Caller(application, identity), saved)
    assert len(world.events()) == count, "sessions alone are no event"
    restore(Caller(application, identity), saved, [login])
    serial = application.slots.token(0).serial_number
    assert last(world)["logins"] == [{"slot": 0, "token": serial, "user": "USER"}]
    restore(Caller(application, identity), saved, [login._replace(ticket=b"forged")])
    assert last(world)["logins"] == [], "a ticket that opens nothing is noted, too"


def test_where_it_is_required_nothing_is_done_that_cannot_be_noted(
    world: AuditWorld, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = caller.set_up()
    before = len(caller.application.slots.token(0).vault.entries)
    monkeypatch.setattr(world.files._reserve, "hold", lambda: False)
    attributes = template((CKA.VALUE_LEN, 16), (CKA.TOKEN, True))
    assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", attributes).rv is CKR.DEVICE_MEMORY
    assert len(caller.application.slots.token(0).vault.entries) == before
    other = Caller(caller.application)
    assert other.login(other.open(), CKU.USER, b"wrong!") is CKR.DEVICE_MEMORY
    assert caller.logout(session) is CKR.OK, "rights are given back all the same"
    monkeypatch.undo()
    assert caller.login(session, CKU.USER, b"wrong!") is CKR.PIN_INCORRECT


def test_where_it_is_required_a_log_that_fails_answers_with_a_device_error(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    world.store.failing = True
    attributes = template((CKA.VALUE_LEN, 16))
    assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", attributes).rv is CKR.DEVICE_ERROR
    assert caller.logout(session) is CKR.OK


def test_with_the_best_effort_a_log_that_fails_stops_nothing(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit", required=False)
    caller = Caller(world.application())
    session = caller.set_up()
    world.folder.rename(tmp_path / "away")
    world.files.close()
    generate(caller, session)
    generate(caller, session)
    assert world.vouch().left_out == 1


def test_a_client_that_goes_away_is_not_kept_by_a_log_that_fails(
    world: AuditWorld, caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller.set_up()

    def fail(*_: object) -> None:
        raise StoreError("gone")

    monkeypatch.setattr(world.log, "write", fail)
    caller.tee.close()
    assert "an event could not be noted: gone" in caplog.text


def test_failures_beyond_a_uid_s_share_are_counted_and_wrong_pins_never_left_out(tmp_path: Path) -> None:
    world = AuditWorld(tmp_path / "audit")
    application = world.application()
    shares = iter([0, None, None, 2])
    application.noting._audit._share = lambda _: next(shares)  # type: ignore[union-attr]
    caller = Caller(application)
    session = caller.set_up()
    count = len(world.events())
    for _ in range(4):
        caller.call(c.DIGEST_INIT, session, 0x12345, b"")
    assert [event.get("left_out_of_uid") for event in world.events()[count:]] == [None, 2]
    caller.logout(session)
    assert caller.login(session, CKU.USER, b"wrong!") is CKR.PIN_INCORRECT
    assert last(world)["result"] == "CKR_PIN_INCORRECT"


def test_no_command_has_two_events() -> None:
    rows = [*ROWS, *(row for rows in USES.values() for row in rows), REFUSED]
    numbers = [command.number for row in rows for command in row.commands]
    assert len(numbers) == len(set(numbers))


def test_whatever_takes_a_pin_makes_objects_or_changes_them_is_an_event() -> None:
    noted = {number for number, row in events(()).items() if row.only is None}
    for command in COMMANDS:
        changes = CKR.SESSION_READ_ONLY in command.returns or {CKR.PIN_INCORRECT, CKR.PIN_LOCKED} & command.returns
        assert not changes or command.number in noted, command.name


def test_refusals_are_noted_of_all_that_begins_an_operation() -> None:
    watched = {command.name for command in REFUSED.commands}
    begin = {command.name for command in COMMANDS if command.name.endswith(("_INIT", "_START")) and command.in_session}
    assert begin - watched == {"FIND_OBJECTS_INIT", "FIND_OBJECTS_START"}
    assert watched <= begin
    for command in REFUSED.commands:
        assert command.returns & POLICY_REFUSALS


def test_what_is_no_event_runs_as_if_there_were_no_log(world: AuditWorld) -> None:
    handlers = world.application().handlers
    same = {number for number, bound in handlers.items() if bound is HANDLERS[number]}
    assert {c.SIGN_ONESHOT.number, c.SIGN_AGAIN.number, c.SIGN_UPDATE.number, c.DECRYPT_AGAIN.number} <= same
    assert len(same) > len(handlers) / 2


def test_what_is_noted_is_not_quick(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    control = c.SIGN_ONESHOT.encode(c.SIGN_ONESHOT.request(session))
    params = (Memref(ParamType.MEMREF_INOUT, bytearray(control), 8), None, None, None)
    assert not caller.tee.is_quick(c.SIGN_ONESHOT.number, params)
    assert Caller(AuditWorld(world.folder.parent / "other").application()).tee.is_quick(c.SIGN_ONESHOT.number, params)


def test_the_pins_of_a_day_are_in_no_line(world: AuditWorld, caller: Caller) -> None:
    session = caller.set_up()
    caller.set_pin(session, USER_PIN, b"another pin")
    by_chance = {"previous", "token"}  # whose digits may be those of a short PIN
    events = [{name: value for name, value in event.items() if name not in by_chance} for event in world.events()]
    text = json.dumps(events)
    for pin in (SO_PIN, USER_PIN, b"another pin"):
        assert pin.decode() not in text
        assert pin.hex() not in text
