# SPDX-License-Identifier: Apache-2.0
"""One connection: whole frames in, whole frames out, a descriptor with some.

A channel carries one request at a time. ``take`` and ``send`` never wait for the peer. What they leave, ``receive`` and
``send_rest`` finish, for no longer than the limits say, but for the silence between two requests. No descriptor that
the peer sends stays open.
"""

import contextlib
import os
import select
import socket
import threading
import time
from array import array
from collections.abc import Sequence
from functools import partial

from softee.daemon.lookout import look
from softee.daemon.settings import Limits
from softee.tee.identity import PeerCredentials
from softee.wire.codec import WireError
from softee.wire.frames import HEADER_SIZE, Frame, FrameType, decode_frame, encode_frame, frame_size, whole_frame

_SMALL_FRAME = 16 * 1024
"""Bytes of the buffer that a channel keeps. Larger frames get one of their own while they last."""
_TWO_DESCRIPTORS = socket.CMSG_SPACE(2 * array("i").itemsize)
"""Room to see that there is one descriptor too many."""
_SEND_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
_RECEIVE_FLAGS = int(socket.MSG_CMSG_CLOEXEC)
_TAKE_FLAGS = int(socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT)
_CUT = int(socket.MSG_CTRUNC)
_ZEROS = bytes(_SMALL_FRAME)
_NO_FRAME = memoryview(bytearray())


class Channel:
    """A connection. One thread at a time receives and sends; others may call ``keep_alive`` and ``shut_down``."""

    def __init__(self, connection: socket.socket, peer: PeerCredentials, limits: Limits) -> None:
        self.connection = connection
        self.peer = peer
        self.descriptor: int | None = None
        """The descriptor that came with the last frame, until ``forget``."""
        self._limits = limits
        self._buffer = memoryview(bytearray(_SMALL_FRAME))
        self._into = [self._buffer]
        self._frame = _NO_FRAME
        self._count = 0
        """Bytes of a frame that are in the buffer and were not enough for ``take``."""
        self._ended = False
        self._unsent = memoryview(b"")
        self._send_lock = threading.Lock()
        self._close_lock = threading.Lock()
        self._running: int | None = None

    def take(self) -> Frame | None:
        """Return a frame that has come, is small, and whole. None where there is none: ``receive`` takes what has come.

        Raises:
            WireError: what came is no frame.
            OSError: the connection is broken.

        """
        try:
            count, ancillary, flags, _ = self.connection.recvmsg_into(self._into, _TWO_DESCRIPTORS, _TAKE_FLAGS)
        except BlockingIOError:
            return None
        if ancillary or flags & _CUT:
            self._take_descriptor(ancillary, cut=bool(flags & _CUT))
        frame = whole_frame(self._buffer, count, self._limits.max_frame)
        if frame is None:
            self._count, self._ended = count, count == 0
            return None
        self._frame = self._buffer[:count]
        return frame

    def is_ready(self, milliseconds: int, *, awake: bool) -> bool:
        """Say whether something comes, or the connection ends, so soon; ``awake``: look out for it first."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        return bool((awake and look(partial(poll.poll, 0))) or poll.poll(milliseconds))

    def is_abandoned(self) -> bool:
        """Say whether the peer has closed its end, so that nobody gets an answer."""
        poll = select.poll()
        poll.register(self.connection, 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

    def receive(self, timeout: float | None = None) -> Frame | None:
        """Wait for a frame; None at the end of the connection.

        The frame's payload is a view of the channel's buffer, good until ``forget``.

        Args:
            timeout: seconds until the frame must be there; None: it may begin at any time.

        Raises:
            WireError: what came is no frame, or did not come in time.
            OSError: the connection is broken.

        """
        deadline = None if timeout is None else time.monotonic() + timeout
        count, self._count = self._count, 0
        if count == 0 and not self._ended:
            count = self._receive_in_time(self._buffer, deadline)
        if count == 0:
            return None
        if count < HEADER_SIZE:
            deadline = deadline or time.monotonic() + self._limits.frame_timeout
            count = self._fill(self._buffer[:HEADER_SIZE], count, deadline)
        size = self._size(count)
        self._frame = self._buffer[:size] if size <= _SMALL_FRAME else self._large_frame(count, size)
        if count < size:
            self._fill(self._frame, count, deadline or time.monotonic() + self._limits.frame_timeout)
        return decode_frame(self._frame, self._limits.max_frame)

    def begin(self, serial: int) -> None:
        """Have keep-alives sent for a request, until its reply is sent."""
        self._running = serial

    def send(self, frame_type: FrameType, serial: int, payload: bytes) -> bool:
        """Send a reply as far as the socket takes it. False: ``send_rest`` has to send what is left.

        Raises:
            OSError: the connection is broken.

        """
        frame = encode_frame(frame_type, serial, payload)
        if self._running is None:  # nobody else sends
            sent = self._send(frame)
        else:
            with self._send_lock:
                self._running = None
                sent = self._send(frame)
        if sent == len(frame):
            return True
        self._unsent = memoryview(frame)[sent:]
        return False

    def send_rest(self) -> None:
        """Send what ``send`` has left, within the time that the peer has for reading it.

        Raises:
            OSError: the connection is broken, or the peer has left its replies unread for too long.

        """
        deadline = time.monotonic() + self._limits.send_timeout
        while self._unsent:
            if not self._wait(select.POLLOUT, deadline):
                raise TimeoutError("the peer does not read its replies")
            self._unsent = self._unsent[self._send(self._unsent) :]

    def reply(self, frame_type: FrameType, serial: int, payload: bytes) -> None:
        """Send a whole reply. Raises OSError, as the two above."""
        if not self.send(frame_type, serial, payload):
            self.send_rest()

    def reply_with(self, descriptor: int, frame_type: FrameType, serial: int, payload: bytes) -> None:
        """Send a short reply that a descriptor goes with, before any other: there is room. Raises OSError."""
        with self._send_lock:
            socket.send_fds(self.connection, [encode_frame(frame_type, serial, payload)], [descriptor], _SEND_FLAGS)

    def keep_alive(self) -> None:
        """Tell the peer of a running request that it runs; never waits for the peer."""
        serial = self._running
        if serial is None or not self._send_lock.acquire(blocking=False):
            return
        try:
            if self._running == serial:
                self._send(encode_frame(FrameType.KEEP_ALIVE, serial))  # twelve bytes go whole or not at all
        except OSError:
            pass  # the peer is gone, as the channel's own thread will see
        finally:
            self._send_lock.release()

    def forget(self) -> None:
        """Wipe the last frame, since requests carry PINs, and close its descriptor."""
        size = len(self._frame)
        self._frame[:] = _ZEROS[:size] if size <= _SMALL_FRAME else bytes(size)
        self._frame = _NO_FRAME
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def shut_down(self) -> None:
        """End the connection; whoever waits in ``receive`` or ``reply`` is woken. Callable from any thread."""
        with self._close_lock, contextlib.suppress(OSError):  # closed already, or the peer was quicker
            self.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection. Called by the thread that has the channel, as its last act."""
        self.forget()
        with self._send_lock, self._close_lock:
            self._running = None
            self.connection.close()

    def _large_frame(self, count: int, size: int) -> memoryview:
        """Return a buffer for a frame of ``size`` bytes whose first ``count`` have come into the channel's own."""
        frame = memoryview(bytearray(size))
        frame[:count] = self._buffer[:count]
        self._buffer[:count] = _ZEROS[:count]
        return frame

    def _fill(self, view: memoryview, count: int, deadline: float) -> int:
        """Receive until ``view``, which has ``count`` bytes, is full."""
        while count < len(view):
            received = self._receive_in_time(view[count:], deadline)
            if received == 0:
                raise WireError(f"a frame was cut after {count} bytes")
            count += received
        return count

    def _size(self, count: int) -> int:
        """Return the size of the frame whose first ``count`` bytes are in the buffer. Raises WireError."""
        size = frame_size(self._buffer, self._limits.max_frame)
        if count > size:
            raise WireError("more came before the reply; a channel carries one request at a time")
        return size

    def _receive_in_time(self, view: memoryview, deadline: float | None) -> int:
        if deadline is not None and not self._wait(select.POLLIN, deadline):
            raise WireError("the rest of a frame did not come in time")
        count, ancillary, flags, _ = self.connection.recvmsg_into([view], _TWO_DESCRIPTORS, _RECEIVE_FLAGS)
        if ancillary or flags & _CUT:
            self._take_descriptor(ancillary, cut=bool(flags & _CUT))
        return count

    def _take_descriptor(self, ancillary: Sequence[tuple[int, int, bytes]], *, cut: bool) -> None:
        """Keep the descriptor of the frame. Where there is another, close all."""
        received = array("i")
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received.frombytes(data[: len(data) - len(data) % received.itemsize])
        if len(received) == 1 and self.descriptor is None and not cut:
            self.descriptor = received[0]
            return
        for descriptor in received:
            os.close(descriptor)
        raise WireError("more than one descriptor came with a frame")

    def _send(self, data: bytes | memoryview) -> int:
        """Send what fits into the socket, and return how much that was."""
        try:
            return self.connection.send(data, _SEND_FLAGS)
        except BlockingIOError:
            return 0

    def _wait(self, event: int, deadline: float) -> bool:
        """Wait for an event (or the end of the connection); False when the time is over."""
        poll = select.poll()
        poll.register(self.connection, event)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
