# SPDX-License-Identifier: Apache-2.0
"""Signals, as the loop that serves clients gets them: as a descriptor that it waits for beside its sockets.

So a signal costs a busy loop nothing, does not interrupt anything half done, and shows that the loop goes round.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

Act = Callable[[], bool]
"""What is done at a signal. False: the secure world is to stop."""


class Woken(Protocol):
    """What the loop waits for beside its sockets."""

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        ...

    def handle(self) -> bool:
        """Do what has come is for, without waiting. False: the secure world is to stop."""
        ...


class Wakeup:
    """The descriptor, and what is done at each signal."""

    def __init__(self, descriptor: int, acts: Mapping[int, Act]) -> None:
        self._descriptor = descriptor
        self._acts = acts

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        return self._descriptor

    def handle(self) -> bool:
        """Do what the signals that have come are for, each kind once, until one says stop. False: one has."""
        come = set(os.read(self._descriptor, 4096))
        return all(act() for number, act in self._acts.items() if number in come)


@contextmanager
def heeded(acts: Mapping[int, Act]) -> Iterator[Wakeup]:
    """Have signals do nothing but come out of what is yielded; at the end they are as before."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before_writer = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in acts}
    try:
        yield Wakeup(reader, acts)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_writer)
        os.close(reader)
        os.close(writer)
