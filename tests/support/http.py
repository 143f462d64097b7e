# SPDX-License-Identifier: Apache-2.0
"""A client of what is served by HTTP, at an address of this machine or at a Unix socket."""

import http.client
import socket
from dataclasses import dataclass
from email.message import Message
from pathlib import Path


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Message
    text: str


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(place: Path | tuple[str, int], path: str = "/metrics", method: str = "GET", **headers: str) -> Reply:
    """Send a request, and return what came back. ``headers`` have underscores for hyphens."""
    connection = _UnixConnection(place) if isinstance(place, Path) else http.client.HTTPConnection(*place, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read().decode())
    finally:
        connection.close()
