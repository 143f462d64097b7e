# SPDX-License-Identifier: Apache-2.0
"""The supervisor of several worker processes: it has the store, hands connections over, and replaces a dead worker.

One thread, one loop, which never waits for a client or a worker: it forks new workers at any time. It knows nothing of
what connections carry but their first frame, and nothing of what records mean.
"""

import logging
import select
import time
from collections.abc import Callable
from functools import partial

from softee.daemon.anchoring import Anchoring
from softee.daemon.arrivals import Arrivals
from softee.daemon.handover import READY, hand_over
from softee.daemon.listener import Listener
from softee.daemon.settings import Limits
from softee.daemon.shared_tokens import SharedTokens
from softee.daemon.wakeup import Wakeup
from softee.daemon.workers import Run, Worker, start_worker
from softee.stores.base import Store
from softee.stores.requests import answer

log = logging.getLogger(__name__)

_STOP_WITHIN = 6.0
"""Seconds that workers have to end: each gives its requests five."""
_AT_LEAST = 1.0
"""Seconds from a worker's start to its successor's: one that cannot live does not use up the machine."""
_PAUSE = 0.1
"""Seconds until the next try, when a connection could not be accepted."""
_READ, _WRITE = select.EPOLLIN, select.EPOLLOUT


class Supervisor:
    """Runs workers, from ``start`` to the end of ``run``."""

    def __init__(
        self, anchor: Anchoring, listener: Listener, limits: Limits, shared: SharedTokens, run: Run, *, store: Store
    ) -> None:
        """Take what workers need, the store above all, its anchor, and what one does (``run``)."""
        self._anchor = anchor
        self._store = store
        self._listener = listener
        self._shared = shared
        self._run = run
        self._epoll = select.epoll()
        self._arrivals = Arrivals(self._epoll, limits)
        self._events: dict[int, Callable[[int], None]] = {}
        self._workers: dict[int, Worker] = {}
        self._started: dict[int, float] = {}
        self._missing: set[int] = set()
        self._last = 0
        self._accept_from: float | None = None
        self._stop_by: float | None = None
        self._said_ready = False
        self.tell_death: Callable[[int], object] = bool
        """Is called with the number of a worker that has died while it served."""

    def run(self, wakeup: Wakeup, on_ready: Callable[[], None]) -> None:
        """Serve until a signal that comes out of ``wakeup`` says stop; then have the workers end, and wait for them.

        ``on_ready`` is called once, when all workers serve.
        """
        for number in range(self._shared.workers):
            self._start(number)
        self._watch(self._listener.fileno(), _READ, self._accept)
        self._watch(wakeup.fileno(), _READ, partial(self._signalled, wakeup))
        while self._workers or self._stop_by is None:
            for descriptor, event in self._epoll.poll(self._timeout()):
                handle = self._events.get(descriptor)
                if handle is not None:
                    handle(event)
                else:
                    self._arrived(descriptor)
            self._tend()
            if not self._said_ready and self._all_ready():
                self._said_ready = True
                on_ready()
        self._arrivals.close()
        self._epoll.close()

    def _all_ready(self) -> bool:
        return len(self._workers) == self._shared.workers and all(one.is_ready for one in self._workers.values())

    def _timeout(self) -> float | None:
        """Return how long nothing has to be done if nothing happens."""
        times = [
            self._stop_by,
            self._accept_from,
            self._arrivals.deadline,
            self._anchor.deadline,
            *(self._started[number] + _AT_LEAST for number in self._missing),
        ]
        due = [moment for moment in times if moment is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _tend(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        self._arrivals.drop_late(now)
        self._anchor.tend(now)
        for number in [number for number in self._missing if now >= self._started[number] + _AT_LEAST]:
            self._missing.discard(number)
            self._start(number)
        if self._accept_from is not None and now >= self._accept_from:
            self._accept_from = None
            self._watch(self._listener.fileno(), _READ, self._accept)
        if self._stop_by is not None and now >= self._stop_by:
            log.warning("%d workers do not end, and are killed", len(self._workers))
            for worker in self._workers.values():
                worker.kill()
            self._stop_by = now + _STOP_WITHIN

    def _watch(self, descriptor: int, events: int, handle: Callable[[int], None]) -> None:
        self._epoll.register(descriptor, events)
        self._events[descriptor] = handle

    def _forget(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            if self._events.pop(descriptor, None) is not None:
                self._epoll.unregister(descriptor)

    def _start(self, number: int) -> None:
        """Start a worker; where the system cannot, later."""
        self._started[number] = time.monotonic()
        try:
            worker = start_worker(number, self._run)
        except OSError as error:
            log.warning("worker %d cannot be started: %s", number, error)
            self._missing.add(number)
            return
        self._workers[number] = worker
        self._watch(worker.pidfd, _READ, partial(self._bury, worker))
        self._watch(worker.store.fileno(), _READ, partial(self._serve, worker))
        self._watch(worker.handover.fileno(), _READ, partial(self._hear, worker))
        log.debug("worker %d is pid %d", number, worker.pid)

    def _bury(self, worker: Worker, _: int) -> None:
        """Take a dead worker away; another takes its place, unless all end."""
        self._forget(worker.pidfd, worker.store.fileno(), worker.handover.fileno())
        cause = worker.reap()
        del self._workers[worker.number]
        self._shared.forget(worker.number)
        if self._stop_by is None:
            self._missing.add(worker.number)
            self.tell_death(worker.number)
            log.warning("worker %d (pid %d) has died of %s; another takes its place", worker.number, worker.pid, cause)

    def _serve(self, worker: Worker, event: int) -> None:
        """Do what a worker asks of the store."""
        try:
            all_sent = worker.store.send_rest() if event & _WRITE else True
            if event & ~_WRITE:
                for request in worker.store.receive():
                    all_sent = worker.store.send(answer(self._store, request))
            self._epoll.modify(worker.store.fileno(), _READ if all_sent else _READ | _WRITE)
        except (EOFError, OSError):
            self._forget(worker.store.fileno())  # it is about to die
        except ValueError as error:
            log.warning("worker %d asks the store for what makes no sense, and is killed: %s", worker.number, error)
            self._forget(worker.store.fileno())
            worker.kill()

    def _hear(self, worker: Worker, _: int) -> None:
        """Note that a worker serves connections."""
        try:
            worker.is_ready = worker.handover.recv(len(READY)) == READY
        except OSError:
            worker.is_ready = False
        if not worker.is_ready:
            self._forget(worker.handover.fileno())

    def _accept(self, _: int) -> None:
        try:
            connection = self._listener.accept()
        except OSError as error:
            # The peer has given up meanwhile, or too many descriptors are open: a pause keeps that from spinning.
            log.warning("a connection could not be accepted: %s", error)
            self._forget(self._listener.fileno())
            self._accept_from = time.monotonic() + _PAUSE
            return
        self._arrivals.add(connection)

    def _arrived(self, descriptor: int) -> None:
        """Hand a connection over, if its first frame has come."""
        arrived = self._arrivals.take(descriptor)
        if arrived is None:
            return
        connection, number = arrived
        worker = self._workers.get(number) if number is not None else None
        worker = worker or self._least_busy()
        if worker is None:
            connection.close()
            log.warning("a connection could not be served: there is no worker just now")
            return
        try:
            hand_over(connection, worker.handover)
        except OSError as error:
            log.warning("a connection could not be handed to worker %d: %s", worker.number, error)

    def _least_busy(self) -> Worker | None:
        """Return the worker with the fewest clients; of several the one whose turn it is."""
        count = self._shared.workers
        turns = [self._workers.get((self._last + 1 + step) % count) for step in range(count)]
        there = [worker for worker in turns if worker is not None]
        if not there:
            return None
        chosen = min(there, key=lambda worker: self._shared.clients(worker.number))
        self._last = chosen.number
        return chosen

    def tell_workers(self) -> None:
        """Have each worker heed what the settings say now of the log."""
        for worker in self._workers.values():
            worker.hang_up()

    def _signalled(self, wakeup: Wakeup, _: int) -> None:
        if not wakeup.handle():
            self._stop()

    def _stop(self) -> None:
        """Accept no more, and have the workers end."""
        if self._stop_by is not None:
            return
        self._forget(self._listener.fileno())
        self._accept_from, self._stop_by = None, time.monotonic() + _STOP_WITHIN
        self._missing.clear()
        for worker in self._workers.values():
            self._forget(worker.handover.fileno())
            worker.end()
