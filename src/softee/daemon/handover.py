# SPDX-License-Identifier: Apache-2.0
"""Connections on their way from the supervisor to a worker, and which worker a connection belongs to.

A connection's first frame is looked at, and left in it: the worker reads it anew, and is the one who checks it.
"""

import contextlib
import socket
import sys
from typing import Final

from softee.wire.codec import WireError
from softee.wire.frames import FrameType, whole_frame
from softee.wire.messages import NO_SECRET, Hello

_LOOKED_AT: Final = 64
"""Bytes; a HELLO has fewer."""
_ONE_DESCRIPTOR: Final = socket.CMSG_LEN(4)
READY: Final = b"R"
_CONNECTION: Final = b"C"


class ConnectionSource:
    """The worker's end, in the place of a listening socket."""

    def __init__(self, supervisor: socket.socket) -> None:
        self._supervisor = supervisor

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        return self._supervisor.fileno()

    def say_ready(self) -> None:
        """Tell the supervisor that connections are served."""
        self._supervisor.send(READY)

    def accept(self) -> socket.socket | None:
        """Return the next connection, None where there will be no more. Raises OSError."""
        message, ancillary, _, _ = self._supervisor.recvmsg(1, _ONE_DESCRIPTOR, socket.MSG_CMSG_CLOEXEC)
        if not message:
            return None
        if not ancillary:
            raise OSError("a connection was lost on its way from the supervisor: too many descriptors are open")
        ((_, _, descriptor),) = ancillary
        return socket.socket(fileno=int.from_bytes(descriptor, sys.byteorder))


def hand_over(connection: socket.socket, worker: socket.socket) -> None:
    """Give a connection to a worker, and close it here. Raises OSError where the worker takes none any more."""
    with contextlib.closing(connection):
        socket.send_fds(worker, [_CONNECTION], [connection.fileno()], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def wanted_worker(connection: socket.socket) -> int | None:
    """Look at a connection's first frame, and return the number of the worker that it asks for.

    None: any worker will do: it asks for a new context, or for nothing that makes sense, which a worker will tell it.

    Raises:
        BlockingIOError: the frame has not come whole yet.
        OSError: the connection broke, or has ended.

    """
    buffer = bytearray(_LOOKED_AT)
    count = connection.recv_into(buffer, 0, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    if count == 0:
        raise ConnectionResetError("it ended before its first frame")
    try:
        frame = whole_frame(memoryview(buffer), count)
        if frame is None:
            raise BlockingIOError
        hello = Hello.decode(frame.payload)
    except WireError:
        return None
    if frame.type is not FrameType.HELLO or hello.secret == NO_SECRET:
        return None
    return hello.secret[0]
