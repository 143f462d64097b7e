# SPDX-License-Identifier: Apache-2.0
"""A store in one SQLite file: atomic, durable, and all that softee keeps on a disk besides the root key.

A commit that returned survives ``kill -9`` and a power cut (write-ahead log, synchronous=FULL); one that did not is
there whole or not at all. What is replaced or removed is overwritten in the file (secure_delete); its copy in the log
goes when the log is folded in and begun anew: after about 4 MB of changes, at a clean stop, or at the next start. The
settings are asked for and then read back, since SQLite passes over a pragma that it does not know or cannot follow.
"""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from softee.disk.files import sync_names
from softee.stores.base import (
    ABSENT,
    ConflictError,
    Record,
    Revision,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    end_of_prefix,
)

APPLICATION_ID = 0x53544545
"""``STEE``, in the file's header: tells our file from another program's."""
SCHEMA_VERSION = 1
BUSY_TIMEOUT_SECONDS = 5.0
"""How long the first use waits for another process (a second daemon, a copy that is made) before it fails."""

MAXIMUM_RECORD_SIZE = 64 << 20
"""In bytes; far above any record of ours, so that a forged one cannot fill the memory."""

_TABLES = (
    "CREATE TABLE records (key BLOB PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE counter (revision INTEGER NOT NULL)",
)
_MAKE = (
    *_TABLES,
    "INSERT INTO counter VALUES (0)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_SETTINGS = (
    ("locking_mode", "EXCLUSIVE", "exclusive"),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("secure_delete", "ON", 1),
    ("journal_size_limit", "0", 0),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("mmap_size", "0", 0),
)
"""Pragma, the value asked for, and what SQLite must answer when asked again. Nobody else opens the file meanwhile, so
there is no index of the log in a file beside it, which SQLite would map: who truncates that kills the process. The last
three are SQLite's own advice for files that an attacker may have written."""

_Identity = tuple[int, int]
"""A file's device and inode."""

_ERRORS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_NOTADB: (
        StoreDamagedError,
        "this is not a softee store, or it is damaged: restore it from a backup",
    ),
    sqlite3.SQLITE_CORRUPT: (StoreDamagedError, "the file is damaged: restore it from a backup"),
    sqlite3.SQLITE_FULL: (StoreFullError, "the disk is full"),
    sqlite3.SQLITE_IOERR_SHMSIZE: (StoreFullError, "the disk is full"),  # no room for the file that the log shares
    sqlite3.SQLITE_BUSY: (StoreUnavailableError, "another process holds the file"),
    sqlite3.SQLITE_READONLY: (StoreError, "the file cannot be written"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "the file cannot be opened"),
    sqlite3.SQLITE_IOERR: (StoreError, "the disk failed"),
}
"""What SQLite's result codes mean, an extended one before its primary one; the others are StoreError."""


class SqliteStore:
    """The Store contract over one file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file, or make it (mode 0600; its directory must exist).

        Raises:
            StoreError: it cannot be opened, is not a softee store, is damaged, or was written by a newer softee.

        """
        self._path = Path(path).absolute()
        self._lock = threading.Lock()
        self._files: dict[Path, _Identity | None] = {}
        """The file and its log, and which files they were when they were opened."""
        _claim_file(self._path)
        with _as_store_error(self._path):
            self._connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with _as_store_error(self._path):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._path)

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None."""
        with self._lock, _as_store_error(self._path):
            row = self._connection.execute("SELECT value, revision FROM records WHERE key = ?", (key,)).fetchone()
        return None if row is None else _record(*row)

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        """Return all keys that begin with ``prefix`` with their records, in the order of the keys' bytes."""
        rows = self._rows("key, value, revision", prefix)
        return [(_blob(key), _record(value, revision)) for key, value, revision in rows]

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        """Return all keys that begin with ``prefix`` with their values' lengths. SQLite need not read the values."""
        return [(_blob(key), _number(size)) for key, size in self._rows("key, length(value)", prefix)]

    def _rows(self, columns: str, prefix: bytes) -> list[tuple[Any, ...]]:
        end = end_of_prefix(prefix)
        until, bounds = ("", (prefix,)) if end is None else ("AND key < ?", (prefix, end))
        query = f"SELECT {columns} FROM records WHERE key >= ? {until} ORDER BY key"  # noqa: S608 - of our own words
        with self._lock, _as_store_error(self._path):
            return self._connection.execute(query, bounds).fetchall()

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys in one atomic, durable transaction. See Store.commit."""
        with self._lock, _as_store_error(self._path), self._transaction() as execute:
            for key, revision in expected.items():
                row = execute("SELECT revision FROM records WHERE key = ?", (key,)).fetchone()
                if (row[0] if row else ABSENT) != revision:
                    raise ConflictError(f"{self._path}: a record was changed by another writer")
            counted = execute("UPDATE counter SET revision = revision + 1 RETURNING revision").fetchone()
            new = _revision(counted[0] if counted else None)
            self._connection.executemany("DELETE FROM records WHERE key = ?", ((key,) for key in deletes))
            self._connection.executemany(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)", ((key, value, new) for key, value in puts.items())
            )
        return new

    def check(self) -> None:
        """Raise StoreError where the file was removed, or cannot be read. See Store.check."""
        with self._lock, _as_store_error(self._path):
            self._refuse_without_names()
            self._connection.execute("SELECT revision FROM counter").fetchone()

    def close(self) -> None:
        """Close the file; SQLite folds its log into it."""
        with self._lock, _as_store_error(self._path):
            self._connection.close()

    def _prepare(self) -> None:
        """Refuse what is not ours before anything is written to it; make the tables in an empty file."""
        connection = self._connection
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAXIMUM_RECORD_SIZE)
        if not self._is_empty():
            self._check_schema()
        for setting in _SETTINGS:
            self._set(*setting)
        with self._transaction() as execute:
            if self._is_empty():
                for statement in _MAKE:
                    execute(statement)
        # What an earlier process left in the log: fold it in, so that nothing that was removed stays there.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._files = {path: _identity(path) for path in (self._path, Path(f"{self._path}-wal"))}

    def _is_empty(self) -> bool:
        return self._connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None

    def _set(self, pragma: str, wanted: str, answer: object) -> None:
        self._connection.execute(f"PRAGMA {pragma} = {wanted}")
        # No row: this SQLite was built without the feature (memory mapping), so it is off.
        row = self._connection.execute(f"PRAGMA {pragma}").fetchone()
        if row is not None and row[0] != answer:
            raise StoreError(f"{self._path}: SQLite refuses {pragma} = {wanted}")

    def _check_schema(self) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise StoreError(f"{self._path}: this is a database of another program")
        if version != SCHEMA_VERSION:
            raise StoreError(f"{self._path}: schema {version}, this softee knows {SCHEMA_VERSION}: use a newer softee")
        tables = self._connection.execute("SELECT sql FROM sqlite_schema ORDER BY name DESC").fetchall()
        if tables != [(statement,) for statement in _TABLES]:
            raise StoreDamagedError(f"{self._path}: the tables are not those of a softee store")

    def _refuse_without_names(self) -> None:
        """Refuse to write where the files were removed or replaced: what is written would be lost with the process."""
        for path, identity in self._files.items():
            if _identity(path) != identity:
                raise StoreDamagedError(
                    f"{path} was removed, or replaced, while it was in use: nothing is stored any more; "
                    "bring it back from a backup, and start anew"
                )

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection.execute
            self._refuse_without_names()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _claim_file(path: Path) -> None:
    """Make the file if it is not there, readable by its owner alone, and make its name durable."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)
        finally:
            os.close(descriptor)
        sync_names(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened or made: {error.strerror}") from error


def _identity(path: Path) -> _Identity | None:
    """Tell which file has a name: None where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _as_store_error(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; misuse of the module itself (a closed connection) has none.
        code = getattr(error, "sqlite_errorcode", 0)
        kind, sentence = _ERRORS.get(code) or _ERRORS.get(code & 0xFF, (StoreError, "SQLite failed"))
        raise kind(f"{path}: {sentence} ({error})") from error
    except UnicodeDecodeError:  # of SQLite's own words, which quote a damaged schema
        raise StoreDamagedError(f"{path}: the file is damaged: restore it from a backup") from None


def _record(value: object, revision: object) -> Record:
    return Record(_blob(value), _revision(revision))


def _blob(value: object) -> bytes:
    """Check a column's type: whoever writes the file may put any type in any column."""
    if not isinstance(value, bytes):
        raise StoreDamagedError("a key or a value has a wrong type: the file was altered")
    return value


def _revision(value: object) -> Revision:
    return Revision(_number(value))


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise StoreDamagedError("a revision or a size is missing, or has a wrong type: the file was altered")
    return value
