# SPDX-License-Identifier: Apache-2.0
"""What the secure world asks of an untrusted store: an ordered map of opaque records, shaped like etcd.

A store is trusted with nothing but durability: values are sealed before they come here, and checked when they come
back.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NewType, Protocol

Revision = NewType("Revision", int)
ABSENT = Revision(0)
"""The revision of a key that is not there."""


class StoreError(Exception):
    """The store could not do as asked, for a reason that has no name below. Nothing was changed.

    The named ones mean the same for every store, so that whoever catches them need not know which it is.
    """


class ConflictError(StoreError):
    """Another writer changed a key since the revision that was expected: read again, and decide anew."""


class StoreUnavailableError(StoreError):
    """The store is busy or cannot be reached: the same request may succeed later."""


class StoreFullError(StoreError):
    """The store has no room for more: what is there can be read, and removed."""


class StoreDamagedError(StoreError):
    """What the store holds is not what a store wrote: it was altered, or is no store of ours. A backup is needed."""


@dataclass(frozen=True, slots=True)
class Record:
    """A stored value and the revision at which it was written."""

    value: bytes
    revision: Revision


class Store(Protocol):
    """An ordered map from key to record. Safe to call from several threads. Once closed, it raises StoreError."""

    @property
    def name(self) -> str:
        """What it is called in a sentence to whoever must mend it: a file's path, a server's address."""
        ...

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None. Raises StoreError."""
        ...

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        """Return all keys that begin with ``prefix`` with their records, in the order of the keys' bytes.

        Raises StoreError.
        """
        ...

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        """Return all keys that begin with ``prefix`` with their values' lengths, in any order. Raises StoreError."""
        ...

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys in one atomic, durable transaction; when it returns, it is on disk.

        It may change every record of a token at once, which are thousands, and carry a value as large as a request.

        Args:
            expected: keys with the revision that each must still have (ABSENT: must not exist).
            puts: keys and their new values.
            deletes: keys to remove; one that is not there, or also stands in ``puts``, is passed over.

        Returns:
            The revision that the written records now have, larger than any before.

        Raises:
            ConflictError: a key in ``expected`` has another revision.
            StoreError: the store failed; nothing was changed, and nothing will be. A store whose answer was lost finds
                out whether the commit was done before it returns or raises, and makes sure that it is not done later.
                Where it cannot, it refuses all further commits.

        """
        ...

    def check(self) -> None:
        """Raise StoreError where a change that enlarges the store would be refused now, as far as that can be told.

        Nothing is changed.
        """
        ...

    def close(self) -> None:
        """Let go of the store. To close it again does nothing."""
        ...


class StoreOver(Store):
    """Passes everything on to another store. Who builds on it says what a change is, and what else is different."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def name(self) -> str:
        """What the store below is called."""
        return self._store.name

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None. See Store.get."""
        return self._store.get(key)

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        """Return all keys that begin with ``prefix``. See Store.range."""
        return self._store.range(prefix)

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        """Return all keys that begin with ``prefix`` with their values' lengths. See Store.sizes."""
        return self._store.sizes(prefix)

    def check(self) -> None:
        """Check the store below. See Store.check."""
        self._store.check()

    def close(self) -> None:
        """Close the store below. See Store.close."""
        self._store.close()


def end_of_prefix(prefix: bytes) -> bytes | None:
    """Return the first key after all that begin with ``prefix``; None where there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None
