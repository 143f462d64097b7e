# SPDX-License-Identifier: Apache-2.0
"""A disk with a history, for attacks on storage: its records at each moment, and what a reader may see of them."""

from dataclasses import dataclass, field

from softee.stores.memory import MemoryStore
from softee.tee.records import Place, RecordKind
from softee.tee.sealing import TamperedError
from softee.tee.vault import Vault
from support.stores import APPLICATION, VAULTS, open_storage, restore, snapshot

OBJECTS = 130
"""Per vault: numbers 1 to 127 are on page 0, the rest on page 1."""
DAMAGED = None
"""What a reader sees of an object whose record was refused."""


@dataclass(frozen=True)
class View:
    """All that a vault shows: its head's data, and by object number the index's answers and the content."""

    head: bytes
    listed: tuple[int, ...]
    red: tuple[int, ...]
    contents: dict[int, bytes | None]


def look(vault: Vault) -> View:
    """Look at everything in a vault."""
    return View(
        vault.head,
        tuple(vault.find([])),
        tuple(vault.find([vault.key.term(b"red")])),
        {number: _content(vault, number) for number in vault.entries},
    )


def _content(vault: Vault, number: int) -> bytes | None:
    try:
        return bytes(vault.read(number, vault.key))
    except TamperedError:
        return DAMAGED


@dataclass
class Disk:
    """What was on the disk after each commit, and what each vault then showed."""

    records: list[dict[bytes, bytes]] = field(default_factory=list)
    views: dict[str, list[View]] = field(default_factory=lambda: {name: [] for name in VAULTS})

    @property
    def now(self) -> dict[bytes, bytes]:
        """The records as they are."""
        return dict(self.records[-1])

    @property
    def before(self) -> dict[bytes, bytes]:
        """The records before the last change."""
        return dict(self.records[-2])

    def note(self, store: MemoryStore) -> None:
        """Add this moment to the history."""
        self.records.append(snapshot(store))
        storage = open_storage(store)
        for name, views in self.views.items():
            views.append(look(storage.vault(name)))


def make_disk(objects: int = OBJECTS) -> Disk:
    """Return a disk on which so many objects of both vaults, on all their pages, were added, replaced and removed."""
    disk, store = Disk(), MemoryStore()
    storage = open_storage(store)
    disk.note(store)
    for name in VAULTS:
        vault = storage.vault(name)
        change = vault.change()
        for number in range(1, objects + 1):
            terms = [vault.key.term(b"red" if number % 2 else b"blue")]
            change.add(b"%s object %d" % (name.encode(), number), vault.key, 0, terms)
        change.commit()
    disk.note(store)
    for name in VAULTS:
        vault = storage.vault(name)
        change = vault.change()
        change.set_head(b"state")
        for number in (1, 2, objects - 2):
            change.replace(number, b"replaced %d" % number, vault.key, 0, [vault.key.term(b"red")])
        change.remove(3)
        change.remove(objects)
        change.commit()
    disk.note(store)
    return disk


def load(records: dict[bytes, bytes]) -> MemoryStore:
    """Return a store with these records."""
    store = MemoryStore()
    restore(store, records)
    return store


def key_of(kind: RecordKind, number: int = 0, vault: str = VAULTS[0]) -> bytes:
    """Return the store's key of a record."""
    return Place(APPLICATION, "" if kind is RecordKind.INSTALLATION else vault, kind, number).key
