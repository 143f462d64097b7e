# SPDX-License-Identifier: Apache-2.0
"""Connects to a secure world, after making sure whose it is: a client sends it PINs.

A socket counts only where its file *and* the process that listens belong to root, to this user, or to the user that
``SOFTEE_SERVER_UID`` names in decimal digits or, where that is not set, ``/etc/softee/client.conf``. Both are looked at
before the first byte is sent, as libteec does it (native/teec/socket.c): a file's owner can put another socket in its
place, a process can serve somebody else's file.
"""

import os
import socket
import struct
from pathlib import Path

from softee.client.errors import ClientError, NotRunningError, UntrustedError
from softee.client.places import socket_paths
from softee.client.settings import client_settings
from softee.wire.places import LONGEST_PATH

_PEER_CREDENTIALS = struct.Struct("=iII")


def connect(path: Path, silence: float) -> socket.socket:
    """Connect to a trusted secure world.

    Args:
        path: the socket's path.
        silence: the timeout of the connection that is returned, in seconds.

    Raises:
        NotRunningError: nobody answers there, or the path is too long for a socket.
        UntrustedError: it is somebody else's. Nothing was sent.

    """
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise NotRunningError(f"the socket's path is longer than {LONGEST_PATH} bytes: {path}")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(silence)
        connection.connect(str(path))
        _require_trusted(connection, path)
    except OSError as error:
        connection.close()
        raise NotRunningError(f"no secure world answers at {path}: {error.strerror or error}") from None
    except UntrustedError:
        connection.close()
        raise
    return connection


def connect_to_first(silence: float) -> tuple[Path, socket.socket]:
    """Connect to the first of :func:`socket_paths` at which a trusted secure world answers; return which it was.

    One that may not be trusted does not keep the next from being used.

    Raises:
        UntrustedError: none is trusted, and at least one is somebody else's.
        NotRunningError: nobody answers.

    """
    failures: list[ClientError] = []
    for path in socket_paths():
        try:
            return path, connect(path, silence)
        except (NotRunningError, UntrustedError) as error:
            failures.append(error)
    foreign = [failure for failure in failures if isinstance(failure, UntrustedError)]
    raise foreign[-1] if foreign else NotRunningError("; ".join(map(str, failures)))


def is_trusted(uid: int) -> bool:
    """Tell whether a secure world of this user is trusted."""
    if uid in (0, os.geteuid()):
        return True
    if named := os.environ.get("SOFTEE_SERVER_UID", ""):
        return _is_decimal(named) and named.lstrip("0") == str(uid)
    return uid == client_settings().server_uid


def peer_uid(connection: socket.socket) -> int:
    """Return whose process listens at the other end."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    uid: int = _PEER_CREDENTIALS.unpack(packed)[1]
    return uid


def _is_decimal(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _require_trusted(connection: socket.socket, path: Path) -> None:
    """Refuse a secure world of another user, who would get what is sent to it."""
    peer, owner = peer_uid(connection), path.stat().st_uid
    if not is_trusted(peer):
        raise UntrustedError(f"uid {peer} answers at {path}", peer)
    if not is_trusted(owner):
        raise UntrustedError(f"{path} belongs to uid {owner}", owner)
