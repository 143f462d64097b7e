# SPDX-License-Identifier: Apache-2.0
"""The root key file: 32 random bytes that stand for the hardware-unique key.

A key is used only from a file that its owner alone can read, and made only where there is nothing that another key
would have to open. It comes into being whole or not at all.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from softee.daemon.errors import StartError

ROOT_KEY_SIZE = 32


class RootKeyError(StartError):
    """The root key cannot be used; the text is a sentence that says why and how to mend it."""


def load_root_key(file: Path, *, is_needed: Callable[[], bool]) -> bytes:
    """Return the root key, made now if it does not exist and is not needed yet.

    Args:
        file: where it is.
        is_needed: tells whether anything was sealed under it; asked only where the file is missing. The store knows:
            on a second machine the file is missing, and a key of its own would open nothing.

    Raises:
        RootKeyError: the file is not ours alone, has a wrong size, cannot be read or made, or is missing though it is
            needed.

    """
    try:
        return _read(file)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RootKeyError(f"The root key {file} cannot be read: {error.strerror}.") from None
    if is_needed():
        raise RootKeyError(f"The root key {file} is missing; without it nothing that is stored opens.")
    try:
        _make(file)
        return _read(file)
    except OSError as error:
        raise RootKeyError(f"The root key {file} cannot be made: {error.strerror}.") from None


def _read(file: Path) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _check(file, os.fstat(descriptor))
        key = os.read(descriptor, ROOT_KEY_SIZE + 1)
    finally:
        os.close(descriptor)
    if len(key) != ROOT_KEY_SIZE:
        raise RootKeyError(f"The root key {file} is damaged: it must have exactly {ROOT_KEY_SIZE} bytes.")
    return key


def _check(file: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RootKeyError(f"The root key {file} is not a regular file.")
    if status.st_uid != os.geteuid():
        raise RootKeyError(f"The root key {file} belongs to uid {status.st_uid}, not to uid {os.geteuid()}.")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise RootKeyError(f"The root key {file} is open to others (mode {mode:04o}); run: chmod 600 {file}")


def _make(file: Path) -> None:
    """Write the key to a new file beside, and give that its name: ``link`` does not replace what is there."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        _write(beside, secrets.token_bytes(ROOT_KEY_SIZE))
        os.link(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    _flush(file.parent)


def _write(file: Path, key: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, key)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
