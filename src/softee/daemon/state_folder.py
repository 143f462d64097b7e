# SPDX-License-Identifier: Apache-2.0
"""The state directory, for one secure world alone: ours, writable by nobody else, locked as long as it is used."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from softee.daemon.errors import StartError

LOCK = "lock"
"""The file in the state directory that the one secure world which uses it holds locked."""


class StateError(StartError):
    """The state directory cannot be used, or is used by another secure world."""


@contextlib.contextmanager
def locked_state(state: Path) -> Iterator[None]:
    """Hold the state directory, made if it is not there, for this process alone.

    Raises:
        StateError: it cannot be made or opened, is not ours alone, or another secure world uses it.

    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(state, os.O_RDONLY | os.O_DIRECTORY) as directory:
            _refuse_foreign(state, os.fstat(directory))
            lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory)
    except OSError as error:
        raise StateError(f"The state directory {state} cannot be used: {error.strerror}.") from None
    try:
        _lock(lock, state)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_foreign(state: Path, status: os.stat_result) -> None:
    """Refuse a directory whose files another user could take away or put there."""
    if status.st_uid != os.geteuid():
        whose = f"The state directory {state} belongs to uid {status.st_uid}, not to uid {os.geteuid()}"
        raise StateError(f"{whose}; run the secure world as its user, or name another one.")
    if status.st_mode & 0o022:
        mode = stat.S_IMODE(status.st_mode)
        raise StateError(
            f"The state directory {state} can be written by others (mode {mode:04o}); run: chmod 700 {state}"
        )


def _lock(descriptor: int, state: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise StateError(f"{state / LOCK} is no file; remove it.")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(f"Another secure world uses the state {state}.") from None
