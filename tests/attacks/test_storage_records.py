# SPDX-License-Identifier: Apache-2.0
"""Attacks by who owns the disk, on each kind of record: what was touched is reported, and hurts nothing else."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from softee.stores.base import StoreError
from softee.stores.memory import MemoryStore
from softee.tee.pages import Entry, encode_page
from softee.tee.records import FORMAT_VERSIONS, Place, RecordKind, open_record, seal_record
from softee.tee.sealing import SealKey, TamperedError, UnknownFormatError
from softee.tee.secure_storage import SecureStorage, WrongRootKeyError
from support.disk import DAMAGED, OBJECTS, Disk, View, key_of, load, look, make_disk
from support.stores import APPLICATION, OTHER_APPLICATION, ROOT_KEY, VAULTS, FailingStore, open_storage, snapshot

TARGETS = {
    "installation": key_of(RecordKind.INSTALLATION),
    "head": key_of(RecordKind.HEAD),
    "page-0": key_of(RecordKind.PAGE, 0),
    "page-1": key_of(RecordKind.PAGE, 1),
    "object": key_of(RecordKind.OBJECT, 1),
}
each_target = pytest.mark.parametrize("target", TARGETS)


@pytest.fixture(scope="module")
def disk() -> Disk:
    return make_disk()


def assert_detected(disk: Disk, records: dict[bytes, bytes], target: str) -> None:
    """The damage to ``target`` (of slot-0) is reported, and everything else is served as it was."""
    store = load(records)
    if target == "installation":
        with pytest.raises((WrongRootKeyError, TamperedError)):
            open_storage(store)
        return
    storage = open_storage(store)
    if target == "object":
        seen, truth = look(storage.vault("slot-0")), disk.views["slot-0"][-1]
        assert seen == View(truth.head, truth.listed, truth.red, truth.contents | {1: DAMAGED})
    else:
        with pytest.raises(TamperedError):
            storage.vault("slot-0")
    assert look(storage.vault("slot-1")) == disk.views["slot-1"][-1]


def test_the_untouched_disk_shows_everything(disk: Disk) -> None:
    storage = open_storage(load(disk.now))
    for name in VAULTS:
        view = look(storage.vault(name))
        assert view == disk.views[name][-1]
        assert view.listed == (1, 2, *range(4, OBJECTS))
        assert DAMAGED not in view.contents.values()


@each_target
def test_altered_record_is_detected_wherever_a_byte_changes(disk: Disk, target: str) -> None:
    key = TARGETS[target]
    record = disk.now[key]
    for offset in {*range(min(40, len(record))), *range(0, len(record), 101), *range(len(record) - 16, len(record))}:
        altered = record[:offset] + bytes([record[offset] ^ 1]) + record[offset + 1 :]
        assert_detected(disk, disk.now | {key: altered}, target)


@each_target
@pytest.mark.parametrize("length", [0, 1, 5, 6, 18, 33, 34, -1])
def test_truncated_record_is_detected(disk: Disk, target: str, length: int) -> None:
    key = TARGETS[target]
    assert_detected(disk, disk.now | {key: disk.now[key][:length]}, target)


@each_target
def test_extended_record_is_detected(disk: Disk, target: str) -> None:
    key = TARGETS[target]
    assert_detected(disk, disk.now | {key: disk.now[key] + b"\0"}, target)


@each_target
def test_deleted_record_is_detected(disk: Disk, target: str) -> None:
    records = disk.now
    del records[TARGETS[target]]
    assert_detected(disk, records, target)


def test_missing_installation_record_is_not_made_anew_over_old_records(disk: Disk) -> None:
    records = disk.now
    del records[TARGETS["installation"]]
    with pytest.raises(TamperedError, match="installation record is missing"):
        SecureStorage(load(records), ROOT_KEY, APPLICATION, ["another vault"])


@pytest.mark.parametrize("target", ["page-0", "page-1", "object"])
def test_rolled_back_record_is_detected(disk: Disk, target: str) -> None:
    key = TARGETS[target]
    assert disk.before[key] != disk.now[key]
    assert_detected(disk, disk.now | {key: disk.before[key]}, target)


def test_rolled_back_object_together_with_its_page_is_detected(disk: Disk) -> None:
    keys = (TARGETS["object"], TARGETS["page-0"])
    assert_detected(disk, disk.now | {key: disk.before[key] for key in keys}, "page-0")


def test_rolled_back_head_is_detected_while_its_pages_are_newer(disk: Disk) -> None:
    assert_detected(disk, disk.now | {TARGETS["head"]: disk.before[TARGETS["head"]]}, "head")


def test_rolled_back_installation_record_does_not_empty_a_newer_vault() -> None:
    """The record from before the vaults were made must not lead to making them anew."""
    store = load({})
    SecureStorage(store, ROOT_KEY, APPLICATION, ["slot-0"])
    older = snapshot(store)[TARGETS["installation"]]
    open_storage(store)
    store.commit(expected={}, puts={TARGETS["installation"]: older})
    with pytest.raises(TamperedError, match="rolled back"):
        open_storage(store)


@pytest.mark.parametrize(
    ("target", "other"),
    [
        ("object", key_of(RecordKind.OBJECT, 4)),
        ("object", key_of(RecordKind.OBJECT, 128)),
        ("object", key_of(RecordKind.OBJECT, 1, "slot-1")),
        ("page-0", key_of(RecordKind.PAGE, 1)),
        ("page-0", key_of(RecordKind.PAGE, 0, "slot-1")),
        ("head", key_of(RecordKind.HEAD, 0, "slot-1")),
        ("head", key_of(RecordKind.PAGE, 0)),
        ("page-0", key_of(RecordKind.OBJECT, 1)),
        ("object", key_of(RecordKind.PAGE, 0)),
        ("object", key_of(RecordKind.HEAD)),
        ("installation", key_of(RecordKind.HEAD)),
    ],
)
def test_swapped_records_are_detected(disk: Disk, target: str, other: bytes) -> None:
    """Another record stands in the target's place. (Where both changed places, each is a target of its own.)"""
    assert_detected(disk, disk.now | {TARGETS[target]: disk.now[other]}, target)


@each_target
def test_record_of_another_application_in_its_place_is_detected(disk: Disk, target: str) -> None:
    """The other application has the same root key, vault names and object numbers."""
    store = MemoryStore()
    storage = open_storage(store, application=OTHER_APPLICATION)
    for name in VAULTS:
        vault = storage.vault(name)
        change = vault.change()
        for _ in range(OBJECTS):
            change.add(b"other", vault.key, 0, [])
        change.commit()
    foreign = snapshot(store)[OTHER_APPLICATION.bytes + TARGETS[target][16:]]
    assert_detected(disk, disk.now | {TARGETS[target]: foreign}, target)


@each_target
def test_record_of_another_installation_with_the_same_root_key_is_detected(disk: Disk, target: str) -> None:
    """Except for the installation record itself: then it is every vault that does not open."""
    foreign = make_disk().now[TARGETS[target]]
    records = disk.now | {TARGETS[target]: foreign}
    if target != "installation":
        assert_detected(disk, records, target)
        return
    storage = open_storage(load(records))
    for name in VAULTS:
        with pytest.raises(TamperedError):
            storage.vault(name)


def test_forged_index_terms_are_detected(disk: Disk) -> None:
    """A page that lists the object under other terms, sealed by one who knows the format and not the key."""
    forged = [Entry(1, 1, bytes(16), 0, bytes(16))]
    place = Place(APPLICATION, "slot-0", RecordKind.PAGE, 0)
    record = seal_record(SealKey(bytes(32)), place, 1, encode_page(forged))
    assert_detected(disk, disk.now | {place.key: record}, "page-0")


def test_extra_records_change_nothing_and_are_overwritten_when_their_number_comes(disk: Disk) -> None:
    numbers = (3, OBJECTS + 1, 0x7FFFFFFF)
    extra = {key_of(RecordKind.OBJECT, number): disk.now[TARGETS["object"]] for number in numbers}
    extra |= {
        key_of(RecordKind.PAGE, 9): disk.now[TARGETS["page-1"]],
        key_of(RecordKind.HEAD, 1): b"",
        APPLICATION.bytes: b"?",
    }
    store = load(disk.now | extra | {b"": b"", b"elsewhere": b"?"})
    storage = open_storage(store)
    for name in VAULTS:
        assert look(storage.vault(name)) == disk.views[name][-1]
    vault = storage.vault("slot-0")
    change = vault.change()
    number = change.add(b"new", vault.key, 0, [])
    change.commit()
    assert number == OBJECTS + 1
    vault = open_storage(store).vault("slot-0")
    assert vault.read(number, vault.key) == b"new"


def test_removed_object_does_not_come_back_with_its_record(disk: Disk) -> None:
    key = key_of(RecordKind.OBJECT, 3)
    storage = open_storage(load(disk.now | {key: disk.before[key]}))
    assert look(storage.vault("slot-0")) == disk.views["slot-0"][-1]
    with pytest.raises(KeyError):
        storage.vault("slot-0").read(3, storage.vault("slot-0").key)


@pytest.mark.parametrize(("target", "named"), [("page-0", "page 0 of slot-0"), ("object", "object 1 of slot-0")])
def test_record_of_a_change_that_never_committed_is_detected(disk: Disk, target: str, named: str) -> None:
    """It was sealed for the same place and version as the one that was committed after it, by the right key."""
    store = FailingStore(load(disk.now))
    vault = open_storage(store).vault("slot-0")
    for content in (b"refused", b"committed"):
        store.failing = content == b"refused"
        change = vault.change()
        change.replace(1, content, vault.key, 0, [])
        with nullcontext() if content == b"committed" else pytest.raises(StoreError):
            change.commit()
    store.commit(expected={}, puts={TARGETS[target]: store.refused[TARGETS[target]]})
    with pytest.raises(TamperedError, match=f"{named} is not"):
        open_storage(store).vault("slot-0").read(1, vault.key)


@each_target
def test_unknown_format_version_is_named(disk: Disk, target: str) -> None:
    key = TARGETS[target]
    record = bytearray(disk.now[key])
    place = Place(APPLICATION, "" if target == "installation" else "slot-0", RecordKind(record[5]), 0)
    known = FORMAT_VERSIONS[place.kind]
    record[4] = known[-1] + 1
    with pytest.raises(UnknownFormatError, match=f"format version {known[-1] + 1}, this softee knows 1"):
        open_record(SealKey(bytes(32)), place, 0, bytes(record))
    assert_detected(disk, disk.now | {key: bytes(record)}, target)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"application": OTHER_APPLICATION},
        {"vault": "slot-1"},
        {"kind": RecordKind.PAGE},
        {"number": 2},
    ],
)
def test_a_record_opens_in_its_own_place_only(elsewhere: dict[str, object]) -> None:
    """The binding by itself, without the hashes that stand before it."""
    key, place = SealKey(bytes(32)), Place(APPLICATION, "slot-0", RecordKind.OBJECT, 1)
    record = seal_record(key, place, 7, b"value")
    assert open_record(key, place, 7, record) == b"value"
    with pytest.raises(TamperedError, match="altered"):
        open_record(key, place, 6, record)
    other = replace(place, **elsewhere)  # type: ignore[arg-type] # the fields are picked by the parameters
    moved = record[:5] + bytes([other.kind]) + record[6:]
    with pytest.raises(TamperedError, match="altered"):
        open_record(key, other, 7, moved)


@pytest.mark.parametrize("action", ["altered", "deleted", "rolled back"])
def test_a_running_vault_notices_what_happens_to_its_objects(disk: Disk, action: str) -> None:
    store = load(disk.now)
    vault = open_storage(store).vault("slot-0")
    key = TARGETS["object"]
    if action == "deleted":
        store.commit(expected={}, puts={}, deletes=[key])
    else:
        store.commit(expected={}, puts={key: disk.before[key] if action == "rolled back" else disk.now[key] + b"?"})
    with pytest.raises(TamperedError):
        vault.read(1, vault.key)
    assert vault.read(2, vault.key) == b"replaced 2"


def test_a_running_vault_notices_that_its_head_was_rolled_back(disk: Disk) -> None:
    store = load(disk.now)
    vault = open_storage(store).vault("slot-0")
    store.commit(expected={}, puts={TARGETS["head"]: disk.before[TARGETS["head"]]})
    change = vault.change()
    change.set_head(b"new")
    with pytest.raises(TamperedError, match="not the newest"):
        change.commit()
    assert vault.head == b"state"


def test_open_gap_roll_back_of_a_whole_vault_is_not_noticed_without_an_anchor(disk: Disk) -> None:
    """What docs/threat-model.md says is open. Should this fail, an anchor was built: say so there."""
    slot_0 = {key: value for key, value in disk.before.items() if b"slot-0" in key}
    rest = {key: value for key, value in disk.now.items() if b"slot-0" not in key}
    storage = open_storage(load(slot_0 | rest))
    assert look(storage.vault("slot-0")) == disk.views["slot-0"][-2]
