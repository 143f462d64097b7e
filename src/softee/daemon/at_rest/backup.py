# SPDX-License-Identifier: Apache-2.0
"""Writes a copy of a store into a file of its own, from which a secure world starts as from the original."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.daemon.store import DATABASE, existing_store
from softee.stores.base import Record
from softee.stores.sqlite import SqliteStore


def copy_of(settings: Settings) -> list[tuple[bytes, Record]]:
    """Return all records of a state that no secure world uses.

    Raises:
        StartError: there is no state, or a secure world uses it.
        StoreError: the database cannot be used.

    """
    with existing_store(settings) as store:
        return store.range(b"")


def write_copy(directory: Path, records: Iterable[tuple[bytes, Record]]) -> Path:
    """Write records into a new state directory, and return the database's path.

    Raises:
        StartError: the directory cannot be made, or there is a database in it.
        StoreError: the database cannot be written.

    """
    file = directory / DATABASE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"{directory} cannot be made: {error.strerror}.") from None
    if file.exists():
        raise StartError(f"{file} is there already; name another directory.")
    with contextlib.closing(SqliteStore(file)) as store:
        store.commit(expected={}, puts={key: record.value for key, record in records})
    return file
