# SPDX-License-Identifier: Apache-2.0
"""A vault as the secure world knows it: its head, entries and index, and how these come from the store and go to it.

Memory is the authority. What the store answers is believed only as far as the head vouches for it, and memory takes a
change over only when the store has it.

Other secure worlds may change the same vault. Each commit is a compare-and-swap on the head: whoever is late takes the
newer head over, with the pages that changed, and begins anew. What is newer is told from what is older by the epoch,
which only rises, under the vault's own key: a lower one, or the same with another content, is tampering.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar
from uuid import UUID

from softee.stores.base import ConflictError, Revision, Store, StoreUnavailableError
from softee.tee.keys import Label, derived
from softee.tee.opening import HEAD_VERSION, open_head, open_object, open_page
from softee.tee.pages import NEW_HEAD, OBJECTS_PER_PAGE, Entry, Head, PageRow, encode_head, encode_page
from softee.tee.record_sizes import RecordSizes
from softee.tee.records import Place, RecordKind, record_hash, seal_record
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.term_index import TermIndex

T = TypeVar("T")

_LOOKS = 16
"""How many times a head is read that changes while its pages are read, before the vault is said to be busy."""


def new_vault_record(application: UUID, name: str, secret: bytes | bytearray) -> tuple[bytes, bytes]:
    """Return the store's key and the record of an empty vault's head."""
    place = Place(application, name, RecordKind.HEAD)
    return place.key, seal_record(structure_key(secret), place, HEAD_VERSION, encode_head(NEW_HEAD))


def structure_key(secret: bytes | bytearray) -> SealKey:
    """Return the key that seals the head and the pages of the vault with this secret."""
    with derived(secret, Label.STRUCTURE) as key:
        return SealKey(key)


class VaultState:
    """The trusted copy of a vault's structure. Changed by one thread at a time; read by any."""

    def __init__(self, store: Store, application: UUID, name: str, secret: bytes | bytearray) -> None:
        """Load a vault's head and pages.

        Raises:
            TamperedError: the head or a page is not what this vault last wrote.
            StoreError: the store failed.

        """
        self.name = name
        self._store = store
        self._application = application
        self._key = structure_key(secret)
        self.publishing = threading.Lock()
        """Held while a change goes from the store into memory."""
        self.revision, self.head, self.entries = self._at_one_head(self._load_entries)
        """The newest head that is known, with the store's revision of it (set last), and the objects' entries."""
        self.index = TermIndex(self.entries.values())
        self.sizes = RecordSizes(store, self.place(RecordKind.OBJECT))

    def place(self, kind: RecordKind, number: int = 0) -> Place:
        """Return where a record of this vault belongs."""
        return Place(self._application, self.name, kind, number)

    def read(self, number: int, key: SealKey) -> bytearray:
        """Open an object as memory knows it. Raises KeyError, TamperedError or StoreError."""
        entry = self.entries[number]
        place = self.place(RecordKind.OBJECT, number)
        stored = self._store.get(place.key)
        return open_object(key, place, entry, stored.value if stored else None)

    def commit(
        self, *, next_number: int, data: bytes, entries: Mapping[int, Entry | None], records: Mapping[bytes, bytes]
    ) -> None:
        """Make a change durable, and then the state of memory.

        Args:
            next_number: the number of the object that will be added next.
            data: the application's data.
            entries: the new entries of the objects that change; None for one that is removed.
            records: the sealed objects to write, by their keys in the store.

        Raises:
            ConflictError: another secure world has written the head: ``refresh``, and begin anew.
            TamperedError: the head in the store is another one than the one known here, and not newer.
            StoreError: the store failed. Nothing has changed.

        """
        rows = dict(self.head.pages)
        puts = dict(records)
        deletes = [self.place(RecordKind.OBJECT, number).key for number, entry in entries.items() if entry is None]
        epoch = self.head.epoch + 1
        for page in {number // OBJECTS_PER_PAGE for number in entries}:
            place = self.place(RecordKind.PAGE, page)
            content = self._page_content(page, entries)
            if content:
                puts[place.key] = seal_record(self._key, place, epoch, encode_page(content))
                rows[page] = PageRow(epoch, record_hash(puts[place.key]))
            elif rows.pop(page, None):
                deletes.append(place.key)
        head = Head(epoch, next_number, data, rows)
        with self.publishing:
            revision = self._write(head, puts, deletes)
            self._publish(revision, head, entries)
        written = ((number, records.get(self.place(RecordKind.OBJECT, number).key)) for number in entries)
        self.sizes.note({number: None if record is None else len(record) for number, record in written})

    def refresh(self) -> frozenset[int]:
        """Take over what others have committed. Not beside a commit of this world.

        Returns:
            The numbers of the objects that are new, changed or gone.

        Raises:
            TamperedError: what the store has is older, or differs without being newer, or does not hang together.
            StoreError: the store failed. Nothing has changed.

        """
        revision, head, entries = self._at_one_head(self._newer_entries)
        with self.publishing:
            self._publish(revision, head, entries)
        self.sizes.forget(entries)
        return frozenset(entries)

    def has_news(self) -> bool:
        """Say whether the store has a newer head than is known here. Raises as ``refresh``."""
        return self._is_newer(self._load_head()[1])

    def _is_newer(self, head: Head) -> bool:
        """Tell news from what is known. Raises TamperedError for what is neither."""
        if head.epoch > self.head.epoch:
            return True
        if head != self.head:
            place = self.place(RecordKind.HEAD)
            raise TamperedError(f"{place} is not the newest: rolled back, or another one was put in its place")
        return False

    def _newer_entries(self, head: Head) -> dict[int, Entry | None]:
        """Read the pages whose rows differ from those known, and return what changes; None for what is gone."""
        newer: dict[int, Entry | None] = {}
        if not self._is_newer(head):
            return newer
        known = self.head.pages
        for page in known.keys() | head.pages.keys():
            row = head.pages.get(page)
            if row != known.get(page):
                newer |= self._page_changes(page, row)
        return newer

    def _page_changes(self, page: int, row: PageRow | None) -> dict[int, Entry | None]:
        entries: dict[int, Entry] = {}
        if row is not None:
            place = self.place(RecordKind.PAGE, page)
            stored = self._store.get(place.key)
            entries = open_page(self._key, place, row, stored.value if stored else None)
        first = page * OBJECTS_PER_PAGE
        numbers = range(first, first + OBJECTS_PER_PAGE)
        return {number: entries.get(number) for number in numbers if entries.get(number) != self.entries.get(number)}

    def _page_content(self, page: int, changed: Mapping[int, Entry | None]) -> list[Entry]:
        first = page * OBJECTS_PER_PAGE
        candidates = (changed.get(n, self.entries.get(n)) for n in range(first, first + OBJECTS_PER_PAGE))
        return [entry for entry in candidates if entry is not None]

    def _write(self, head: Head, puts: dict[bytes, bytes], deletes: Collection[bytes]) -> Revision:
        place = self.place(RecordKind.HEAD)
        puts[place.key] = seal_record(self._key, place, HEAD_VERSION, encode_head(head))
        try:
            return self._store.commit(expected={place.key: self.revision}, puts=puts, deletes=deletes)
        except ConflictError:
            self.has_news()  # which tells tampering
            raise

    def _publish(self, revision: Revision, head: Head, entries: Mapping[int, Entry | None]) -> None:
        for number, entry in entries.items():
            old = self.entries.get(number)
            self.index.replace(number, old.packed_terms if old else b"", entry.packed_terms if entry else b"")
            if entry:
                self.entries[number] = entry
            else:
                self.entries.pop(number, None)
        self.head = head
        self.revision = revision

    def _at_one_head(self, read: Callable[[Head], T]) -> tuple[Revision, Head, T]:
        """Load the head and ``read`` what hangs from it; again where others have changed the vault meanwhile."""
        for _ in range(_LOOKS):
            revision, head = self._load_head()
            try:
                return revision, head, read(head)
            except TamperedError:
                if self._load_head()[1].epoch == head.epoch:
                    raise
        raise StoreUnavailableError(f"vault {self.name} is changed by others all the time")

    def _load_head(self) -> tuple[Revision, Head]:
        place = self.place(RecordKind.HEAD)
        stored = self._store.get(place.key)
        if stored is None:
            raise TamperedError(f"{place} is missing from the store")
        return stored.revision, open_head(self._key, place, stored.value)

    def _load_entries(self, head: Head) -> dict[int, Entry]:
        """Open the pages that a head lists. Others that the store may hold are passed over."""
        stored = {key: record.value for key, record in self._store.range(self.place(RecordKind.PAGE).all_of_kind)}
        entries: dict[int, Entry] = {}
        for number, row in head.pages.items():
            place = self.place(RecordKind.PAGE, number)
            entries |= open_page(self._key, place, row, stored.get(place.key))
        return entries
