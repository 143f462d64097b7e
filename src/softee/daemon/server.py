# SPDX-License-Identifier: Apache-2.0
"""Accepts connections and gives each a thread, tells the clients of long requests that they run, and stops it all."""

import logging
import os
import select
import threading
import time

from softee.daemon import peer as kernel
from softee.daemon.channel import Channel
from softee.daemon.clients import Clients
from softee.daemon.conversation import serve_channel
from softee.daemon.listener import Listener
from softee.daemon.settings import Limits
from softee.tee.core import TeeCore

log = logging.getLogger(__name__)

_STOP_WITHIN = 5.0
"""Seconds that running requests have to end when the server stops."""
_PAUSE = 0.1
"""Seconds until the next try, when the system has no more descriptors or memory for a connection."""


class Server:
    """Serves a TEE core on a listening socket."""

    def __init__(self, core: TeeCore, listener: Listener, limits: Limits) -> None:
        self._listener = listener
        self._limits = limits
        self._clients = Clients(core, limits)
        self._lock = threading.Lock()
        self._channels: dict[Channel, threading.Thread] = {}
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._stopped = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="ticker", daemon=True)

    def run(self, wakeup: int | None = None) -> None:
        """Serve until ``stop`` is called, then end all channels and wait for what runs. Called once.

        Bytes in the descriptor ``wakeup`` stop it, too: a signal that comes just before the wait would not end it.
        """
        self._ticker.start()
        poll = select.poll()
        stops = {self._stop} if wakeup is None else {self._stop, wakeup}
        for descriptor in (*stops, self._listener.socket.fileno()):
            poll.register(descriptor, select.POLLIN)
        while stops.isdisjoint(descriptor for descriptor, _ in poll.poll()):
            self._accept()
        self._end()

    def stop(self) -> None:
        """Have ``run`` return. Callable from any thread and from a signal handler."""
        if not self._stopped.is_set():
            os.eventfd_write(self._stop, 1)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.socket.accept()
        except OSError as error:
            # The peer has given up meanwhile, or too many descriptors are open: a pause keeps that from spinning.
            log.warning("a connection could not be accepted: %s", error)
            self._stopped.wait(_PAUSE)
            return
        try:
            self._start(Channel(connection, kernel.credentials(connection), self._limits))
        except (OSError, RuntimeError) as error:
            log.warning("a connection could not be served: %s", error)
            connection.close()

    def _start(self, channel: Channel) -> None:
        """Start a channel's thread. Raises RuntimeError where there can be no more."""
        name = f"channel of pid {channel.peer.pid}"
        thread = threading.Thread(target=self._serve, args=(channel,), name=name, daemon=True)
        with self._lock:
            if len(self._channels) >= self._limits.channels:
                raise RuntimeError(f"there are {self._limits.channels} channels, which is the limit")
            self._channels[channel] = thread
        try:
            thread.start()
        except RuntimeError:
            self._leave(channel)
            raise

    def _serve(self, channel: Channel) -> None:
        try:
            serve_channel(channel, self._clients, self._limits)
        finally:
            self._leave(channel)

    def _leave(self, channel: Channel) -> None:
        with self._lock:
            del self._channels[channel]

    def _current(self) -> dict[Channel, threading.Thread]:
        with self._lock:
            return dict(self._channels)

    def _tick(self) -> None:
        """Send keep-alives on all channels with a running request."""
        while not self._stopped.wait(self._limits.keep_alive):
            for channel in self._current():
                channel.keep_alive()

    def _end(self) -> None:
        channels = self._current()
        for channel in channels:
            channel.shut_down()
        deadline = time.monotonic() + _STOP_WITHIN
        for thread in channels.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        if left := len(self._current()):
            log.warning("%d requests still run and are abandoned", left)
        self._stopped.set()
        self._ticker.join()
        self._clients.stop()
        os.close(self._stop)
