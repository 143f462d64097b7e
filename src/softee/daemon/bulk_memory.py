# SPDX-License-Identifier: Apache-2.0
"""How much of large requests is in memory at a time: a uid waits for its own, and all for what there is at all.

Who waits has a thread that sleeps, and is told that its request runs.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

OF_A_UID: Final = 256 << 20
"""Bytes: two requests that are as large as they may be."""
OF_ALL: Final = 1 << 30
"""Bytes."""


class BulkMemory:
    """The bytes that are held, by uid. Safe to use from several threads."""

    def __init__(self, of_a_uid: int = OF_A_UID, of_all: int = OF_ALL) -> None:
        self._of_a_uid = of_a_uid
        self._of_all = of_all
        self._held: Counter[int] = Counter()
        self._change = threading.Condition()

    @contextlib.contextmanager
    def hold(self, uid: int, size: int) -> Iterator[None]:
        """Wait until a request of ``size`` bytes has room, and hold it meanwhile. One alone always has."""
        with self._change:
            self._change.wait_for(lambda: self._has_room(uid, size))
            self._held[uid] += size
        try:
            yield
        finally:
            with self._change:
                self._held[uid] -= size
                if not self._held[uid]:
                    del self._held[uid]
                self._change.notify_all()

    def _has_room(self, uid: int, size: int) -> bool:
        own, every = self._held[uid], self._held.total()
        return (not own or own + size <= self._of_a_uid) and (not every or every + size <= self._of_all)
