# SPDX-License-Identifier: Apache-2.0
"""Asks a secure world how it is, with a few bytes that are put together here.

The enums of names alone would take as long to import as all the rest does; a test compares the bytes with what ``wire``
makes.
"""

import socket
import struct
from pathlib import Path
from typing import Final, NamedTuple

from softee.client.connection import connect, connect_to_first
from softee.client.errors import ClientError
from softee.wire.health import BUSY, NOT_TOLD, Reason, reasons_in

SILENCE: Final = 10.0
"""Seconds without a word after which a secure world is taken for dead, as by all clients."""

HELLO: Final = b"STEE" + struct.pack("<II", 1, 0) + bytes(16)
OPEN_SESSION: Final = bytes.fromhex("3d2d1f0a54b54a199c9e6a1f6b9e7d55") + bytes(16)
"""With the operator's application, and no parameters."""
_INVOKE: Final = struct.Struct("<IIII")
_HEALTH, _UNCANCELLED, _ONE_OUTPUT = 4, 0, 2
_HEADER: Final = struct.Struct("<III")
_KIND_HELLO, _KIND_OPEN, _KIND_INVOKE, _KEEP_ALIVE = 1, 2, 3, 0xFF
_REPLY: Final = 0x80
_SHORTEST, _LONGEST = 8, 4096
_DENIED, _IS_BUSY = 0xFFFF0001, 0xFFFF000D


class Health(NamedTuple):
    """How it is. No ``reasons``: it is ready. ``told``: these are all that there are."""

    socket: Path
    reasons: list[Reason]
    told: bool


def invoke(session: int) -> bytes:
    """Return the payload that asks for health in a session."""
    return _INVOKE.pack(session, _HEALTH, _UNCANCELLED, _ONE_OUTPUT)


def ask_for_health(named: Path | None) -> Health:
    """Ask the secure world at a socket, or the first one that answers.

    Raises:
        ClientError: none answers that may be trusted.

    """
    path, connection = (named, connect(named, SILENCE)) if named else connect_to_first(SILENCE)
    with connection:
        try:
            return Health(path, *_asked(connection))
        except TimeoutError:
            raise ClientError(f"the secure world at {path} has fallen silent") from None
        except (OSError, struct.error) as error:
            raise ClientError(f"the secure world at {path} does not go on answering: {error}") from None


def _asked(connection: socket.socket) -> tuple[list[Reason], bool]:
    """Return what is wrong, and whether it has told all: that it tells its operator alone."""
    (result,) = struct.unpack_from("<I", _request(connection, 1, _KIND_HELLO, HELLO))
    if result:
        return [BUSY if result == _IS_BUSY else NOT_TOLD], False
    result, _, session = struct.unpack_from("<III", _request(connection, 2, _KIND_OPEN, OPEN_SESSION))
    if result:
        return [] if result == _DENIED else [NOT_TOLD], False
    reply = _request(connection, 3, _KIND_INVOKE, invoke(session))
    (result,) = struct.unpack_from("<I", reply)
    if result:
        return [NOT_TOLD], False
    return reasons_in(struct.unpack_from("<IIII", reply)[3]), True


def _request(connection: socket.socket, serial: int, kind: int, payload: bytes) -> bytes:
    """Send a frame, and return the payload of the one that answers it."""
    connection.sendall(_HEADER.pack(_SHORTEST + len(payload), kind, serial) + payload)
    while True:
        length, answered, its_serial = _HEADER.unpack(_exactly(connection, _HEADER.size))
        if not _SHORTEST <= length <= _LONGEST or its_serial != serial or answered not in (kind | _REPLY, _KEEP_ALIVE):
            raise OSError("an answer that makes no sense")
        payload = _exactly(connection, length - _SHORTEST)
        if answered != _KEEP_ALIVE:
            return payload


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise OSError("it has closed the connection")
        data += part
    return data
