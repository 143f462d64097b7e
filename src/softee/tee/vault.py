# SPDX-License-Identifier: Apache-2.0
"""A vault: a head, and numbered objects that are sealed under it.

The application's own data stands in the head. Pages list each object's number, version, record tag, compartment and
blind-index terms; the head holds the hash of each page. Object, page and head change in one transaction.
Not safe for concurrent changes: the application holds one lock per vault, also for ``refresh``. ``read`` and ``find``
may run at the same time as a change.

Several secure worlds may use one vault. Each has its own view of it: where ``is_behind`` says so, and where a commit
comes too late (ConflictError), ``refresh`` takes over what the others have done.

Opening a vault checks its head and all its pages; an object is checked whenever it is read, so one damaged object hurts
no other.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from softee.stores.base import ConflictError, Store, StoreFullError
from softee.tee.keys import Label, derived
from softee.tee.pages import LAST_NUMBER, Entry, pack_terms
from softee.tee.records import RecordKind, object_tag, seal_record
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.vault_state import VaultState

__all__ = ["Change", "Entry", "Vault"]

LAST_COMPARTMENT = 255


class Shown(NamedTuple):
    """Where a head's newest revision is shown: at a place among numbers, which others may change at any time."""

    numbers: Sequence[int]
    place: int


NOWHERE = Shown((0,), 0)


class Growth(NamedTuple):
    """How many objects, and bytes of objects in the store, there are more after a change; negative: fewer."""

    objects: int
    bytes: int


class Vault:
    """One tamper-evident collection of objects. Made by SecureStorage."""

    def __init__(self, store: Store, application: UUID, name: str, secret: bytearray, shown: Shown = NOWHERE) -> None:
        """Open a vault and check its head and pages.

        Args:
            store: where the records are.
            application: whose vault it is.
            name: the vault's name.
            secret: 32 bytes, the vault's own from now on.
            shown: tells, without asking the store, which revision the head there has at least.

        Raises:
            TamperedError: the head or a page is not what this vault last wrote.
            StoreError: the store failed.

        """
        self._secret = secret
        self._shown, self._place = shown
        self._state = VaultState(store, application, name, secret)
        with derived(secret, Label.OBJECTS) as key:
            self._key = SealKey(key)

    @property
    def key(self) -> SealKey:
        """The vault's own key: seals compartment 0 and makes its terms."""
        return self._key

    def derive(self, label: str) -> bytes:
        """Return 32 bytes that depend on the root key, this vault and ``label``."""
        with derived(self._secret, Label.DERIVED, label.encode()) as key:
            return bytes(key)

    @property
    def head(self) -> bytes:
        """The application's own data, b"" in a new vault."""
        return self._state.head.data

    @property
    def epoch(self) -> int:
        """How many changes the vault has seen: what a monotonic anchor would vouch for."""
        return self._state.head.epoch

    @property
    def revision(self) -> int:
        """The store's revision of the head that is known here; it rises with every change, once that is seen here."""
        return self._state.revision

    @property
    def is_behind(self) -> bool:
        """Whether others have changed the vault since its head was last looked at, as far as is shown."""
        return self._shown[self._place] > self._state.revision

    @property
    def entries(self) -> Mapping[int, Entry]:
        """All objects by number. A live view: hold the vault's lock while you go through it."""
        return MappingProxyType(self._state.entries)

    @property
    def next_number(self) -> int:
        """The number that the next object gets."""
        return self._state.head.next_number

    @property
    def object_bytes(self) -> int:
        """How many bytes the objects take in the store. Raises StoreError."""
        return self._state.sizes.total()

    def find(self, terms: Collection[bytes]) -> list[int]:
        """Return the numbers of the objects that have all ``terms``, in rising order (all objects for no terms)."""
        return self._state.index.find(terms) if terms else sorted(self._state.entries)

    def read(self, number: int, key: SealKey) -> bytearray:
        """Open an object. ``key`` is the key of its compartment.

        Raises:
            KeyError: there is no such object.
            ConflictError: others have changed the vault: ``refresh``, and look again.
            TamperedError: the object is damaged.
            StoreError: the store failed.

        """
        try:
            return self._state.read(number, key)
        except TamperedError:
            return self._read_again(number, key)

    def _read_again(self, number: int, key: SealKey) -> bytearray:
        """Tell damage from a change that is in the store and not yet here, of this world's or of another."""
        with self._state.publishing:
            try:
                return self._state.read(number, key)
            except TamperedError:
                if self._state.has_news():
                    raise ConflictError(f"vault {self._state.name} was changed by others") from None
                raise

    def refresh(self) -> frozenset[int]:
        """Take over what others have committed, and return the numbers of the objects that changed.

        Raises:
            TamperedError: the store has an older head, or another one that is not newer, or pages that are not its own.
            StoreError: the store failed. Nothing has changed.

        """
        return self._state.refresh()

    def change(self) -> "Change":
        """Begin a change. Nothing happens before its ``commit``."""
        return Change(self._state)


class Change:
    """Several changes to a vault that become durable together, or not at all.

    Objects are sealed as they are given, so no plaintext waits here. Of two changes that were begun at the same state
    of the vault, only the first can be committed.
    """

    def __init__(self, state: VaultState) -> None:
        self._state = state
        self._begun_at = state.head.epoch
        self._next_number = state.head.next_number
        self._data: bytes | None = None
        self._entries: dict[int, Entry | None] = {}
        self._records: dict[bytes, bytes] = {}

    def set_head(self, data: bytes) -> None:
        """Replace the application's own data."""
        self._data = bytes(data)

    def add(self, plaintext: bytes | bytearray, key: SealKey, compartment: int, terms: Collection[bytes]) -> int:
        """Add an object and return its number, which is never used again (1 to 0x3FFFFFFF).

        ``compartment`` is 0 to 255; there are at most 255 ``terms`` of 16 bytes (else ValueError).
        Raises StoreFullError when the vault has used up its numbers.
        """
        number = self._next_number
        if number > LAST_NUMBER:
            raise StoreFullError(f"vault {self._state.name} has used all {LAST_NUMBER} object numbers")
        self._put(number, plaintext, key, compartment, terms)
        self._next_number = number + 1
        return number

    def replace(
        self, number: int, plaintext: bytes | bytearray, key: SealKey, compartment: int, terms: Collection[bytes]
    ) -> None:
        """Replace an object's content. Raises KeyError; ValueError as ``add``."""
        self._require(number)
        self._put(number, plaintext, key, compartment, terms)

    def remove(self, number: int) -> None:
        """Remove an object. Raises KeyError."""
        self._require(number)
        self._entries[number] = None
        self._records.pop(self._state.place(RecordKind.OBJECT, number).key, None)

    def clear(self) -> None:
        """Remove all objects (numbers go on counting)."""
        self._entries = dict.fromkeys(self._state.entries)
        self._records = {}

    def growth(self) -> Growth:
        """Return by how much the vault grows. Raises StoreError."""
        known, sizes = self._state.entries, self._state.sizes
        objects = sum((entry is not None) - (number in known) for number, entry in self._entries.items())
        before = sum(sizes.of(number) for number in self._entries)
        return Growth(objects, sum(map(len, self._records.values())) - before)

    def commit(self) -> None:
        """Make it durable. Raises StoreError (nothing has changed then) or TamperedError.

        A change that changes nothing is not written. ConflictError, a StoreError: another change was committed since
        this one was begun, here or by others (then ``Vault.refresh`` comes before the next try).
        """
        head = self._state.head
        if head.epoch != self._begun_at:
            raise ConflictError(f"vault {self._state.name} has changed since this change was begun")
        if self._data is None and not self._entries:
            return
        self._state.commit(
            next_number=self._next_number,
            data=head.data if self._data is None else self._data,
            entries=self._entries,
            records=self._records,
        )

    def _require(self, number: int) -> None:
        if self._entries.get(number, self._state.entries.get(number)) is None:
            raise KeyError(number)

    def _put(
        self, number: int, plaintext: bytes | bytearray, key: SealKey, compartment: int, terms: Collection[bytes]
    ) -> None:
        if not 0 <= compartment <= LAST_COMPARTMENT:
            raise ValueError(f"compartment {compartment} is not 0 to {LAST_COMPARTMENT}")
        packed_terms = pack_terms(terms)
        version = self._begun_at + 1
        place = self._state.place(RecordKind.OBJECT, number)
        record = seal_record(key, place, version, plaintext)
        self._records[place.key] = record
        self._entries[number] = Entry(number, version, object_tag(record), compartment, packed_terms)
