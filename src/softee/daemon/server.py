# SPDX-License-Identifier: Apache-2.0
"""Accepts connections and serves them all in one loop; what takes long, or waits, gets a thread of its own meanwhile.

Quick requests are answered by the loop itself, one after the other: threads would only fight for the interpreter's
lock.
"""

import logging
import os
import select
import threading
import time
from collections.abc import Callable
from functools import partial

from softee.daemon import peer as kernel
from softee.daemon.change_page import ChangePage
from softee.daemon.channel import Channel
from softee.daemon.clients import ALONE, ClientProcess, Clients, Place
from softee.daemon.conversation import Conversation
from softee.daemon.deferred import Deferred
from softee.daemon.listener import Source
from softee.daemon.lookout import SPARE_CPU, Lookout
from softee.daemon.pool import Pool
from softee.daemon.rounds import in_turn
from softee.daemon.settings import Limits
from softee.daemon.wakeup import Woken
from softee.tee.core import TeeCore
from softee.wire.codec import WireError

log = logging.getLogger(__name__)

Job = Callable[[], bool]
"""Says whether the conversation goes on."""

_STOP_WITHIN = 5.0
"""Seconds that running requests have to end when the server stops."""
_SOON = 1
"""Milliseconds for which a thread that has answered a long request keeps its conversation for the next one."""
_PATIENCE = 2
"""How many quick requests it then answers: C_SignInit comes before C_Sign."""
_ENDURANCE = 16
"""How many long ones, where others run too: they get at the interpreter's lock less easily than who has it."""
_PAUSE = 0.1
"""Seconds until the next try, when the system has no more descriptors or memory for a connection."""


class Server:
    """Serves a TEE core to whoever connects.

    A conversation either waits for its next request, which the loop watches, or is busy in a thread of the pool.
    """

    def __init__(
        self, core: TeeCore, source: Source, limits: Limits, page: ChangePage | None = None, place: Place = ALONE
    ) -> None:
        self._source = source
        self._limits = limits
        self._page = page
        self._clients = Clients(core, limits, place)
        self._pool = Pool()
        self._epoll = select.epoll()
        self._lookout = Lookout(self._epoll)
        self._deferred = Deferred()
        self._waiting: dict[int, Conversation] = {}
        self._busy: set[Conversation] = set()
        self._change = threading.Condition()
        """Guards the two above, the clients' counts, and what stopping changes."""
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._stopping = False
        self._stopped = threading.Event()
        self._next_keep_alive = 0.0

    def run(self, wakeup: Woken | None = None, bell: Woken | None = None) -> None:
        """Serve until ``stop`` is called, then end all conversations and wait for what runs. Called once.

        What comes out of ``wakeup`` may stop it, too. The ``bell`` is heard when it rings; others hear it too.
        """
        listening = self._source.fileno()
        others = {self._stop: lambda: False, listening: self._accept}
        if wakeup is not None:
            others[wakeup.fileno()] = wakeup.handle
        for descriptor in (*others, self._deferred.fileno()):
            self._epoll.register(descriptor, select.EPOLLIN)
        if bell is not None:
            others[bell.fileno()] = bell.handle
            self._epoll.register(bell.fileno(), select.EPOLLIN | select.EPOLLET)
        while True:
            due = self._deferred.timeout()
            for descriptor, conversation in in_turn(self._lookout.wait(self._timeout(due)), self._waiting):
                if conversation is not None:
                    self._advance(descriptor, conversation)
                elif descriptor in others and not others[descriptor]():
                    self._end()
                    return
            if self._busy or due is not None:
                self._tend()

    def _timeout(self, due: float | None) -> float | None:
        """Return for how many seconds the loop has nothing to do by itself; ``due``: until something deferred is."""
        if due is None:
            return self._limits.keep_alive if self._busy else None
        return min(due, self._limits.keep_alive)

    def _tend(self) -> None:
        """Do what the time has brought."""
        self._keep_alive()
        for conversation in self._deferred.take_due():
            self._start_or_end(conversation, conversation.catch_up)

    def stop(self) -> None:
        """Have ``run`` return. Callable from any thread and from a signal handler."""
        if not self._stopped.is_set():
            os.eventfd_write(self._stop, 1)

    def _advance(self, descriptor: int, conversation: Conversation) -> None:
        """Answer what has come, or have a thread do it."""
        job: Job = conversation.catch_up
        try:
            if conversation.advance():
                return
        except (WireError, OSError) as error:
            job = partial(_fail, error)
        self._epoll.unregister(descriptor)
        with self._change:
            del self._waiting[descriptor]
        if conversation.wait:
            self._deferred.add(conversation)
        else:
            self._start_or_end(conversation, job)

    def _start_or_end(self, conversation: Conversation, job: Job) -> None:
        """Have a thread do a job of a conversation, which ends where there is none."""
        try:
            self._start(conversation, job)
        except RuntimeError as error:
            log.warning("a request of pid %d could not be served: %s", conversation.channel.peer.pid, error)
            conversation.end()

    def _accept(self) -> bool:
        """Take the next connection. False where there will be no more."""
        try:
            connection = self._source.accept()
        except OSError as error:
            # The peer has given up meanwhile, or too many descriptors are open: a pause keeps that from spinning.
            log.warning("a connection could not be accepted: %s", error)
            self._stopped.wait(_PAUSE)
            return True
        if connection is None:
            return False
        about = {}
        try:
            peer = kernel.credentials(connection)
            about = {"uid": peer.uid}
            self._meet(Channel(connection, peer, self._limits))
        except (OSError, RuntimeError) as error:
            log.warning("a connection could not be served: %s", error, extra=about)
            connection.close()
        return True

    def _meet(self, channel: Channel) -> None:
        """Begin a conversation. Raises RuntimeError where there can be no more."""
        self._clients.meet(channel)
        try:
            conversation = Conversation(channel, self._clients, self._limits, self._page)
            self._start(conversation, conversation.catch_up)
        except RuntimeError:
            self._clients.part(channel)
            raise

    def _start(self, conversation: Conversation, job: Job) -> None:
        """Have a thread do a job of a conversation. Raises RuntimeError where the system has no more threads."""
        client = conversation.client
        with self._change:
            self._busy.add(conversation)
            if client is not None:
                client.busy += 1
        try:
            self._pool.run(partial(self._work, conversation, client, job))
        except RuntimeError:
            self._leave(conversation, client)
            raise

    def _work(self, conversation: Conversation, client: ClientProcess | None, job: Job) -> None:
        """Do a job, then have the loop wait for the next request, or end the conversation."""
        if self._goes_on(conversation, job) and self._await(conversation, client):
            return
        try:
            conversation.end()
        finally:
            self._leave(conversation, client)

    def _goes_on(self, conversation: Conversation, job: Job) -> bool:
        """Do a job, and what comes soon after it. False: the conversation has ended."""
        peer, quick, long = conversation.channel.peer, _PATIENCE, _ENDURANCE
        about = {"uid": peer.uid}
        try:
            going = job()
            while going and quick and long and not conversation.wait and self._is_ready(conversation):
                going = conversation.catch_up()
                if conversation.was_quick:
                    quick -= 1
                else:
                    quick, long = _PATIENCE, long - (len(self._busy) > 1)
        except WireError as error:
            log.warning(
                "a bad frame from pid %d, uid %d, whose channel is closed: %s", peer.pid, peer.uid, error, extra=about
            )
        except OSError as error:
            log.info("the channel of pid %d, uid %d broke: %s", peer.pid, peer.uid, error, extra=about)
        except Exception:
            log.exception("a bug; the channel of pid %d, uid %d is closed", peer.pid, peer.uid, extra=about)
        else:
            return going
        return False

    def _is_ready(self, conversation: Conversation) -> bool:
        """Wait a moment for a conversation's next request, awake where nobody else's runs in a thread."""
        return conversation.channel.is_ready(_SOON, awake=SPARE_CPU and len(self._busy) == 1)

    def _await(self, conversation: Conversation, client: ClientProcess | None) -> bool:
        """Have the loop wait for a conversation's next request, or for its time. False where the server stops."""
        with self._change:
            if self._stopping:
                return False
            self._busy.discard(conversation)
            if client is not None:
                client.busy -= 1
            if conversation.wait:
                self._deferred.add(conversation)
                return True
            descriptor = conversation.channel.connection.fileno()
            self._waiting[descriptor] = conversation
            self._epoll.register(descriptor, select.EPOLLIN)
        return True

    def _leave(self, conversation: Conversation, client: ClientProcess | None) -> None:
        with self._change:
            self._busy.discard(conversation)
            if client is not None:
                client.busy -= 1
            self._change.notify_all()

    def _keep_alive(self) -> None:
        """Tell the clients of long requests, every few seconds, that these run."""
        now = time.monotonic()
        if now < self._next_keep_alive:
            return
        self._next_keep_alive = now + self._limits.keep_alive
        with self._change:
            busy = [*self._busy, *self._deferred.all()]
        for conversation in busy:
            conversation.channel.keep_alive()

    def _end(self) -> None:
        with self._change:
            self._stopping = True
            waiting, busy = [*self._waiting.values(), *self._deferred.take_all()], list(self._busy)
            self._waiting.clear()
        for conversation in (*waiting, *busy):
            conversation.channel.shut_down()
        for conversation in waiting:  # of whose clients nothing runs, unless another channel keeps the context
            conversation.end()
        with self._change:
            self._change.wait_for(lambda: not self._busy, _STOP_WITHIN)
            left = len(self._busy)
        if left:
            log.warning("%d requests still run and are abandoned", left)
        self._stopped.set()
        self._clients.stop()
        self._epoll.close()
        self._deferred.close()
        os.close(self._stop)


def _fail(error: Exception) -> bool:
    """Do what is left of a conversation whose peer is at fault: nothing."""
    raise error
