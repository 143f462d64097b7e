# SPDX-License-Identifier: Apache-2.0
"""Connections that have just come, and whose first frame has not: it says which worker they go to."""

import logging
import select
import socket
import time
from dataclasses import dataclass

from softee.daemon.handover import wanted_worker
from softee.daemon.settings import Limits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Arrival:
    connection: socket.socket
    deadline: float


class Arrivals:
    """The connections, each for as long as a frame may take."""

    def __init__(self, epoll: select.epoll, limits: Limits) -> None:
        self._epoll = epoll
        self._limits = limits
        self._waiting: dict[int, _Arrival] = {}

    @property
    def deadline(self) -> float | None:
        """When the first of them has had its time, by the monotonic clock."""
        return next((arrival.deadline for arrival in self._waiting.values()), None)

    def add(self, connection: socket.socket) -> None:
        """Wait for a connection's first frame; for no more than there may be channels."""
        if len(self._waiting) >= self._limits.channels:
            connection.close()
            log.warning("%d connections have said nothing yet; one more was closed", len(self._waiting))
            return
        self._waiting[connection.fileno()] = _Arrival(connection, time.monotonic() + self._limits.frame_timeout)
        self._epoll.register(connection.fileno(), select.EPOLLIN | select.EPOLLET)

    def take(self, descriptor: int) -> tuple[socket.socket, int | None] | None:
        """Return a connection of which something has come, with the worker that it wants, if it wants one.

        None: its first frame is not whole yet, or it has ended.
        """
        arrival = self._waiting.get(descriptor)
        if arrival is None:
            return None
        try:
            wanted = wanted_worker(arrival.connection)
        except BlockingIOError:
            return None
        except OSError as error:
            self._drop(descriptor)
            log.debug("a connection broke: %s", error)
            return None
        self._forget(descriptor)
        return arrival.connection, wanted

    def drop_late(self, now: float) -> None:
        """Close those that have had their time."""
        late = [descriptor for descriptor, arrival in self._waiting.items() if arrival.deadline <= now]
        for descriptor in late:
            self._drop(descriptor)
            log.warning("a connection that said nothing was closed")

    def close(self) -> None:
        """Close all."""
        for descriptor in list(self._waiting):
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        self._waiting[descriptor].connection.close()
        del self._waiting[descriptor]

    def _forget(self, descriptor: int) -> None:
        self._epoll.unregister(descriptor)
        del self._waiting[descriptor]
