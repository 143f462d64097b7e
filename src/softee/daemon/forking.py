# SPDX-License-Identifier: Apache-2.0
"""Forks processes of the secure world. A signal to one waits until it has handlers of its own.

Until then it has those of its parent, and the descriptor that wakes its parent: what is for the one would come to the
other, and be lost here.
"""

import os
import signal
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

Handler = Callable[[int, FrameType | None], object]

_HELD: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def fork() -> int:
    """Fork. The child, where it returns 0, calls ``take_signals``. Raises OSError."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def take_signals(handlers: Mapping[int, Handler]) -> None:
    """Be a child that gets signals from now on; those without a handler here are ignored."""
    signal.set_wakeup_fd(-1)
    for number in _HELD:
        signal.signal(number, handlers.get(number, signal.SIG_IGN))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
