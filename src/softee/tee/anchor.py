# SPDX-License-Identifier: Apache-2.0
"""A store whose newest state a counter outside of it vouches for: what was put back as a whole is told from it.

Beside the records stands one more, the anchor record: a value of the counter, and the hash of every vault's head. It
changes with each head, in the same transaction. A state is anchored by writing the record with the counter's next
value, and then counting: all that was there before is older than the counter from then on. Changes in between keep the
counter's value. So a start takes what has the counter's value (anchored, or changed since), or the next one (a crash
came before it counted), and nothing else; then it anchors twice, after which nothing that an earlier run has prepared
is taken any more. A commit that changes a head alone (a PIN, a try of one) is anchored before it returns.

docs/decisions/0021-an-anchor-counts-twice-at-a-start.md says why this leaves no way back.
"""

import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from softee.stores.base import (
    ABSENT,
    ConflictError,
    Record,
    Revision,
    Store,
    StoreDamagedError,
    StoreError,
    StoreOver,
    StoreUnavailableError,
)
from softee.tee.keys import Label, derived
from softee.tee.records import Place, RecordKind, kind_of, open_record, record_hash, seal_record
from softee.tee.sealing import SealKey, TamperedError
from softee.wire.codec import Reader, WireError, Writer

ANCHOR = Place(UUID(int=0), "", RecordKind.ANCHOR)
"""Where the anchor record stands: it is no application's."""
_AUTH_SIZE = 32
_RECORD_VERSION = 0


class AnchorError(Exception):
    """The counter cannot be used. The text is a sentence."""


class Counter(Protocol):
    """A number that only rises, and that nobody who owns the disk can set back. Raises AnchorError."""

    def read(self) -> int | None:
        """Return its value; None where there is no such counter yet."""
        ...

    def define(self, auth: bytes) -> None:
        """Make it, for who has ``auth`` to count."""
        ...

    def increment(self, auth: bytes) -> None:
        """Count one."""
        ...


@dataclass(frozen=True, slots=True)
class AnchorRecord:
    """What the record says: the counter's value, what it takes to count, and the hashes of heads by their keys."""

    value: int
    auth: bytes = field(repr=False)
    heads: Mapping[bytes, bytes]


def anchor_key(root_key: bytes | bytearray) -> SealKey:
    """Return the key that seals the anchor record."""
    with derived(root_key, Label.ANCHOR) as secret:
        return SealKey(secret)


def seal_anchor(key: SealKey, record: AnchorRecord) -> bytes:
    """Return the record as it is stored."""
    writer = Writer().u64(record.value).raw(record.auth).u32(len(record.heads))
    for place, head in sorted(record.heads.items()):
        writer.blob(place).raw(head)
    return seal_record(key, ANCHOR, _RECORD_VERSION, writer.done())


def open_anchor(key: SealKey, stored: bytes) -> AnchorRecord:
    """Return what a stored record says. Raises TamperedError."""
    reader = Reader(open_record(key, ANCHOR, _RECORD_VERSION, stored))
    try:
        value, auth = reader.u64(), reader.take(_AUTH_SIZE)
        heads = {reader.take(reader.u32()): reader.take(32) for _ in range(reader.u32())}
        reader.finish()
    except WireError as error:
        raise TamperedError(f"{ANCHOR} does not decode: {error}") from error
    return AnchorRecord(value, auth, heads)


def heads_of(store: Store) -> dict[bytes, bytes]:
    """Return the hashes of all heads in a store by their keys. Raises StoreError."""
    return {key: record_hash(stored.value) for key, stored in store.range(b"") if kind_of(key) is RecordKind.HEAD}


class AnchoredStore(StoreOver):
    """The Store contract over a store, with a counter that vouches for it. Safe to use from several threads."""

    def __init__(self, store: Store, counter: Counter, root_key: bytes | bytearray) -> None:
        """Compare the store with the counter, and anchor it; where there is no counter yet, make it.

        Raises:
            TamperedError: the state is older than the counter, or another one than the counter's.
            AnchorError: the counter cannot be used.
            StoreError: the store failed.

        """
        super().__init__(store)
        self._counter = counter
        self._lock = threading.RLock()
        self._key = anchor_key(root_key)
        value = counter.read()
        self._revision, self._record = self._found() if value is None else self._loaded(value)
        self._counted = self._record.value if value is None else value
        self._rounds = 2
        """How often is anchored the next time: twice where something may be prepared that is not to be taken."""
        self._pending = True
        self.settle()

    @property
    def is_pending(self) -> bool:
        """Whether there are changes that are not anchored yet."""
        return self._pending

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None. Raises StoreDamagedError: a head is not the newest; StoreError."""
        if kind_of(key) is not RecordKind.HEAD:
            return self._store.get(key)
        with self._lock:
            record = self._store.get(key)
            if record is not None and not self._is_newest(key, record):
                raise StoreDamagedError(f"{self.name}: a head is not the one that is anchored: it was rolled back")
            return record

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys. See Store.commit.

        Raises:
            StoreUnavailableError: the counter cannot be used. Where it fails after the change, that is in the store,
                is not anchored, and nobody gets anything by it.
            StoreError: as Store.commit.

        """
        heads = {key: record_hash(record) for key, record in puts.items() if kind_of(key) is RecordKind.HEAD}
        if not heads:
            return self._store.commit(expected=expected, puts=puts, deletes=deletes)
        is_urgent = all(kind_of(key) is RecordKind.HEAD for key in {*puts, *deletes})
        with self._lock:
            self._settle_debts()
            value = self._counted + 1 if is_urgent else self._counted
            revision = self._write(value, {**self._record.heads, **heads}, expected, puts, deletes)
            self._pending = True
            if is_urgent:
                self._advance()
            return revision

    def settle(self) -> None:
        """Anchor what is not anchored yet. Raises AnchorError or StoreError; it can be done again then."""
        with self._lock:
            while self._pending:
                self._catch_up()
                self._write(self._counted + 1, self._record.heads, {}, {}, ())
                self._catch_up()
                self._rounds -= 1
                self._pending = self._rounds > 0
            self._rounds = 1

    def close(self) -> None:
        """Close the store below, anchored if that can be done."""
        try:
            self.settle()
        except (AnchorError, StoreError):
            pass  # the next start takes what is there: it has the counter's value, or the next one
        finally:
            super().close()

    def _settle_debts(self) -> None:
        """Before a change: have what failed before done."""
        try:
            self._catch_up()
            if self._rounds > 1:
                self.settle()
        except AnchorError as error:
            raise StoreUnavailableError(f"{self.name}: {error}") from error

    def _advance(self) -> None:
        try:
            self._catch_up()
        except AnchorError as error:
            raise StoreUnavailableError(f"{self.name}: {error}") from error
        self._pending = False

    def _catch_up(self) -> None:
        """Count until the counter has the record's value."""
        while self._counted < self._record.value:
            self._counter.increment(self._record.auth)
            self._counted = self._count()

    def _count(self) -> int:
        value = self._counter.read()
        if value is None:
            raise AnchorError("the counter is gone")
        return value

    def _write(
        self,
        value: int,
        heads: Mapping[bytes, bytes],
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes],
    ) -> Revision:
        record = AnchorRecord(value, self._record.auth, heads)
        sealed = seal_anchor(self._key, record)
        expected, puts = {**expected, ANCHOR.key: self._revision}, {**puts, ANCHOR.key: sealed}
        try:
            revision = self._store.commit(expected=expected, puts=puts, deletes=deletes)
        except ConflictError:
            raise
        except StoreError:
            self._rounds, self._pending = 2, True  # what was not committed may be kept by somebody all the same
            raise
        self._revision, self._record = revision, record
        return revision

    def _found(self) -> tuple[Revision, AnchorRecord]:
        """Make the counter, and a record of what is there."""
        heads = heads_of(self._store)
        auth = os.urandom(_AUTH_SIZE)
        stored = self._store.get(ANCHOR.key)
        self._counter.define(auth)
        record = AnchorRecord(self._count(), auth, heads)
        expected = {ANCHOR.key: stored.revision if stored else ABSENT}
        revision = self._store.commit(expected=expected, puts={ANCHOR.key: seal_anchor(self._key, record)})
        return revision, record

    def _loaded(self, value: int) -> tuple[Revision, AnchorRecord]:
        """Return the record, if the counter vouches for it."""
        stored = self._store.get(ANCHOR.key)
        if stored is None:
            raise TamperedError("its anchor's counter is there, and the anchor record is missing")
        record = open_anchor(self._key, stored.value)
        if record.value < value:
            raise TamperedError("the state is older than its anchor's counter: it was rolled back as a whole")
        if record.value > value + 1:
            raise TamperedError("the state is newer than its anchor's counter, which is another one")
        return stored.revision, record

    def _is_newest(self, key: bytes, record: Record) -> bool:
        return self._record.heads.get(key) == record_hash(record.value)
