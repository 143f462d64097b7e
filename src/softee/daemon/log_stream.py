# SPDX-License-Identifier: Apache-2.0
"""Where the log is written: to a descriptor, never waiting for whoever reads it.

A pipe that nobody empties, a stopped terminal or a hung log service would otherwise hold up every client whose request
is refused. What cannot be written at once is left out and counted, and the count is told when there is room again.
"""

import os
import socket
import stat
from typing import Final

_MAY_WAIT: Final = (stat.S_IFIFO, stat.S_IFCHR)


class LogStream:
    """A text stream for ``logging``, which writes whole records at once."""

    def __init__(self, descriptor: int) -> None:
        """Write to what a descriptor is of. It stays open, and as it is, for others who have it."""
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        self._own = _anew(descriptor) if kind in _MAY_WAIT else os.dup(descriptor)
        self._socket = socket.socket(fileno=self._own) if kind == stat.S_IFSOCK else None
        self._left_out = 0
        self._is_cut = False

    def fileno(self) -> int:
        """Return the descriptor that it writes to."""
        return self._own

    def write(self, text: str) -> None:
        """Write a record, or leave it out."""
        notice = f"{self._left_out} lines of the log were left out: whoever reads it was too slow\n"
        data = (("\n" if self._is_cut else "") + (notice if self._left_out else "") + text).encode(errors="replace")
        try:
            written = self._write(data)
        except OSError:
            written = 0
        if written:
            self._left_out, self._is_cut = 0, written < len(data)
        else:
            self._left_out += 1

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""

    def close(self) -> None:
        """Close its own descriptor."""
        if self._socket is None:
            os.close(self._own)
        else:
            self._socket.close()

    def _write(self, data: bytes) -> int:
        """Write as much as goes at once. Raises OSError where nothing does."""
        if self._socket is None:
            return os.write(self._own, data)
        return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def _anew(descriptor: int) -> int:
    """Open a pipe or a terminal anew, so that not to wait is ours alone; where that is refused, use it as it is."""
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return os.dup(descriptor)
