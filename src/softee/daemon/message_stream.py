# SPDX-License-Identifier: Apache-2.0
"""Messages over a stream socket that is never waited for: a length, and as many bytes (``stores/remote.py``)."""

import socket
from typing import Final

from softee.stores.remote import LENGTH

LARGEST: Final = 256 << 20
"""Bytes of a message: far above what the largest change of a token has."""
_AT_A_TIME: Final = 1 << 20


class MessageStream:
    """One end, with what has come and not been taken, and what has been given and not been sent."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connected stream socket."""
        connection.settimeout(0)
        self._connection = connection
        self._received = bytearray()
        self._unsent = b""

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        return self._connection.fileno()

    def receive(self) -> list[bytearray]:
        """Return the whole messages that have come.

        Raises:
            EOFError: the other end is closed.
            ValueError: a message is too large.
            OSError: the connection broke.

        """
        try:
            part = self._connection.recv(_AT_A_TIME)
        except BlockingIOError:
            return []
        if not part:
            raise EOFError
        self._received += part
        return self._take()

    def _take(self) -> list[bytearray]:
        messages = []
        while len(self._received) >= LENGTH.size:
            (size,) = LENGTH.unpack_from(self._received)
            if size > LARGEST:
                raise ValueError(f"a message of {size} bytes")
            end = LENGTH.size + size
            if len(self._received) < end:
                break
            messages.append(self._received[LENGTH.size : end])
            del self._received[:end]
        return messages

    def send(self, message: bytes) -> bool:
        """Send a message, as far as it goes now. False: ``send_rest`` has to be called when more fits.

        Raises OSError.
        """
        self._unsent += LENGTH.pack(len(message)) + message
        return self.send_rest()

    def send_rest(self) -> bool:
        """Send what is left, as far as it goes now. False: there is still more. Raises OSError."""
        try:
            sent = self._connection.send(self._unsent, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        self._unsent = self._unsent[sent:]
        return not self._unsent

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
