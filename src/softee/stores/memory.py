# SPDX-License-Identifier: Apache-2.0
"""A store that lives and dies with the process: the whole contract in a dictionary.

The tests run on it, it holds what comes from a backup, and it is the shortest answer to what a store must do. The
secure world does not offer it: a throw-away token (``softee run --ephemeral``) has a database in a temporary directory.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from softee.stores.base import ABSENT, ConflictError, Record, Revision, StoreError


class MemoryStore:
    """The Store contract over a dictionary."""

    def __init__(self, name: str = "memory") -> None:
        """Begin empty; ``name`` is what it is called."""
        self._name = name
        self._lock = threading.Lock()
        self._records: dict[bytes, Record] = {}
        self._revision = ABSENT
        self._closed = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None."""
        with self._opened() as records:
            return records.get(key)

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        """Return all keys that begin with ``prefix`` with their records, in the order of the keys' bytes."""
        with self._opened() as records:
            return sorted((item for item in records.items() if item[0].startswith(prefix)), key=_key)

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        """Return all keys that begin with ``prefix`` with their values' lengths."""
        with self._opened() as records:
            return [(key, len(record.value)) for key, record in records.items() if key.startswith(prefix)]

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys at once. See Store.commit."""
        with self._opened() as records:
            for key, revision in expected.items():
                record = records.get(key)
                if (record.revision if record else ABSENT) != revision:
                    raise ConflictError("a record was changed by another writer")
            self._revision = Revision(self._revision + 1)
            for key in deletes:
                records.pop(key, None)
            records.update({key: Record(bytes(value), self._revision) for key, value in puts.items()})
            return self._revision

    def check(self) -> None:
        """Raise StoreError where it is closed."""
        with self._opened():
            pass

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records.clear()
            self._closed = True

    @contextmanager
    def _opened(self) -> Iterator[dict[bytes, Record]]:
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            yield self._records


def _key(item: tuple[bytes, Record]) -> bytes:
    return item[0]
