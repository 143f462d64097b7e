# SPDX-License-Identifier: Apache-2.0
"""Where the shared object looks for a secure world, and whether one answers there.

The order is libteec's (docs/recipes, native/teec): SOFTEE_SOCKET alone where it is set, else the user's runtime
directory, else the system's.
"""

import os
from pathlib import Path

from softee.cli.failure import CliError
from softee.client import ClientError, TeeClient

SYSTEM_SOCKET = Path("/run/softee/tee.sock")


def client_sockets() -> list[Path]:
    """Return the sockets that an application's libteec tries, in its order."""
    named = os.environ.get("SOFTEE_SOCKET")
    if named:
        return [Path(named)]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [*([Path(runtime) / "softee" / "tee.sock"] if runtime else []), SYSTEM_SOCKET]


def answers(socket: Path) -> bool:
    """Tell whether a secure world answers on a socket."""
    try:
        with TeeClient(socket):
            return True
    except ClientError:
        return False


def answering_socket() -> Path | None:
    """Return the first of :func:`client_sockets` on which a secure world answers, or None."""
    return next((socket for socket in client_sockets() if answers(socket)), None)


def require_answering_socket(named: Path | None) -> Path:
    """Return ``named``, or else the socket that answers.

    Raises:
        CliError: nothing answers.

    """
    tried = [named] if named else client_sockets()
    for socket in tried:
        if answers(socket):
            return socket
    places = " or ".join(map(str, tried))
    raise CliError(f"No secure world answers on {places}; start one with `softee serve`, or use `softee run`.")
