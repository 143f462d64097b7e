# SPDX-License-Identifier: Apache-2.0
"""Whether the server stays awake for the next request instead of sleeping at once: for a moment, and where it pays.

To rouse a sleeping CPU takes longer than most requests do. But looking takes a CPU, so it is done only where there is a
second one, while requests come soon, and not where somebody else wants the CPU.
"""

import os
import select
import time

LOOKS = 100e-6
"""Seconds that it looks for a request at most: longer than a Python client needs between two calls."""
_SOON = 2 * LOOKS
"""Seconds within which a request came soon, for a client that had to be roused itself."""
_STREAK = 8
"""How many requests in a row must have come soon; and again after looking in vain."""
_TAKEN = 50e-6
"""Seconds after which whoever got the CPU that was offered has use for it."""
_AT_ONCE = 64
"""How many descriptors are taken at a time; each call makes room for so many."""
SPARE_CPU = len(os.sched_getaffinity(0)) > 1


class Lookout:
    """Waits for what ``epoll`` watches."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._streak = 0

    def wait(self, timeout: float | None) -> list[tuple[int, int]]:
        """Return the descriptors that are ready, and how; none after ``timeout`` seconds."""
        began = time.monotonic()
        events = self._look(began) if self._streak >= _STREAK else []
        if not events:
            events = self._epoll.poll(timeout, _AT_ONCE)
        soon = time.monotonic() - began < _SOON and SPARE_CPU
        self._streak = self._streak + 1 if soon else 0
        return events

    def _look(self, began: float) -> list[tuple[int, int]]:
        poll, clock, end = self._epoll.poll, time.monotonic, began + LOOKS
        now = began
        while not (events := poll(0, _AT_ONCE)):
            os.sched_yield()  # the client may be waiting for this very CPU
            before, now = now, clock()
            if now > end or now - before > _TAKEN:
                self._streak = 0
                break
        return events
