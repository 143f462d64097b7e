# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of the process at the other end of a connection, at the time when it connected."""

import errno
import os
import select
import socket
import struct
from pathlib import Path

from softee.tee.identity import PeerCredentials

# From asm-generic/socket.h.
_SO_PEERCRED = 17
_SO_PEERGROUPS = 59
_SO_PEERPIDFD = 77

_CREDENTIALS = struct.Struct("=iII")
_INT = struct.Struct("=i")
_MARK = struct.Struct("<IQ")
MARK_SIZE = _MARK.size
_START_TIME = 19
"""Which field of /proc/PID/stat it is, after the program's name (proc_pid_stat(5))."""
_MOST_GROUPS_BYTES = 1024
"""The most that Python's getsockopt takes: 256 groups. Who is in more has no supplementary groups here."""


def credentials(connection: socket.socket) -> PeerCredentials:
    """Return who has connected. Raises OSError."""
    pid, uid, gid = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, _CREDENTIALS.size))
    return PeerCredentials(pid, uid, gid, _groups(connection))


def _groups(connection: socket.socket) -> frozenset[int]:
    try:
        packed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS_BYTES)
    except OSError:
        return frozenset()
    return frozenset(gid for (gid,) in struct.iter_unpack("=I", packed))


def open_pidfd(connection: socket.socket, pid: int) -> int | None:
    """Return a descriptor of the peer's process, which is readable when it has died.

    Kernels before 6.5 do not keep it with the socket: there it is opened by the pid, just after the connection. None
    where the process cannot be seen from here (another pid namespace); its context then ends with its last channel.

    Raises:
        ProcessLookupError: the process has died already; its pid may be another's by now.
        OSError: there are too many open descriptors.

    """
    try:
        packed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD, _INT.size)
    except OSError as error:
        if error.errno == errno.EINVAL:  # how kernels from 6.5 on, but not the newest, say that it has died
            raise ProcessLookupError(errno.ESRCH, "the peer has died") from None
        if error.errno != errno.ENOPROTOOPT:
            raise
        return os.pidfd_open(pid) if pid > 0 else None
    descriptor: int = _INT.unpack(packed)[0]
    return descriptor


def process_mark(pid: int, pidfd: int | None) -> bytes:
    """Return what tells a process from every other one since the machine has started; b"" where nothing does.

    That is its pid with the inode of its pidfd, or with its start time on kernels where all pidfds have the same inode
    (before 6.9).
    """
    if pid <= 0 or pidfd is None:
        return b""
    status = os.fstat(pidfd)
    number = status.st_ino if status.st_dev != _anonymous_device() else _start_time(pid)
    return _MARK.pack(pid, number) if number and not has_died(pidfd) else b""


def is_running(mark: bytes) -> bool:
    """Tell whether the process of a mark still runs."""
    pid, _ = _MARK.unpack(mark)
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        return process_mark(pid, pidfd) == mark
    finally:
        os.close(pidfd)


def _anonymous_device() -> int:
    """Return the device on which pidfds lie that have no inodes of their own."""
    descriptor = os.eventfd(0, os.EFD_CLOEXEC)
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


def _start_time(pid: int) -> int:
    """Return a process' start time in the kernel's ticks; 0 where it cannot be seen."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(status.rpartition(b")")[2].split()[_START_TIME])


def has_died(pidfd: int) -> bool:
    """Tell whether the process of a pidfd has died."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))
