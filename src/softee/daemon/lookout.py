# SPDX-License-Identifier: Apache-2.0
"""Whether the server stays awake for the next request instead of sleeping at once: for a moment, and where it pays.

To rouse a sleeping CPU takes longer than most requests do. But looking takes a CPU, so it is done only where there is a
second one, while requests come soon, and not where somebody else wants the CPU.
"""

import os
import select
import time
from collections.abc import Callable
from functools import partial

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


Events = list[tuple[int, int]]
"""Descriptors that are ready, and how."""


def look(ready: Callable[[], Events]) -> Events:
    """Return what is ``ready`` within the time for looking; nothing, too, where somebody else has use for the CPU."""
    clock, now = time.monotonic, time.monotonic()
    end = now + LOOKS
    while not (events := ready()):
        os.sched_yield()  # the client may be waiting for this very CPU
        before, now = now, clock()
        if now > end or now - before > _TAKEN:
            break
    return events


class Lookout:
    """Waits for what ``epoll`` watches."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._ready = partial(epoll.poll, 0, _AT_ONCE)
        self._streak = 0

    def wait(self, timeout: float | None) -> Events:
        """Return what is ready; nothing after ``timeout`` seconds."""
        began = time.monotonic()
        events: Events = []
        if self._streak >= _STREAK:
            events = look(self._ready)
            self._streak = self._streak if events else 0
        if not events:
            events = self._epoll.poll(timeout, _AT_ONCE)
        soon = time.monotonic() - began < _SOON and SPARE_CPU
        self._streak = self._streak + 1 if soon else 0
        return events
