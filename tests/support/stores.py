# SPDX-License-Identifier: Apache-2.0
"""Stores for tests: what makes them, what an attacker who owns the disk does to them, and one that fails on demand."""

import socket
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from softee.stores.base import Record, Revision, Store, StoreFullError, StoreUnavailableError
from softee.stores.memory import MemoryStore
from softee.stores.remote import LENGTH, RemoteStore
from softee.stores.requests import answer
from softee.stores.shown import ShownStore
from softee.stores.sqlite import SqliteStore
from softee.tee.secure_storage import SecureStorage
from softee.tee.vault import Vault

ROOT_KEY = bytes(range(32))
APPLICATION = UUID("fd02c9da-306c-48c7-a49c-bbd827ae86ee")
OTHER_APPLICATION = UUID("1d5bd9b4-9c0e-4b3c-8d1c-2f0c6a1f8b11")
VAULTS = ("slot-0", "slot-1")

HEAD_KEY = b"key"
"""A key that contract tests write, and whose revision the shown store shows."""


def remote_store(store: Store) -> RemoteStore:
    """Return a store that asks a thread which has ``store``, until it is closed."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rb") as requests:
            while head := requests.read(LENGTH.size):
                reply = answer(store, requests.read(*LENGTH.unpack(head)))
                theirs.sendall(LENGTH.pack(len(reply)) + reply)
        store.close()

    threading.Thread(target=serve, daemon=True).start()
    return RemoteStore(ours, store.name)


STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda directory: SqliteStore(directory / "store.db"),
    "shown": lambda _: ShownStore(MemoryStore(), [HEAD_KEY], [0, 0]),
    "remote": lambda _: remote_store(MemoryStore()),
}
"""What opens a store of each kind in a directory, where it is made if it is not there."""

DURABLE = ("sqlite",)
"""Those that are there again after closing."""


def open_storage(
    store: Store,
    root_key: bytes | bytearray = ROOT_KEY,
    application: UUID = APPLICATION,
    shown: Sequence[int] | None = None,
) -> SecureStorage:
    """Open (or make) the storage that these tests use."""
    return SecureStorage(store, root_key, application, VAULTS, shown)


def add(vault: Vault, *contents: bytes, terms: tuple[bytes, ...] = ()) -> list[int]:
    """Add objects in one change, and return their numbers."""
    change = vault.change()
    numbers = [change.add(content, vault.key, 0, terms) for content in contents]
    change.commit()
    return numbers


def snapshot(store: Store) -> dict[bytes, bytes]:
    """Copy all records, as an attacker copies the disk."""
    return {key: record.value for key, record in store.range(b"")}


def restore(store: Store, records: Mapping[bytes, bytes]) -> None:
    """Make a store hold exactly these records."""
    store.commit(expected={}, puts=records, deletes=[key for key in snapshot(store) if key not in records])


class FailingStore:
    """Passes everything on to another store.

    While ``failing``, it refuses every commit as a full disk does; ``refused`` is what the last one wanted to write.
    While ``unreachable``, it answers nothing.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failing = False
        self.unreachable = False
        self.refused: dict[bytes, bytes] = {}

    @property
    def name(self) -> str:
        return self.store.name

    def get(self, key: bytes) -> Record | None:
        self._reach()
        return self.store.get(key)

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        self._reach()
        return self.store.range(prefix)

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        self._reach()
        return self.store.sizes(prefix)

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        self._reach()
        if self.failing:
            self.refused = dict(puts)
            raise StoreFullError("the disk is full")
        return self.store.commit(expected=expected, puts=puts, deletes=deletes)

    def check(self) -> None:
        self._reach()
        if self.failing:
            raise StoreFullError("the disk is full")
        self.store.check()

    def close(self) -> None:
        self.store.close()

    def _reach(self) -> None:
        if self.unreachable:
            raise StoreUnavailableError("the store cannot be reached")
