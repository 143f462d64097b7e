# SPDX-License-Identifier: Apache-2.0
"""Servers on ports of this machine."""

import socket
import subprocess
import time

SERVES_WITHIN = 30


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server takes connections.

    Raises:
        AssertionError: it ended, or does not within SERVES_WITHIN seconds.

    """
    until = time.monotonic() + SERVES_WITHIN
    while time.monotonic() < until:
        assert server.poll() is None, f"{server.args!r} ended with {server.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    raise AssertionError(f"{server.args!r} does not listen")
