# SPDX-License-Identifier: Apache-2.0
"""CPU seconds of a server: of its process and all that come from it, as the kernel counts them."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

_CUTIME = 13
"""In /proc/PID/stat, after the name: ticks of children that were waited for, their own, and then the kernel's."""
_PEER_CREDENTIALS = struct.Struct("=iII")


def server_of(path: Path) -> int:
    """Return the process that listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    pid: int = _PEER_CREDENTIALS.unpack(packed)[0]
    return pid


def cpu_seconds(pid: int) -> float:
    """Return what a process and its descendants have used; those that are gone count where they were waited for."""
    return sum(_own_cpu_seconds(each) + _waited_for_cpu_seconds(each) for each in _family(pid))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except OSError:  # it ended just now
            continue
        for child in pids:
            yield from _family(int(child))


def _own_cpu_seconds(pid: int) -> float:
    try:
        # The clock of a process, as clock_getcpuclockid(3) names it: nanoseconds, where /proc has ticks.
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:  # it ended just now
        return 0.0


def _waited_for_cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended just now
        return 0.0
    return (int(fields[_CUTIME]) + int(fields[_CUTIME + 1])) / os.sysconf("SC_CLK_TCK")
