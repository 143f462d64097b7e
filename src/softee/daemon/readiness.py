# SPDX-License-Identifier: Apache-2.0
"""Tells whoever has started the secure world that it now serves."""

import os
import socket
from collections.abc import MutableMapping


def notify_ready(environment: MutableMapping[str, str], ready_fd: int | None) -> None:
    """Say READY=1 to the service manager (sd_notify(3)), and write a newline to ``ready_fd`` and close it.

    Both are courtesies: a failure does not keep the secure world from serving.
    """
    address = environment.pop("NOTIFY_SOCKET", "")
    if address:
        _notify(address.replace("@", "\0", 1) if address.startswith("@") else address)
    if ready_fd is not None:
        _write(ready_fd)


def _notify(address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        try:
            manager.sendto(b"READY=1", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, address)
        except OSError:
            return


def _write(ready_fd: int) -> None:
    try:
        os.write(ready_fd, b"\n")
        os.close(ready_fd)
    except OSError:
        return
