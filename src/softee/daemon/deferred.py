# SPDX-License-Identifier: Apache-2.0
"""Conversations whose request has to wait for its time: they hold no thread meanwhile."""

import contextlib
import heapq
import itertools
import os
import threading
import time

from softee.daemon.conversation import Conversation


class Deferred:
    """The conversations by the time that is theirs. ``add`` may be called from any thread, and wakes who polls."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._heap: list[tuple[float, int, Conversation]] = []
        self._numbers = itertools.count()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Return a descriptor that is readable after ``add``, until ``take_due`` is called."""
        return self._wake

    def add(self, conversation: Conversation) -> None:
        """Have a conversation wait for as long as it says."""
        with self._guard:
            heapq.heappush(self._heap, (time.monotonic() + conversation.wait, next(self._numbers), conversation))
        os.eventfd_write(self._wake, 1)

    def timeout(self) -> float | None:
        """Return how many seconds the first of them has left; None where there is none."""
        with self._guard:
            return max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None

    def take_due(self) -> list[Conversation]:
        """Take out those whose time has come."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        return self._take(time.monotonic())

    def take_all(self) -> list[Conversation]:
        """Take out all of them."""
        return self._take(float("inf"))

    def all(self) -> list[Conversation]:
        """Return all of them."""
        with self._guard:
            return [conversation for _, _, conversation in self._heap]

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._wake)

    def _take(self, until: float) -> list[Conversation]:
        due = []
        with self._guard:
            while self._heap and self._heap[0][0] <= until:
                due.append(heapq.heappop(self._heap)[2])
        for conversation in due:
            conversation.wait = 0.0
        return due
