# SPDX-License-Identifier: Apache-2.0
"""A secure world that stands still, and a call that waits for it: neither tells of it, but the kernel knows."""

import os
import platform
import signal
import threading
from collections.abc import Callable
from pathlib import Path

_POLLS = {"x86_64": ("7", "271"), "aarch64": ("73",)}
"""The numbers of poll(2) and ppoll(2), where there are both."""


def stop(pid: int) -> None:
    """Stop a process, and wait until all of its threads stand still."""
    os.kill(pid, signal.SIGSTOP)
    _until(lambda: all(_stands(task) for task in _tasks(pid)))


def until_it_polls(pid: int, thread: int | None = None) -> None:
    """Wait until a thread of a process, or any of its threads, sleeps in poll(2), as libteec's do for an answer."""
    _until(lambda: any(_polls(task) for task in _tasks(pid) if thread is None or task.name == str(thread)))


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        threading.Event().wait(0.005)


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _stands(task: Path) -> bool:
    """Tell whether a thread is stopped, or has ended."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] in {"T", "Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return True


def _polls(task: Path) -> bool:
    """Tell whether a thread polls; where nobody may ask (in some containers), a moment is waited for instead."""
    try:
        call, *_ = (task / "syscall").read_text().split()
    except PermissionError:
        threading.Event().wait(0.2)
        return True
    except (FileNotFoundError, ProcessLookupError):  # it has ended just now
        return False
    return call in _POLLS[platform.machine()]
