# SPDX-License-Identifier: Apache-2.0
"""Turns for slow work: so much of it is done at once, and whoever waits comes before another's next piece.

Turns go round the uids, and round the clients of each, so that the length of a client's own queue is nobody else's
matter. One turn at least is kept from each uid: what a uid has there holds up others' for no longer than theirs take.

Who waits has a thread that sleeps, and is told that its request runs.
"""

import contextlib
import os
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterator
from typing import Any, TypeVar

Key = TypeVar("Key")


class Turns:
    """The turns that are taken, and who waits for one. Safe to use from several threads."""

    def __init__(self, at_once: int = 0) -> None:
        """Give ``at_once`` turns at a time; 0: one more than there are CPUs, and two at least."""
        count = at_once or len(os.sched_getaffinity(0)) + 1
        self._free = count
        self._of_a_uid = max(1, count - 1)
        self._taken: Counter[int] = Counter()
        self._waiting: OrderedDict[int, OrderedDict[Hashable, deque[threading.Event]]] = OrderedDict()
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def take(self, uid: int, client: Hashable) -> Iterator[None]:
        """Wait for a turn of a client's, and hold it meanwhile."""
        turn = threading.Event()
        with self._guard:
            self._waiting.setdefault(uid, OrderedDict()).setdefault(client, deque()).append(turn)
            self._go_on()
        turn.wait()
        try:
            yield
        finally:
            with self._guard:
                self._free += 1
                self._taken[uid] -= 1
                if not self._taken[uid]:
                    del self._taken[uid]
                self._go_on()

    def _go_on(self) -> None:
        """Give the turns that are free to those who are next. The guard is held."""
        while self._free and (uid := self._next_uid()) is not None:
            self._free -= 1
            self._taken[uid] += 1
            clients = self._waiting[uid]
            client, queue = next(iter(clients.items()))
            queue.popleft().set()
            _to_the_end(clients, client, is_there=bool(queue))
            _to_the_end(self._waiting, uid, is_there=bool(clients))

    def _next_uid(self) -> int | None:
        """Return the uid whose turn it is; None where nobody waits who may have one."""
        return next((uid for uid in self._waiting if self._taken[uid] < self._of_a_uid), None)


def _to_the_end(round_: OrderedDict[Key, Any], key: Key, *, is_there: bool) -> None:
    """Put who has had a turn behind all others, or take him away where he waits for no more."""
    if is_there:
        round_.move_to_end(key)
    else:
        del round_[key]
