# SPDX-License-Identifier: Apache-2.0
"""Room kept back on the disk, so that a full one stops neither PIN counters, nor deletions, nor the next start.

A file beside the store holds the room. Where the disk is full the file is given up for what makes the store no larger;
what would make it larger is refused from then on, until there is room for the file again.
"""

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from softee.stores.base import Revision, Store, StoreError, StoreFullError, StoreOver

RESERVE_SIZE = 8 << 20
"""In bytes. SQLite's log grows to 4 MiB before it is folded into the file, which then may grow by as much."""

SLACK = 1024
"""By how many bytes a change may enlarge the store and still be one that a full disk does not stop: a PIN that is set
for the first time adds one more wrapped key to a head."""


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Reserve:
    """A file that takes up room which nothing else can take meanwhile. Safe to use from several threads."""

    def __init__(self, path: Path, size: int = RESERVE_SIZE) -> None:
        self._path = path
        self._size = size
        self._lock = threading.Lock()
        self._is_held = False

    def hold(self) -> bool:
        """Take the room, unless it is held already; tell whether it is.

        Raises:
            StoreError: the file cannot be made.

        """
        with self._lock:
            self._is_held = self._is_held or self._resize(self._size)
            return self._is_held

    def give_up(self) -> None:
        """Give the room back to the disk. Raises StoreError."""
        with self._lock:
            self._is_held = False
            self._resize(0)

    def is_all_there_is(self) -> bool:
        """Tell whether the disk has no room beside it. Raises StoreError where it cannot be asked."""
        try:
            return os.statvfs(self._path.parent).f_bavail == 0
        except OSError as error:
            raise StoreError(f"{self._path.parent}: {error.strerror}") from error

    def _resize(self, size: int) -> bool:
        """Make the file that large, or empty where the disk has no room."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be opened or made: {error.strerror}") from error
        try:
            os.ftruncate(descriptor, size)
            if size:
                os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            os.ftruncate(descriptor, 0)
            return error.errno not in _NO_ROOM  # a file system that promises no room must do without
        finally:
            os.close(descriptor)
        return True


class ReservingStore(StoreOver):
    """The Store contract over a store that shares its disk with a reserve."""

    def __init__(self, open_store: Callable[[], Store], reserve: Reserve) -> None:
        """Open the store, on a full disk with the reserve's room. Raises StoreError."""
        self._reserve = reserve
        super().__init__(_opened(open_store, reserve))
        reserve.hold()

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys. See Store.commit.

        Raises:
            StoreFullError: the disk is full, and the change would make the store larger.
            StoreError: as Store.commit.

        """
        has_room = self._reserve.hold()
        if not has_room and self._enlarges(puts, deletes):
            raise self._full()
        try:
            return self._store.commit(expected=expected, puts=puts, deletes=deletes)
        except StoreFullError:
            if not has_room or self._enlarges(puts, deletes):
                raise
        self._reserve.give_up()
        return self._store.commit(expected=expected, puts=puts, deletes=deletes)

    def check(self) -> None:
        """Raise StoreFullError where there is no room for the reserve any more, or beside it. See Store.check."""
        super().check()
        if not self._reserve.hold() or self._reserve.is_all_there_is():
            raise self._full()

    def _full(self) -> StoreFullError:
        return StoreFullError(f"{self.name}: the disk is full; what is left is kept for PIN counters and deletions")

    def close(self) -> None:
        """Let go of the store. To close it again does nothing.

        Its log is gone then, so that there may be room again for the reserve, which the next start may need.
        """
        super().close()
        with contextlib.suppress(StoreError):
            self._reserve.hold()

    def _enlarges(self, puts: Mapping[bytes, bytes], deletes: Collection[bytes]) -> bool:
        replaced = (self._store.get(key) for key in {*puts, *deletes})
        before = sum(len(record.value) for record in replaced if record is not None)
        return sum(map(len, puts.values())) > before + SLACK


def _opened(open_store: Callable[[], Store], reserve: Reserve) -> Store:
    try:
        return open_store()
    except StoreFullError:
        reserve.give_up()
        return open_store()
