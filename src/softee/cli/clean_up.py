# SPDX-License-Identifier: Apache-2.0
"""Removes what a killed `softee run` can no longer remove: a process of its own, which waits for both to be gone.

The secure world cannot do it itself: it has locked itself out of everything but its own folders by then.
"""

import contextlib
import os
import select
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from softee.daemon.hardening import close_all_but


def clean_up_behind(starter: int, directories: Sequence[Path]) -> None:
    """Have directories removed when ``starter`` and this process have ended. Called before there are keys or threads.

    Args:
        starter: the process that has started this one; where it is gone already, it is not waited for.
        directories: where they are gone already, nothing is done.

    """
    alive, _ = os.pipe()  # whose other end this process holds as long as it lives
    if os.fork():
        os.close(alive)
        return
    try:
        _wait_and_remove(starter, alive, directories)
    finally:
        os._exit(0)


def _wait_and_remove(starter: int, alive: int, directories: Sequence[Path]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(starter)
        close_all_but(alive, process)
        select.select([process], [], [])
    close_all_but(alive)
    select.select([alive], [], [])
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
