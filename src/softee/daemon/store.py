# SPDX-License-Identifier: Apache-2.0
"""Opens the untrusted store that the settings name, for this process alone.

All that the daemon knows of a kind of store is here: where it is, and how another secure world is kept from it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.stores.base import Store
from softee.stores.sqlite import SqliteStore

DATABASE = "softee.db"
"""The database's file in the state directory."""

LOCK = "lock"
"""The file in the state directory that the one secure world which uses it holds locked."""


class StateError(StartError):
    """The state directory cannot be used, or is used by another secure world."""


@contextlib.contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store, made where there is none, and close it at the end.

    Raises:
        StateError: the state directory cannot be used, or another secure world uses it.
        StoreError: the store itself cannot be used.

    """
    with _locked(settings.state), contextlib.closing(SqliteStore(settings.state / DATABASE)) as store:
        yield store


@contextlib.contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Hold the state directory, made if it is not there, for this process alone."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"The state directory {state} cannot be used: {error.strerror}.") from None
    try:
        _lock(descriptor, state)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(f"Another secure world uses the state {state}.") from None
