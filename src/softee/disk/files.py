# SPDX-License-Identifier: Apache-2.0
"""A file's name is on the disk only when its directory is; a new file is there whole or not at all."""

import os
import secrets
from pathlib import Path


def sync_names(directory: Path) -> None:
    """Return when the names in a directory are on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(file: Path, content: bytes | bytearray) -> None:
    """Write a new file, mode 0600, under another name, and give it its own: ``link`` does not replace what is there.

    Raises:
        FileExistsError: there is a file of this name.
        OSError: it cannot be written.

    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        _write(beside, content)
        os.link(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    sync_names(file.parent)


def _write(file: Path, content: bytes | bytearray) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
