# SPDX-License-Identifier: Apache-2.0
"""A store that shows, without being asked, at which revision some of its records are: a number in memory for each.

After these comes the newest of them all, which is raised last.

Whoever shares the memory sees at once that there is something new. The store below is this process' alone, so it also
knows what those records must be: what it did not write itself was put there by somebody who changed the file.
"""

from collections.abc import Collection, Mapping, MutableSequence, Sequence
from threading import Lock

from softee.stores.base import Record, Revision, Store, StoreDamagedError, StoreOver


class ShownStore(StoreOver):
    """Passes everything on to another store, and shows the revisions of some keys."""

    def __init__(self, store: Store, keys: Sequence[bytes], numbers: "MutableSequence[int] | memoryview[int]") -> None:
        """Show the revision of each of ``keys`` in the number at its place, and the newest after them.

        Raises StoreError.
        """
        super().__init__(store)
        self._places = {key: place for place, key in enumerate(keys)}
        self._numbers = numbers
        self._known: dict[bytes, Record] = {}
        self._lock = Lock()
        for key in keys:
            self.get(key)

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None. Raises StoreDamagedError: a shown one was changed from outside."""
        if key not in self._places:
            return self._store.get(key)
        with self._lock:
            record = self._store.get(key)
            self._check(key, record)
            if record is not None:
                self._show(key, record)
            return record

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys; when it returns, their new revisions are shown. See Store.commit."""
        with self._lock:
            revision = self._store.commit(expected=expected, puts=puts, deletes=deletes)
            for key in self._places.keys() & {*deletes}:
                self._known.pop(key, None)
            for key in self._places.keys() & puts.keys():
                self._show(key, Record(puts[key], revision))
            return revision

    def _check(self, key: bytes, record: Record | None) -> None:
        known = self._known.get(key)
        if known is not None and record != known:
            raise StoreDamagedError(f"{self.name} was changed by another program while it was open")

    def _show(self, key: bytes, record: Record) -> None:
        self._known[key] = record
        self._numbers[self._places[key]] = record.revision
        newest = len(self._places)
        self._numbers[newest] = max(self._numbers[newest], record.revision)
