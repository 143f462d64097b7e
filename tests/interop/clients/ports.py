# SPDX-License-Identifier: Apache-2.0
"""Servers on ports and sockets of this machine."""

import secrets
import socket
import subprocess
import time
from pathlib import Path

SERVES_WITHIN = 30
_PORTS = range(10_000, 32_768)
"""Linux gives none of these to connections, so that none gets one before its server listens."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    while True:
        port = secrets.choice(_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server takes connections.

    Raises:
        AssertionError: it ended, or does not within SERVES_WITHIN seconds.

    """
    until = time.monotonic() + SERVES_WITHIN
    while not _connects(socket.AF_INET, ("127.0.0.1", port)):
        assert server.poll() is None, f"{server.args!r} ended with {server.returncode}"
        assert time.monotonic() < until, f"{server.args!r} does not listen"


def wait_for_socket(path: Path) -> None:
    """Wait until somebody takes connections there.

    Raises:
        AssertionError: nobody does within SERVES_WITHIN seconds.

    """
    until = time.monotonic() + SERVES_WITHIN
    while not _connects(socket.AF_UNIX, str(path)):
        assert time.monotonic() < until, f"nobody listens at {path}"


def _connects(family: socket.AddressFamily, address: tuple[str, int] | str) -> bool:
    with socket.socket(family) as client:
        return client.connect_ex(address) == 0
