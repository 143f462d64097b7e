# SPDX-License-Identifier: Apache-2.0
"""Another root key takes the place of the first: of all applications at once, and nothing else changes."""

import os
from uuid import UUID

import pytest

from softee.stores.base import StoreError
from softee.stores.memory import MemoryStore
from softee.tee.installation import installation_place, rewrap
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError
from support.disk import load, look, make_disk
from support.stores import APPLICATION, OTHER_APPLICATION, ROOT_KEY, VAULTS, FailingStore, open_storage, snapshot

NEW_KEY = bytes(range(32, 64))
BOTH = (APPLICATION, OTHER_APPLICATION)


@pytest.fixture
def store() -> FailingStore:
    """A store of two applications that share the root key."""
    store = FailingStore(MemoryStore())
    for application in BOTH:
        vault = open_storage(store, application=application).vault("slot-0")
        change = vault.change()
        change.add(b"value", vault.key, 0, [])
        change.commit()
    return store


def opens_with(store: FailingStore | MemoryStore, key: bytes) -> list[bool]:
    """Tell of each application whether a root key opens its storage."""

    def opens(application: UUID) -> bool:
        try:
            vault = open_storage(store, key, application).vault("slot-0")
        except WrongRootKeyError:
            return False
        return bytes(vault.read(1, vault.key)) == b"value"

    return [opens(application) for application in BOTH]


def test_every_record_stays_readable_and_only_the_installation_records_change(store: FailingStore) -> None:
    before = snapshot(store)
    assert rewrap(store, BOTH, ROOT_KEY, NEW_KEY) == list(BOTH)
    assert opens_with(store, NEW_KEY) == [True, True]
    assert opens_with(store, ROOT_KEY) == [False, False]
    changed = {key for key, record in snapshot(store).items() if record != before[key]}
    assert changed == {installation_place(application).key for application in BOTH}


def test_all_that_was_on_the_disk_is_seen_as_before() -> None:
    disk = make_disk()
    store = load(disk.now)
    rewrap(store, [APPLICATION], ROOT_KEY, NEW_KEY)
    storage = open_storage(store, NEW_KEY)
    assert [look(storage.vault(name)) for name in VAULTS] == [disk.views[name][-1] for name in VAULTS]


def test_a_rotation_that_fails_leaves_the_old_key_working(store: FailingStore) -> None:
    before = snapshot(store)
    store.failing = True
    with pytest.raises(StoreError):
        rewrap(store, BOTH, ROOT_KEY, NEW_KEY)
    store.failing = False
    assert snapshot(store) == before
    assert opens_with(store, ROOT_KEY) == [True, True]


def test_done_again_after_a_crash_it_changes_nothing(store: FailingStore) -> None:
    rewrap(store, BOTH, ROOT_KEY, NEW_KEY)
    before = snapshot(store)
    assert rewrap(store, BOTH, ROOT_KEY, NEW_KEY) == []
    assert snapshot(store) == before


def test_an_application_that_was_installed_in_between_follows(store: FailingStore) -> None:
    rewrap(store, [APPLICATION], ROOT_KEY, NEW_KEY)
    assert rewrap(store, BOTH, ROOT_KEY, NEW_KEY) == [OTHER_APPLICATION]
    assert opens_with(store, NEW_KEY) == [True, True]


def test_an_application_that_has_stored_nothing_is_passed_over() -> None:
    store = MemoryStore()
    assert rewrap(store, BOTH, ROOT_KEY, NEW_KEY) == []
    assert snapshot(store) == {}


@pytest.mark.parametrize("damaged", BOTH)
def test_where_one_record_does_not_open_none_is_changed(store: FailingStore, damaged: UUID) -> None:
    place = installation_place(damaged)
    record = bytearray(snapshot(store)[place.key])
    record[-1] ^= 1
    store.commit(expected={}, puts={place.key: bytes(record)})
    before = snapshot(store)
    with pytest.raises(WrongRootKeyError):
        rewrap(store, BOTH, ROOT_KEY, NEW_KEY)
    store.commit(expected={}, puts={place.key: b"short"})
    with pytest.raises(TamperedError):
        rewrap(store, BOTH, ROOT_KEY, NEW_KEY)
    store.commit(expected={}, puts={place.key: bytes(record)})
    assert snapshot(store) == before


def test_the_old_key_opens_an_old_copy_and_with_its_record_what_came_later(store: FailingStore) -> None:
    """What a rotation does not do: the storage's secret stays, so whoever has both old halves has all."""
    copy = snapshot(store)
    rewrap(store, BOTH, ROOT_KEY, NEW_KEY)
    assert opens_with(load(copy), ROOT_KEY) == [True, True]
    key = installation_place(APPLICATION).key
    assert opens_with(load(snapshot(store) | {key: copy[key]}), ROOT_KEY) == [True, False]


def test_two_installations_with_one_root_key_have_no_secret_in_common() -> None:
    one, other = (open_storage(MemoryStore()).vault("slot-0") for _ in range(2))
    assert one.derive("label") != other.derive("label")


def test_another_key_altogether_rotates_nothing(store: FailingStore) -> None:
    before = snapshot(store)
    with pytest.raises(WrongRootKeyError):
        rewrap(store, BOTH, os.urandom(32), NEW_KEY)
    assert snapshot(store) == before
