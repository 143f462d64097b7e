# SPDX-License-Identifier: Apache-2.0
"""CPU seconds of a server: of its process and all that come from it, as the kernel counts them."""

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

_PEER_CREDENTIALS = struct.Struct("=iII")


def server_of(path: Path) -> int:
    """Return the process that listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    pid: int = _PEER_CREDENTIALS.unpack(packed)[0]
    return pid


def cpu_seconds(pid: int) -> float:
    """Return what a process and its descendants have used; those that are gone do not count."""
    return sum(map(_own_cpu_seconds, _family(pid)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


def _own_cpu_seconds(pid: int) -> float:
    # The clock of a process, as clock_getcpuclockid(3) names it: nanoseconds, where /proc has ticks.
    return time.clock_gettime(~pid << 3 | 2)
