# SPDX-License-Identifier: Apache-2.0
"""The files of the audit log: a folder that is ours alone, in it files named after the number of their first line.

Only the newest file is written to. Those before it are never touched again: whoever keeps logs may move them away.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from softee.daemon.errors import StartError
from softee.disk.files import sync_names
from softee.stores.base import StoreError, StoreFullError
from softee.stores.reserve import Reserve
from softee.tee.audit_chain import LARGEST_LINE, NOTHING, decode_line, line_hash
from softee.tee.audit_log import End

FOLDER: Final = "audit"
"""Its name in the state directory."""
RESERVE_SIZE: Final = 1 << 20
"""Bytes that are kept back on the disk for what is noted while it becomes full: more than 2,000 lines."""

_NAME: Final = "audit-{:012}.jsonl"
_PATTERN: Final = "audit-*.jsonl"
_RESERVE: Final = "reserve"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class AuditFiles:
    """The files, as the one process that writes them has them. Called by one thread at a time."""

    def __init__(self, folder: Path, largest: int) -> None:
        """Take the folder, made if it is not there; a file ends when it has ``largest`` bytes.

        Raises:
            StartError: it cannot be used, or is not ours alone.

        """
        _make(folder)
        self._folder = folder
        self._largest = largest
        self._reserve = Reserve(folder / _RESERVE, RESERVE_SIZE)
        self._file: int | None = None
        self._size = 0

    def close(self) -> None:
        """Close the newest file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def resume(self, line: bytes) -> End:
        """Look what the files end with, and go on there. See Lines.resume. Raises StoreError."""
        for path in reversed(log_files(self._folder)):
            try:
                self._open(path, _FLAGS)
                tail = self._tail()
                if len(tail) == self._size and tail != line and line.startswith(tail):
                    self._drop(path)  # a crash came when it had just been begun
                    continue
                return self._go_on(tail, line)
            except OSError as error:
                raise StoreError(f"{path}: {error.strerror}") from error
        return _end_of(b"", line)[0]

    def _drop(self, path: Path) -> None:
        self.close()
        path.unlink()

    def _go_on(self, tail: bytes, line: bytes) -> End:
        """Go on in the file that is open, if it is the log's."""
        end, cut = _end_of(tail, line)
        if end is End.DAMAGED:
            self.close()
        elif cut:
            self._size -= cut
            os.truncate(self._descriptor(), self._size)
        return end

    def append(self, number: int, line: bytes) -> None:
        """Write a line durably. Raises StoreError: nothing of it is there."""
        try:
            self._append(number, line)
        except StoreFullError:
            self._reserve.give_up()
            self._append(number, line)

    def require_room(self) -> None:
        """Raise StoreFullError where the disk is full, and what was kept back is used."""
        if not self._reserve.hold():
            raise StoreFullError(f"{self._folder}: the disk is full")

    def _append(self, number: int, line: bytes) -> None:
        try:
            if self._file is None or self._size >= self._largest:
                self._begin(number)
            self._write(self._descriptor(), line)
        except OSError as error:
            kind = StoreFullError if error.errno in _NO_ROOM else StoreError
            raise kind(f"{self._folder}: {error.strerror}") from error

    def _write(self, descriptor: int, line: bytes) -> None:
        try:
            _write_all(descriptor, line)
        except OSError:
            os.truncate(descriptor, self._size)
            raise
        self._size += len(line)

    def _begin(self, number: int) -> None:
        """Begin a file. What stands in its place was not written by this secure world, and is kept aside."""
        path = self._folder / _NAME.format(number)
        if os.path.lexists(path):
            path.rename(_free(path))
        self.close()
        self._open(path, _FLAGS | os.O_CREAT | os.O_EXCL)
        sync_names(self._folder)

    def _open(self, path: Path, flags: int) -> None:
        self._file = os.open(path, flags, 0o600)
        status = os.fstat(self._file)
        self._size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"{path} is no file")

    def _descriptor(self) -> int:
        """Return the newest file's descriptor. Raises StoreError where it is gone."""
        if self._file is None or os.fstat(self._file).st_nlink == 0:
            raise StoreError(f"{self._folder}: the newest file was removed; start the secure world anew")
        return self._file

    def _tail(self) -> bytes:
        """Return the end of the newest file, which holds its last two lines."""
        size = 2 * LARGEST_LINE
        return os.pread(self._descriptor(), size, max(0, self._size - size))


def log_files(folder: Path) -> list[Path]:
    """Return the log's files, the oldest first."""
    return sorted(folder.glob(_PATTERN))


def first_number(path: Path) -> int | None:
    """Return the number of its first line that a file's name tells; None where it tells none."""
    number = path.name.removeprefix("audit-").removesuffix(".jsonl")
    named = number.isascii() and number.isdigit() and path.name == _NAME.format(int(number))
    return int(number) if named else None


def lines_of(files: Iterable[Path]) -> Iterator[tuple[Path, int, bytes]]:
    """Yield each line, with its file and its number there. One that is too long comes in pieces. Raises OSError."""
    for path in files:
        with path.open("rb") as file:
            at = 0
            while line := file.readline(LARGEST_LINE + 1):
                at += 1
                yield path, at, line


def _write_all(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fdatasync(descriptor)


def _end_of(tail: bytes, newest: bytes) -> tuple[End, int]:
    """Tell what a file ends with, and how many bytes of a line that a crash has cut stand behind that."""
    if newest != NOTHING and (tail == newest or tail.endswith(b"\n" + newest)):
        return End.WRITTEN, 0
    whole, newline, cut = tail.rpartition(b"\n")
    before = whole.rpartition(b"\n")[2] + newline
    if newest == NOTHING:
        return (End.DAMAGED if tail else End.WRITTEN), 0
    if newest.startswith(cut) and line_hash(before) == decode_line(newest).previous:
        return End.WAITING, len(cut)
    return End.DAMAGED, 0


def _free(path: Path) -> Path:
    """Return a name beside a path that nothing has."""
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.aside-{number}")):
        number += 1
    return aside


def _make(folder: Path) -> None:
    """Make the folder. Raises StartError where another user could change what is in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat(follow_symlinks=False)
    except OSError as error:
        raise StartError(f"The audit log's folder {folder} cannot be used: {error.strerror}.") from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise StartError(
            f"The audit log's folder {folder} must belong to uid {os.geteuid()}, and nobody else may write to it."
        )
