# SPDX-License-Identifier: Apache-2.0
"""Every record of a state with two tokens, attacked in every way, while the secure world is down and while it runs.

What was touched is refused, and named by the verification; it is never served otherwise than it was. The other token is
served as before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from softee.names import CKA, CKO, CKR, PKCS11_APPLICATION
from softee.pkcs11_ta.application import vaults
from softee.pkcs11_ta.token.verification import examine_object
from softee.stores.memory import MemoryStore
from softee.tee.records import RecordKind, kind_of
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError
from softee.tee.verification import VaultReport, verify
from support.commands import c
from support.disk import load
from support.object_calls import search
from support.stores import snapshot
from support.token_world import ROOT_KEY, Caller, make_application, template

SLOTS = 2
Records = dict[bytes, bytes]
Seen = dict[bytes, bytes | CKR]
"""By an object's value: its label, or why it cannot be had."""
Attack = Callable[["State", bytes], "Records | None"]
"""Returns the records after an attack on one of them; None where there is no such attack on it."""


@dataclass(frozen=True)
class State:
    """A state with two tokens, before and after the last changes, and one of another installation."""

    before: Records
    now: Records
    elsewhere: Records
    """With the same root key, and the same things done."""
    truth: tuple[Seen, ...]
    """What each token shows."""


def populated() -> tuple[Records, Records, tuple[Seen, ...]]:
    """Make two tokens with public and private objects; return the records before and after the last changes."""
    store = MemoryStore()
    caller = Caller(make_application(store, slots=SLOTS))
    sessions, handles = [], []
    for slot in range(SLOTS):
        sessions.append(caller.set_up(slot))
        for number in range(4):
            about = template(
                (CKA.CLASS, CKO.DATA),
                (CKA.TOKEN, True),
                (CKA.PRIVATE, bool(number % 2)),
                (CKA.LABEL, b"first label"),
                (CKA.VALUE, b"object %d of %d" % (number, slot)),
            )
            handles.append(caller.ok(c.CREATE_OBJECT, sessions[slot], about).handle)
    before = snapshot(store)
    for slot, session in enumerate(sessions):
        for handle in handles[4 * slot : 4 * slot + 2]:
            caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"second label")))
        caller.ok(c.DESTROY_OBJECT, session, handles[4 * slot + 3])
    return before, snapshot(store), tuple(look(caller, session) for session in sessions)


@cache
def state() -> State:
    before, now, truth = populated()
    _, elsewhere, _ = populated()
    return State(before, now, elsewhere, truth)


def look(caller: Caller, session: int) -> Seen:
    """Look at all objects that a session sees."""
    seen: Seen = {}
    for handle in search(caller, session, template()):
        name, label = (told(caller, session, handle, attribute) for attribute in (CKA.VALUE, CKA.LABEL))
        seen[name if isinstance(name, bytes) else b"refused %d" % len(seen)] = label
    return seen


def told(caller: Caller, session: int, handle: int, attribute: int) -> bytes | CKR:
    """Return an attribute, or the refusal."""
    answer = caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, template((attribute, bytes(64))))
    return CKR(answer.rv) if answer.rv else answer.output[16 : 16 + int.from_bytes(answer.output[12:16], "little")]


def vault_of(key: bytes) -> str:
    return key[17 : 17 + key[16]].decode()


def put(records: Records, key: bytes, record: bytes | None) -> Records | None:
    """Return the records with another one in a place; None where it is the same, or there is none to put there."""
    return None if record is None or record == records[key] else records | {key: record}


def sibling(key: bytes) -> bytes | None:
    """Return the next record of the same kind in the same vault."""
    kin = sorted(other for other in state().now if other[: len(key) - 4] == key[:-4])
    return kin[(kin.index(key) + 1) % len(kin)] if len(kin) > 1 else None


def on_the_other_token(key: bytes) -> bytes:
    return key.replace(b"token-0", b"token-?").replace(b"token-1", b"token-0").replace(b"token-?", b"token-1")


def swapped(state: State, key: bytes) -> Records | None:
    other = sibling(key)
    return None if other is None else state.now | {key: state.now[other], other: state.now[key]}


ATTACKS: dict[str, Attack] = {
    "emptied": lambda state, key: put(state.now, key, b""),
    "truncated": lambda state, key: put(state.now, key, state.now[key][:-1]),
    "extended": lambda state, key: put(state.now, key, state.now[key] + b"\0"),
    "first bit flipped": lambda state, key: put(state.now, key, bytes([state.now[key][0] ^ 1]) + state.now[key][1:]),
    "version changed": lambda state, key: put(state.now, key, state.now[key][:4] + b"\3" + state.now[key][5:]),
    "nonce changed": lambda state, key: put(state.now, key, state.now[key][:6] + bytes(12) + state.now[key][18:]),
    "last bit flipped": lambda state, key: put(state.now, key, state.now[key][:-1] + bytes([state.now[key][-1] ^ 1])),
    "deleted": lambda state, key: {other: record for other, record in state.now.items() if other != key},
    "rolled back": lambda state, key: put(state.now, key, state.before.get(key)),
    "swapped with another of its vault": swapped,
    "replaced by one of the other token": lambda state, key: put(
        state.now, key, state.now.get(on_the_other_token(key))
    ),
    "replaced by one of another installation": lambda state, key: put(state.now, key, state.elsewhere.get(key)),
}
each_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


def attacked(attack: Attack, *, slot: int = 0) -> list[tuple[bytes, Records]]:
    """Return each record of a token that can be attacked so, with the records afterwards."""
    ours = [key for key in state().now if vault_of(key) == f"token-{slot}"]
    return [(key, records) for key in ours if (records := attack(state(), key)) is not None]


def reports(records: Records) -> dict[str, VaultReport]:
    found = verify(load(records), ROOT_KEY, PKCS11_APPLICATION, vaults(SLOTS), examine_object)
    return {report.name: report for report in found}


def served(records: Records, slot: int) -> Seen | CKR:
    """Start a secure world, log in to a token and look; the refusal where that is refused."""
    caller = Caller(make_application(load(records), slots=SLOTS))
    opened = caller.call(c.OPEN_SESSION, slot, 6)
    if opened.rv is not CKR.OK:
        return opened.rv
    session = caller.open(slot)
    assert caller.login(session) is CKR.OK
    return look(caller, session)


def is_true(seen: Seen, truth: Seen) -> bool:
    """Tell whether all that is seen is as it was, or refused, and at most as much as there was."""
    right = all(value is CKR.DEVICE_ERROR or truth.get(name) == value for name, value in seen.items())
    return right and len(seen) <= len(truth)


def test_the_untouched_state_is_good_and_served() -> None:
    for slot in range(SLOTS):
        report = reports(state().now)[f"token-{slot}"]
        assert (report.good, report.opened, report.damaged, report.is_served) == (3, 2, [], True)
        assert served(state().now, slot) == state().truth[slot]
    assert len(state().truth[0]) == 3
    assert {kind_of(key) for key in state().now} == set(RecordKind) - {RecordKind.ANCHOR}


@each_attack
def test_an_attacked_record_is_named_and_refused_and_the_other_token_served(attack: Attack) -> None:
    tried = attacked(attack)
    assert tried, "the attack hits nothing"
    for key, records in tried:
        ours, others = (reports(records)[f"token-{slot}"] for slot in range(SLOTS))
        assert ours.damaged
        assert ours.is_served is (kind_of(key) is RecordKind.OBJECT)
        assert others == reports(state().now)["token-1"]
        seen = served(records, 0)
        if ours.is_served:
            assert isinstance(seen, dict)
            assert is_true(seen, state().truth[0])
            assert list(seen.values()).count(CKR.DEVICE_ERROR) <= len(ours.damaged)
        else:
            assert seen is CKR.DEVICE_ERROR
        assert served(records, 1) == state().truth[1]


@each_attack
def test_an_attack_on_a_running_secure_world_shows_nothing_wrong_and_hurts_no_other_token(attack: Attack) -> None:
    for key, records in attacked(attack):
        store = load(state().now)
        caller = Caller(make_application(store, slots=SLOTS))
        sessions = [caller.open(slot) for slot in range(SLOTS)]
        for session in sessions:
            assert caller.login(session) is CKR.OK
        changed = {other: record for other, record in records.items() if record != state().now.get(other)}
        store.commit(expected={}, puts=changed, deletes=[other for other in state().now if other not in records])
        assert is_true(look(caller, sessions[0]), state().truth[0])
        made = caller.call(c.CREATE_OBJECT, sessions[0], NEW)
        assert (made.rv is CKR.DEVICE_ERROR) is (kind_of(key) is RecordKind.HEAD)
        assert look(caller, sessions[1]) == state().truth[1]
        assert caller.call(c.CREATE_OBJECT, sessions[1], NEW).rv is CKR.OK


NEW = template((CKA.CLASS, CKO.DATA), (CKA.TOKEN, True))
INSTALLATION = bytes(PKCS11_APPLICATION.bytes) + b"\0\1" + bytes(4)


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack(state(), INSTALLATION)])
def test_an_attacked_installation_record_opens_nothing(name: str) -> None:
    records = ATTACKS[name](state(), INSTALLATION)
    assert records is not None
    if records.get(INSTALLATION) == state().elsewhere[INSTALLATION]:
        assert all(not report.is_served for report in reports(records).values())
        assert [served(records, slot) for slot in range(SLOTS)] == [CKR.DEVICE_ERROR] * SLOTS
        return
    with pytest.raises((TamperedError, WrongRootKeyError)):
        reports(records)
    with pytest.raises((TamperedError, WrongRootKeyError)):
        make_application(load(records), slots=SLOTS)


@pytest.mark.parametrize("slot", range(SLOTS))
def test_duplicated_records_are_passed_over(slot: int) -> None:
    """Each record stands once more under the next number that nothing has: nothing names it there."""
    copies = {
        key[:-4] + (int.from_bytes(key[-4:]) + 100).to_bytes(4, "big"): record for key, record in state().now.items()
    }
    records = copies | state().now
    assert reports(records) == reports(state().now)
    assert served(records, slot) == state().truth[slot]


def test_what_brings_a_destroyed_object_back_is_no_part_of_the_state() -> None:
    gone = {key: record for key, record in state().before.items() if key not in state().now}
    assert {kind_of(key) for key in gone} == {RecordKind.OBJECT}
    assert reports(gone | state().now) == reports(state().now)
    assert served(gone | state().now, 0) == state().truth[0]


def test_a_token_that_the_installation_record_does_not_name_any_more_is_told() -> None:
    store = MemoryStore()
    make_application(store, slots=1)
    older = snapshot(store)[INSTALLATION]
    caller = Caller(make_application(store, slots=SLOTS))
    caller.set_up(1)
    store.commit(expected={}, puts={INSTALLATION: older})
    report = reports(snapshot(store))["token-1"]
    assert not report.is_served
    assert "rolled back" in report.damaged[0]
    store = MemoryStore()
    make_application(store, slots=1)
    assert reports(snapshot(store))["token-1"].damaged == []
