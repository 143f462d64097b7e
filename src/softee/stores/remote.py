# SPDX-License-Identifier: Apache-2.0
"""A store that another process has open: each question goes there over a socket, and waits for its answer.

A message is its length, 32 bits little endian, and as many bytes (``stores/requests.py``).
"""

import socket
import struct
import threading
from collections.abc import Collection, Mapping
from typing import Final

from softee.stores.base import Record, Revision, StoreError, StoreUnavailableError
from softee.stores.requests import (
    ERRORS,
    Check,
    Commit,
    Committed,
    Failed,
    Fine,
    Get,
    Measured,
    Range,
    Records,
    Request,
    Sizes,
    decode_reply,
    encode,
    records_of,
)

LENGTH: Final = struct.Struct("<I")


class RemoteStore:
    """The Store contract over a connected stream socket, which it takes over. One request at a time is on its way."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        """Take over a connection to whoever has the store called ``name``."""
        self.name = name
        self._connection = connection
        self._lock = threading.Lock()
        self._closed = False

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``, or None."""
        found = self._records(Get(key))
        return found[0][1] if found else None

    def range(self, prefix: bytes) -> list[tuple[bytes, Record]]:
        """Return all keys that begin with ``prefix`` with their records, in the order of the keys' bytes."""
        return self._records(Range(prefix))

    def sizes(self, prefix: bytes) -> list[tuple[bytes, int]]:
        """Return all keys that begin with ``prefix`` with their values' lengths."""
        reply = self._ask(Sizes(prefix))
        if not isinstance(reply, Measured):
            raise self._unexpected()
        return reply.sizes

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys in one atomic, durable transaction. See Store.commit."""
        reply = self._ask(Commit({**expected}, {**puts}, tuple(deletes)))
        if not isinstance(reply, Committed):
            raise self._unexpected()
        return Revision(reply.revision)

    def check(self) -> None:
        """Have it checked where it is. See Store.check."""
        if not isinstance(self._ask(Check()), Fine):
            raise self._unexpected()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _records(self, request: Get | Range) -> list[tuple[bytes, Record]]:
        reply = self._ask(request)
        if not isinstance(reply, Records):
            raise self._unexpected()
        return records_of(reply)

    def _unexpected(self) -> StoreError:
        return StoreError(f"{self.name}: an answer to another question")

    def _ask(self, request: Request) -> Records | Measured | Committed | Fine:
        message = encode(request)
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            try:
                self._connection.sendall(LENGTH.pack(len(message)) + message)
                reply = decode_reply(self._receive())
            except (OSError, EOFError, ValueError) as error:
                self._closed = True  # what comes next would be the answer to this question
                self._connection.close()
                raise StoreUnavailableError(f"{self.name}: the process that has it open does not answer") from error
        if isinstance(reply, Failed):
            raise ERRORS.get(reply.kind, StoreError)(reply.sentence)
        return reply

    def _receive(self) -> bytearray:
        (size,) = LENGTH.unpack(self._exactly(LENGTH.size))
        return self._exactly(size)

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._connection.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]
        return data
