# SPDX-License-Identifier: Apache-2.0
"""Client contexts and their channels: who joins which, and when a context ends.

A context ends when its process has died, even where a forked child keeps the connections open, or when its last channel
is closed. Its sessions are closed by the thread of its last channel, when no request of it runs any more.
"""

import hashlib
import logging
import os
import secrets
import select
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from softee.daemon import peer as kernel
from softee.daemon.bulk_memory import BulkMemory
from softee.daemon.channel import Channel
from softee.daemon.settings import Limits
from softee.daemon.turns import Turns
from softee.names import TeeResult
from softee.tee.application import TeeError
from softee.tee.core import ClientContext, TeeCore
from softee.tee.identity import PeerCredentials
from softee.wire.messages import NO_SECRET, SECRET_SIZE

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class ClientProcess:
    """A client context with the channels that use it. ``pidfd`` is None for a process that cannot be seen."""

    key: bytes
    peer: PeerCredentials
    context: ClientContext
    pidfd: int | None
    channels: set[Channel] = field(default_factory=set)
    busy: int = 0
    """How many requests of it run in threads of their own."""

    def has_died(self) -> bool:
        """Tell whether the client's process has died."""
        return self.pidfd is not None and kernel.has_died(self.pidfd)


@dataclass(frozen=True)
class Place:
    """Where contexts live: the number of the worker, which their secrets begin with, and who is told their number."""

    worker: int = 0
    count_clients: Callable[[int], object] = bool


ALONE = Place()
"""In the one process that there is."""


class Clients:
    """All client contexts."""

    def __init__(self, core: TeeCore, limits: Limits, place: Place = ALONE) -> None:
        self._core = core
        self._limits = limits
        self._place = place
        self.bulk = BulkMemory()
        self.turns = Turns(limits.slow_requests)
        self._lock = threading.Lock()
        self._channels: Counter[int] = Counter()
        self._clients: dict[bytes, ClientProcess] = {}
        self._by_pidfd: dict[int, ClientProcess] = {}
        self._deaths = select.epoll()
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._deaths.register(self._stop, select.EPOLLIN)
        self._reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)
        self._reaper.start()

    def meet(self, channel: Channel) -> None:
        """Count a channel, until ``part``. Raises RuntimeError where there are too many, of its uid or of all."""
        with self._lock:
            if self._channels.total() >= self._limits.channels:
                raise RuntimeError(f"there are {self._limits.channels} channels, which is the limit")
            if self._channels[channel.peer.uid] >= self._limits.channels_per_uid:
                uid, limit = channel.peer.uid, self._limits.channels_per_uid
                raise RuntimeError(f"uid {uid} has {limit} channels, which is the limit of each")
            self._channels[channel.peer.uid] += 1

    def part(self, channel: Channel) -> None:
        """Count a channel no more."""
        with self._lock:
            self._channels[channel.peer.uid] -= 1
            if not self._channels[channel.peer.uid]:
                del self._channels[channel.peer.uid]

    def enter(self, channel: Channel, secret: bytes) -> tuple[ClientProcess, bytes]:
        """Give a channel its client context: a new one for NO_SECRET, else that of the secret.

        Returns:
            The client, and the context's secret.

        Raises:
            TeeError: ACCESS_DENIED where the secret is not that of a context of the same living process and user, BUSY
                where there are too many clients, or channels of this one.

        """
        if secret == NO_SECRET:
            return self._make(channel)
        return self._join(channel, secret), secret

    def leave(self, client: ClientProcess, channel: Channel) -> None:
        """Take a channel from its client; with the last one the context ends."""
        with self._lock:
            client.channels.discard(channel)
            if client.channels:
                return
            lives = client.pidfd is not None and not client.has_died()
            self._forget(client)
        client.context.close(returns=lives)
        log.debug("the context of pid %d, uid %d has ended", client.peer.pid, client.peer.uid)

    def stop(self) -> None:
        """End the reaper. The clients stay until their channels leave."""
        os.eventfd_write(self._stop, 1)
        self._reaper.join()
        self._deaths.close()
        os.close(self._stop)

    def _make(self, channel: Channel) -> tuple[ClientProcess, bytes]:
        secret = bytes([self._place.worker]) + secrets.token_bytes(SECRET_SIZE - 1)
        pidfd = _pidfd(channel)
        peer = replace(channel.peer, process=kernel.process_mark(channel.peer.pid, pidfd))
        client = ClientProcess(_key(secret), peer, self._core.connect(peer), pidfd, {channel})
        with self._lock:
            full = self._has_no_room(channel.peer.uid)
            if not full:
                self._clients[client.key] = client
                self._watch(client)
                self._place.count_clients(len(self._clients))
        if full:
            if pidfd is not None:
                os.close(pidfd)
            raise TeeError(TeeResult.BUSY, full)
        return client, secret

    def _has_no_room(self, uid: int) -> str:
        """Return why a uid gets no more clients; nothing where it does. The lock is held."""
        if len(self._clients) >= self._limits.clients:
            return f"there are {self._limits.clients} clients, which is the limit"
        own = sum(client.peer.uid == uid for client in self._clients.values())
        limit = self._limits.clients_per_uid
        return f"uid {uid} has {limit} clients, which is the limit of each" if own >= limit else ""

    def _join(self, channel: Channel, secret: bytes) -> ClientProcess:
        with self._lock:
            client = self._clients.get(_key(secret))
            if client is None:
                raise TeeError(TeeResult.ACCESS_DENIED, "no context has this secret")
            joining, owner = channel.peer, client.peer
            if joining.pid == 0 or (joining.pid, joining.uid) != (owner.pid, owner.uid) or client.has_died():
                raise TeeError(TeeResult.ACCESS_DENIED, "the context is another process' or user's")
            if len(client.channels) >= self._limits.channels_per_client:
                limit = self._limits.channels_per_client
                raise TeeError(TeeResult.BUSY, f"the client has {limit} channels, which is the limit")
            client.channels.add(channel)
            return client

    def _watch(self, client: ClientProcess) -> None:
        if client.pidfd is not None:
            self._by_pidfd[client.pidfd] = client
            self._deaths.register(client.pidfd, select.EPOLLIN)

    def _forget(self, client: ClientProcess) -> None:
        """Take a client from all tables, where it is still there, and close its pidfd. The lock is held."""
        self._clients.pop(client.key, None)
        self._place.count_clients(len(self._clients))
        if client.pidfd is not None:
            self._by_pidfd.pop(client.pidfd, None)
            os.close(client.pidfd)  # which takes it from the epoll too
            client.pidfd = None

    def _reap(self) -> None:
        """Wait for processes to die, and end their channels, until stopped."""
        while True:
            for descriptor, _ in self._deaths.poll():
                if descriptor == self._stop:
                    return
                self._end(descriptor)

    def _end(self, pidfd: int) -> None:
        """End the channels of a process that has died; their threads do the rest, the last one closes the context."""
        with self._lock:
            client = self._by_pidfd.get(pidfd)
            if client is None or not client.has_died():
                return  # its last channel was quicker, and the descriptor's number may be another's by now
            log.debug("pid %d, uid %d has died", client.peer.pid, client.peer.uid)
            channels = set(client.channels)
            self._forget(client)
        for channel in channels:
            channel.shut_down()


def _pidfd(channel: Channel) -> int | None:
    try:
        return kernel.open_pidfd(channel.connection, channel.peer.pid)
    except ProcessLookupError:
        raise TeeError(TeeResult.ACCESS_DENIED, "the process has died") from None


def _key(secret: bytes) -> bytes:
    """Return what a secret is looked up by: its hash, so that the time of the look-up tells nothing of the secret."""
    return hashlib.sha256(secret).digest()
