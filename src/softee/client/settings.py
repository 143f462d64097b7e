# SPDX-License-Identifier: Apache-2.0
"""What root has told all clients of this machine, read as libteec reads it (native/teec/client_settings.c).

Services clean their environments, files stay. The file counts where it is root's and nobody else can write to it, and
in it each line ``name = value`` that is understood: others may be for later versions, and are passed over.
"""

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from softee.wire.places import CLIENT_SETTINGS, CLIENT_SETTINGS_MAX, LONGEST_PATH

_BLANKS: Final = b" \t"
_LONGEST_UID: Final = 10
"""Digits of the largest number of a user."""


class ClientSettings(NamedTuple):
    """The settings; None where the file does not name one."""

    socket: Path | None = None
    """The system's socket, an absolute path."""
    server_uid: int | None = None
    """The user whose secure world is trusted, besides root's and the caller's own."""


def client_settings(file: Path | None = None) -> ClientSettings:
    """Return what the clients' settings file says: nothing where it is absent, too long, or not root's alone.

    Args:
        file: another one than ``/etc/softee/client.conf``.

    """
    try:
        text = _read(file or Path(CLIENT_SETTINGS))
    except OSError:
        return ClientSettings()
    if len(text) > CLIENT_SETTINGS_MAX or b"\0" in text:
        return ClientSettings()
    socket, uid = None, None
    for line in text.split(b"\n"):
        match setting_in(line):
            case Path() as path:
                socket = path
            case int() as number:
                uid = number
    return ClientSettings(socket, uid)


def setting_in(line: bytes) -> Path | int | None:
    """Return the socket or the user's number that a line of the file names; None where it is not understood."""
    name, _, value = (part.strip(_BLANKS) for part in line.partition(b"="))
    if name == b"socket" and value.startswith(b"/") and len(value) <= LONGEST_PATH:
        return Path(os.fsdecode(value))
    if name == b"server_uid" and value.isdigit() and len(value) <= _LONGEST_UID:
        return int(value)
    return None


def _read(file: Path) -> bytes:
    """Read one byte more than the limit at most. Raises OSError, also where others could have written the file."""
    # A pipe in its place must not hold anybody up.
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            raise PermissionError
        return opened.read(CLIENT_SETTINGS_MAX + 1)
