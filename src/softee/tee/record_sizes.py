# SPDX-License-Identifier: Apache-2.0
"""How many bytes a vault's objects take in the store.

The store is asked for them when somebody first wants to know; from then on they are kept up. A store that lies about
them says that its own disk has more room, or less, than it has.
"""

from collections.abc import Iterable, Mapping

from softee.stores.base import Store
from softee.tee.records import Place


class RecordSizes:
    """Bytes by the objects' numbers. Changed by one thread at a time, as the vault is."""

    def __init__(self, store: Store, objects: Place) -> None:
        """Take the store, and the place of the objects: one of any number."""
        self._store = store
        self._objects = objects
        self._sizes: dict[int, int] = {}
        self._unknown: set[int] = set()
        self._total = 0
        self._is_known = False

    def total(self) -> int:
        """Return the bytes of all objects. Raises StoreError."""
        if not self._is_known:
            sizes = self._store.sizes(self._objects.all_of_kind)
            self.note({int.from_bytes(key[-4:], "big"): size for key, size in sizes}, is_first=True)
        for number in sorted(self._unknown):
            record = self._store.get(self._objects.at(number).key)
            self.note({number: len(record.value) if record else None})
        return self._total

    def of(self, number: int) -> int:
        """Return the bytes of an object; 0 of one that is not there. Raises StoreError."""
        self.total()
        return self._sizes.get(number, 0)

    def note(self, changed: Mapping[int, int | None], *, is_first: bool = False) -> None:
        """Take over sizes of objects that were written; None: removed. Nothing is kept that nobody has asked for."""
        self._is_known = self._is_known or is_first
        if not self._is_known:
            return
        self._unknown.difference_update(changed)
        for number, size in changed.items():
            self._total += (size or 0) - self._sizes.pop(number, 0)
            if size is not None:
                self._sizes[number] = size

    def forget(self, numbers: Iterable[int]) -> None:
        """Ask anew for the sizes of objects that others have changed, when somebody wants to know."""
        if self._is_known:
            self._unknown.update(numbers)
