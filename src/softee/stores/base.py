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
    """An ordered map from key to record. Safe to call from several threads."""

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None. Raises StoreError."""
        ...

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        """Return all keys that begin with ``prefix`` with their records, in the order of the keys' bytes.

        Raises StoreError.
        """
        ...

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys in one atomic, durable transaction; when it returns, it is on disk.

        Args:
            expected: keys with the revision that each must still have (ABSENT: must not exist).
            puts: keys and their new values.
            deletes: keys to remove; one that is not there is passed over.

        Returns:
            The revision that the written records now have, larger than any before.

        Raises:
            ConflictError: a key in ``expected`` has another revision.
            StoreError: the store failed; nothing was changed. A store that cannot tell whether a commit was done finds
                out before it answers.

        """
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
