# SPDX-License-Identifier: Apache-2.0
"""SecureStorage: the first start, a restart, the wrong key, new vaults, two applications in one store."""

import threading
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from softee.stores.base import ConflictError, Revision, StoreError
from softee.stores.memory import MemoryStore
from softee.stores.sqlite import SqliteStore
from softee.tee.installation import INSTALLATION_VERSION
from softee.tee.keys import KEY_SIZE, Label, derived
from softee.tee.records import Place, RecordKind, seal_record
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.secure_storage import SecureStorage, WrongRootKeyError
from softee.tee.vault import Vault
from softee.wire.codec import Writer
from support.stores import APPLICATION, OTHER_APPLICATION, ROOT_KEY, FailingStore, open_storage, snapshot

OTHER_KEY = bytes(32)


def put(vault: Vault, content: bytes) -> int:
    change = vault.change()
    number = change.add(content, vault.key, 0, [])
    change.commit()
    return number


def test_an_installation_keeps_its_uuid_and_another_has_its_own() -> None:
    store = MemoryStore()
    installation = open_storage(store).installation
    assert open_storage(store).installation == installation
    assert open_storage(MemoryStore()).installation != installation


def test_a_copied_store_opens_elsewhere_with_its_root_key(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    number = put(open_storage(store).vault("slot-0"), b"value")
    store.close()
    (tmp_path / "copy.db").write_bytes((tmp_path / "store.db").read_bytes())
    with closing(SqliteStore(tmp_path / "copy.db")) as copy:
        vault = open_storage(copy).vault("slot-0")
        assert vault.read(number, vault.key) == b"value"


def test_the_wrong_root_key_opens_nothing_and_changes_nothing() -> None:
    store = MemoryStore()
    open_storage(store)
    before = snapshot(store)
    with pytest.raises(WrongRootKeyError, match=r"not the key .* or .* altered"):
        open_storage(store, OTHER_KEY)
    assert snapshot(store) == before


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_root_key_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        open_storage(MemoryStore(), bytes(size))


@pytest.mark.parametrize("name", ["", "x" * 256, "é" * 128])
def test_a_vaults_name_has_1_to_255_bytes(name: str) -> None:
    with pytest.raises(ValueError, match="255"):
        SecureStorage(MemoryStore(), ROOT_KEY, APPLICATION, [name])


def test_a_vault_that_was_not_named_is_not_there() -> None:
    with pytest.raises(KeyError):
        open_storage(MemoryStore()).vault("slot-9")


def test_a_vault_is_the_same_object_for_all_who_ask() -> None:
    storage = open_storage(MemoryStore())
    vaults: list[Vault] = []
    threads = [threading.Thread(target=lambda: vaults.append(storage.vault("slot-0"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vaults) == 8
    assert len({id(vault) for vault in vaults}) == 1


def test_vaults_may_be_added_later_and_none_is_lost_when_fewer_are_named() -> None:
    store = MemoryStore()
    put(SecureStorage(store, ROOT_KEY, APPLICATION, ["a"]).vault("a"), b"value")
    installation = SecureStorage(store, ROOT_KEY, APPLICATION, ["a", "b"]).installation
    storage = SecureStorage(store, ROOT_KEY, APPLICATION, [])
    assert storage.installation == installation
    assert storage.vault("a").find([]) == [1]
    assert storage.vault("b").find([]) == []


def test_an_installation_record_of_our_own_that_does_not_decode_is_refused() -> None:
    store = MemoryStore()
    installation = open_storage(store).installation
    place = Place(APPLICATION, "", RecordKind.INSTALLATION)
    names = Writer().u32(2).blob(b"slot-0").blob(b"slot-1").done()
    with derived(ROOT_KEY, Label.INSTALLATION, APPLICATION.bytes) as secret:
        key = SealKey(secret)
    for rest, opens in ((names, True), (names + b"\0", False), (names[:-1], False), (b"", False)):
        record = seal_record(key, place, INSTALLATION_VERSION, bytes(KEY_SIZE) + installation.bytes + rest)
        store.commit(expected={}, puts={place.key: record})
        if opens:
            assert open_storage(store).installation == installation
            continue
        with pytest.raises(TamperedError, match="does not decode"):
            open_storage(store)


def test_a_restart_writes_nothing() -> None:
    store = MemoryStore()
    open_storage(store)
    before = store.range(b"")
    open_storage(store).vault("slot-0")
    assert store.range(b"") == before


def test_an_installation_that_could_not_be_written_is_begun_anew() -> None:
    store = FailingStore(MemoryStore())
    store.failing = True
    with pytest.raises(StoreError, match="full"):
        open_storage(store)
    assert snapshot(store) == {}
    store.failing = False
    assert open_storage(store).vault("slot-0").find([]) == []


def test_of_two_first_starts_at_once_one_is_told_and_the_other_holds() -> None:
    class SlowStore(FailingStore):
        """Another process is faster."""

        def commit(
            self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
        ) -> Revision:
            winner.append(open_storage(self.store).installation)
            return super().commit(expected=expected, puts=puts, deletes=deletes)

    winner: list[object] = []
    store = SlowStore(MemoryStore())
    with pytest.raises(ConflictError):
        open_storage(store)
    assert [open_storage(store.store).installation] == winner


def test_two_applications_share_a_store_and_nothing_else() -> None:
    store = MemoryStore()
    first = open_storage(store).vault("slot-0")
    second = open_storage(store, application=OTHER_APPLICATION).vault("slot-0")
    put(first, b"value")
    assert second.find([]) == []
    assert first.derive("label") != second.derive("label")
    assert open_storage(store, application=OTHER_APPLICATION).vault("slot-0").find([]) == []


def test_a_vault_whose_name_begins_anothers_is_apart_from_it() -> None:
    store = MemoryStore()
    put(SecureStorage(store, ROOT_KEY, APPLICATION, ["slot-10"]).vault("slot-10"), b"value")
    again = SecureStorage(store, ROOT_KEY, APPLICATION, ["slot-1", "slot-10"])
    assert (again.vault("slot-1").find([]), again.vault("slot-10").find([])) == ([], [1])


def test_a_damaged_vault_hurts_no_other_and_opens_again_when_it_was_mended() -> None:
    store = MemoryStore()
    put(open_storage(store).vault("slot-0"), b"value")
    storage = open_storage(store)
    head = next(key for key in snapshot(store) if b"slot-0\x02" in key)
    good = snapshot(store)[head]
    store.commit(expected={}, puts={head: good[:-1]})
    with pytest.raises(TamperedError, match="head of slot-0"):
        storage.vault("slot-0")
    assert put(storage.vault("slot-1"), b"value") == 1
    store.commit(expected={}, puts={head: good})
    assert storage.vault("slot-0").find([]) == [1]
