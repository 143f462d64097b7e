# SPDX-License-Identifier: Apache-2.0
"""A client's channel: one request after the other, each with a deadline for silence."""

import itertools
import socket
import threading

from softee.client.errors import ClientError, SilenceError
from softee.wire.codec import WireError
from softee.wire.frames import HEADER_SIZE, Frame, FrameType, decode_frame, encode_frame, frame_size
from softee.wire.messages import REPLY_OF


class ClientChannel:
    """A connection to the secure world. Requests of several threads wait for each other."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connection, whose timeout is how long the secure world may be silent."""
        self._lock = threading.Lock()
        self._serials = itertools.count(1)
        self._socket = connection

    def request(self, frame_type: FrameType, payload: bytes) -> memoryview:
        """Send a request and return its reply's payload.

        Raises:
            ClientError: the connection broke, or what came was no reply to the request; the channel is closed.
            SilenceError: nothing was heard in time; the channel is closed.

        """
        with self._lock:
            serial = next(self._serials) & 0xFFFFFFFF
            try:
                self._socket.sendall(encode_frame(frame_type, serial, payload))
                return self._reply(REPLY_OF[frame_type], serial)
            except TimeoutError:
                self._socket.close()
                raise SilenceError("the secure world has fallen silent") from None
            except (OSError, WireError) as error:
                self._socket.close()
                raise ClientError(f"the channel to the secure world broke: {error}") from None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _reply(self, wanted: FrameType, serial: int) -> memoryview:
        while True:
            frame = self._frame()
            if frame.serial != serial or frame.type not in (wanted, FrameType.KEEP_ALIVE):
                raise WireError(f"{frame.type.name} with serial {frame.serial} is no reply to request {serial}")
            if frame.type is wanted:
                return frame.payload
            if frame.payload:
                raise WireError("a KEEP_ALIVE has no payload")

    def _frame(self) -> Frame:
        header = self._receive(HEADER_SIZE)
        return decode_frame(memoryview(header + self._receive(frame_size(header) - HEADER_SIZE)))

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            part = self._socket.recv(size - len(received))
            if not part:
                raise WireError("the secure world has closed the channel")
            received += part
        return bytes(received)
