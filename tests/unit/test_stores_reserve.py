# SPDX-License-Identifier: Apache-2.0
"""Room kept back on a full disk: what makes the store no larger goes on, the rest waits until there is room again."""

import errno
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from softee.stores.base import Revision, Store, StoreError, StoreFullError
from softee.stores.memory import MemoryStore
from softee.stores.reserve import SLACK, Reserve, ReservingStore
from support.stores import FailingStore, snapshot

SIZE = 1 << 16


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reserve"


class Disk:
    """A disk that is full from the moment on when ``fill`` is called, but for what the reserve gives up."""

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = file
        self._allocate = os.posix_fallocate
        self.is_full = False
        monkeypatch.setattr(os, "posix_fallocate", self._fallocate)

    def _fallocate(self, descriptor: int, offset: int, size: int) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._allocate(descriptor, offset, size)

    @property
    def takes_nothing(self) -> bool:
        return self.is_full and self._file.stat().st_size > 0


class StoreOn(FailingStore):
    """A store on such a disk."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(MemoryStore())
        self._disk = disk

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        self.failing = self._disk.takes_nothing
        return super().commit(expected=expected, puts=puts, deletes=deletes)


@pytest.fixture
def disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(file, monkeypatch)


@pytest.fixture
def store(disk: Disk, file: Path) -> ReservingStore:
    store = ReservingStore(lambda: StoreOn(disk), Reserve(file, SIZE))
    store.commit(expected={}, puts={b"head": b"counter 0", b"object": bytes(5000)})
    return store


def test_the_room_is_taken_from_the_beginning_and_only_ours(store: ReservingStore, file: Path) -> None:
    assert store.get(b"head") is not None
    assert file.stat().st_blocks * 512 >= SIZE
    assert file.stat().st_mode & 0o777 == 0o600


def test_counters_and_deletions_go_on_where_the_disk_is_full(store: ReservingStore, disk: Disk) -> None:
    disk.is_full = True
    for count in range(1, 4):
        store.commit(expected={}, puts={b"head": b"counter %d" % count})
    store.commit(expected={}, puts={b"head": b"counter 4"}, deletes=[b"object"])
    assert snapshot(store) == {b"head": b"counter 4"}


def test_what_makes_the_store_larger_does_not_use_the_reserve_up(store: ReservingStore, disk: Disk, file: Path) -> None:
    disk.is_full = True
    before = snapshot(store)
    with pytest.raises(StoreFullError):
        store.commit(expected={}, puts={b"new": bytes(SLACK + 1)})
    assert file.stat().st_size == SIZE
    store.commit(expected={}, puts={b"head": b"counter 1"})
    assert file.stat().st_size == 0
    with pytest.raises(StoreFullError, match="what is left is kept for PIN counters and deletions"):
        store.commit(expected={}, puts={b"new": bytes(SLACK + 1)})
    assert snapshot(store) == before | {b"head": b"counter 1"}


def test_all_goes_on_when_there_is_room_again(store: ReservingStore, disk: Disk, file: Path) -> None:
    disk.is_full = True
    store.commit(expected={}, puts={b"head": b"counter 1"})
    disk.is_full = False
    store.commit(expected={}, puts={b"new": bytes(9000)})
    assert file.stat().st_size == SIZE


def test_a_start_on_a_full_disk_uses_the_reserve(store: ReservingStore, disk: Disk, file: Path) -> None:
    disk.is_full = True

    def opened() -> Store:
        if disk.takes_nothing:
            raise StoreFullError("the disk is full")
        return store

    again = ReservingStore(opened, Reserve(file, SIZE))
    assert again.name == store.name
    assert again.range(b"") == store.range(b"")


def test_the_reserve_is_there_again_after_a_stop(store: ReservingStore, disk: Disk, file: Path) -> None:
    disk.is_full = True
    store.commit(expected={}, puts={b"head": b"counter 1"})
    disk.is_full = False
    store.close()
    assert file.stat().st_size == SIZE


def test_a_disk_that_is_full_in_spite_of_the_reserve_refuses_and_changes_nothing(
    store: ReservingStore, disk: Disk, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(store)
    monkeypatch.setattr(Disk, "takes_nothing", property(lambda self: self.is_full))
    disk.is_full = True
    for _ in range(2):
        with pytest.raises(StoreFullError):
            store.commit(expected={}, puts={b"head": b"counter 1"})
    assert snapshot(store) == before
    assert file.stat().st_size == 0


def test_a_file_system_that_promises_no_room_stops_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    store = ReservingStore(MemoryStore, Reserve(file, SIZE))
    store.commit(expected={}, puts={b"new": bytes(9000)})
    assert file.stat().st_size == 0


def test_a_reserve_that_is_a_link_fills_no_file_elsewhere(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    file.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="reserve: cannot be opened or made"):
        ReservingStore(MemoryStore, Reserve(file, SIZE))
    assert elsewhere.read_text() == "precious"
