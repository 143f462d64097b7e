# SPDX-License-Identifier: Apache-2.0
"""Threads for what takes long or waits: as many as there is of it at once, a few of which are kept for what comes next.

All are daemon threads, so that one that never ends does not keep the process from ending.
"""

import itertools
import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], None]

_SPARE = 8
"""How many threads without a job are kept."""


class Pool:
    """The threads. A job must not raise."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._numbers = itertools.count(1)

    def run(self, job: Job) -> None:
        """Have a thread run a job at once. Raises RuntimeError where the system has no more threads."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._work, name=f"worker {next(self._numbers)}", daemon=True).start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            with self._lock:
                if self._idle >= _SPARE:
                    return
                self._idle += 1
