# SPDX-License-Identifier: Apache-2.0
"""Where clients look for a secure world. The rules are libteec's (docs/wire-protocol.md, "Where")."""

import os
from pathlib import Path

from softee.client.settings import client_settings
from softee.wire.places import SYSTEM_SOCKET, USER_SOCKET


def socket_paths() -> list[Path]:
    """Return the sockets at which a client looks for a secure world, in its order.

    ``SOFTEE_SOCKET`` alone where it is set; else the user's below ``XDG_RUNTIME_DIR``, where that is an absolute path,
    and then the system's: what ``/etc/softee/client.conf`` names, else ``/run/softee/tee.sock``. An empty variable is
    none.
    """
    if named := os.environ.get("SOFTEE_SOCKET"):
        return [Path(named)]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    users = [Path(runtime, USER_SOCKET)] if runtime.startswith("/") else []
    return [*users, client_settings().socket or Path(SYSTEM_SOCKET)]
