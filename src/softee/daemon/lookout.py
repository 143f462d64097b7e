# SPDX-License-Identifier: Apache-2.0
"""Whether a channel stays awake for its next request instead of sleeping at once: for a moment, and where it pays.

To rouse a sleeping CPU takes longer than most requests do. But looking takes a CPU and the interpreter's lock, so it is
done only where there is a second CPU, and by a channel whose requests come soon while no other channel has any.
"""

import os
import select
import socket
import time
from typing import ClassVar

_LOOKS = 100e-6
"""Seconds that a channel looks for a request at most: longer than a Python client needs between two calls."""
_SOON = 2 * _LOOKS
"""Seconds within which a request came soon, for a client that had to be roused itself."""
_STREAK = 8
"""How many requests in a row must have come soon, from this channel and no other; and again after looking in vain."""
_SPARE_CPU = len(os.sched_getaffinity(0)) > 1


class Lookout:
    """The lookout of one channel, used by the channel's own thread."""

    _last: ClassVar["Lookout | None"] = None
    """Whose channel had the last request, of all in this process: they share one interpreter's lock."""

    def __init__(self, connection: socket.socket) -> None:
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._began = 0.0
        self._streak = 0

    def look(self) -> None:
        """Begin to wait for a request; where it pays, return only when it has come or it is time to sleep."""
        self._began = now = time.monotonic()
        if self._streak < _STREAK:
            return
        poll, clock, end = self._poll.poll, time.monotonic, now + _LOOKS
        while not poll(0):
            if clock() > end or Lookout._last is not self:
                self._streak = 0
                return
            os.sched_yield()  # the client may be waiting for this very CPU

    def came(self) -> None:
        """Note that the request has come."""
        if Lookout._last is self and time.monotonic() - self._began < _SOON and _SPARE_CPU:
            self._streak += 1
        else:
            self._streak = 0
            Lookout._last = self

    def leave(self) -> None:
        """Note that no more will come."""
        if Lookout._last is self:
            Lookout._last = None
