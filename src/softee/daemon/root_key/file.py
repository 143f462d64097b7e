# SPDX-License-Identifier: Apache-2.0
"""A root key in a file of its own, which its owner alone can read. It comes into being whole or not at all."""

import os
import stat
from pathlib import Path

from softee.daemon.root_key.reading import RootKeyError, read_key
from softee.disk.files import write_new


def read(place: str) -> bytearray:
    """Return the key of a file.

    Raises:
        RootKeyError: the file is not ours alone, or holds no key.
        FileNotFoundError, OSError: it is missing, or cannot be read.

    """
    descriptor = open_regular(Path(place))
    try:
        _check(place, os.fstat(descriptor))
        return read_key(descriptor, place)
    finally:
        os.close(descriptor)


def make(place: str, key: bytes | bytearray) -> None:
    """Write a key to a new file. Raises FileExistsError, OSError."""
    write_new(Path(place), key)


def open_regular(file: Path) -> int:
    """Open a file that is one, without waiting where it is a pipe that nobody writes to.

    Raises:
        RootKeyError: it is no regular file.
        OSError: it cannot be opened.

    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RootKeyError(f"The root key {file} is not a regular file.")
    return descriptor


def _check(place: str, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise RootKeyError(f"The root key {place} belongs to uid {status.st_uid}, not to uid {os.geteuid()}.")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise RootKeyError(f"The root key {place} is open to others (mode {mode:04o}); run: chmod 600 {place}")
