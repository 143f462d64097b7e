# SPDX-License-Identifier: Apache-2.0
"""Gives each line of the audit log to the system's log as well, which systemd's journal reads too.

It is a copy, and is never waited for: what the system's log does not take at once is missing there. The lines' numbers
show where.
"""

import logging
import socket
from pathlib import Path
from typing import Final

from softee.tee.audit_log import End, Lines

log = logging.getLogger(__name__)

SYSTEM_LOG: Final = Path("/dev/log")
_BEFORE: Final = b"<85>softee-audit: "
"""Facility authpriv, severity notice, and the name under which the lines are found."""


class CopiedLines(Lines):
    """The files of a log, and the copy."""

    def __init__(self, lines: Lines, place: Path = SYSTEM_LOG) -> None:
        """Copy to a datagram socket what goes to the files."""
        self._lines = lines
        self._place = str(place)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._is_missed = False

    def resume(self, line: bytes) -> End:
        """See Lines.resume."""
        return self._lines.resume(line)

    def append(self, number: int, line: bytes) -> None:
        """Write a line, and give it to the system's log."""
        self._lines.append(number, line)
        try:
            self._socket.sendto(_BEFORE + line.rstrip(b"\n"), socket.MSG_DONTWAIT, self._place)
        except OSError as error:
            if not self._is_missed:
                log.warning("the system's log takes no lines of the audit log: %s", error.strerror)
            self._is_missed = True
        else:
            self._is_missed = False

    def require_room(self) -> None:
        """See Lines.require_room."""
        self._lines.require_room()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
