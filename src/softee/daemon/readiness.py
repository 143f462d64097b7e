# SPDX-License-Identifier: Apache-2.0
"""Tells whoever has started the secure world that it now serves, and gives the service manager what it shall keep."""

import os
import socket
from array import array
from collections.abc import Mapping, MutableMapping


def notify_ready(environment: MutableMapping[str, str], ready_fd: int | None) -> None:
    """Say READY=1 to the service manager (sd_notify(3)), and write a newline to ``ready_fd`` and close it.

    Both are courtesies: a failure does not keep the secure world from serving.
    """
    address = environment.pop("NOTIFY_SOCKET", "")
    if address:
        notify(address, b"READY=1")
    if ready_fd is not None:
        _write(ready_fd)


def store(environment: Mapping[str, str], name: str, descriptor: int) -> bool:
    """Give the service manager a descriptor that it passes to the next process of this service (FDSTORE=1).

    False: nobody has taken it.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    return bool(address) and notify(address, f"FDSTORE=1\nFDNAME={name}\nFDPOLL=0".encode(), descriptor)


def notify(address: str, message: bytes, *descriptors: int) -> bool:
    """Send the service manager a message, and descriptors, to the address that NOTIFY_SOCKET had.

    False: it was not sent.
    """
    address = address.replace("@", "\0", 1) if address.startswith("@") else address
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors else []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        try:
            manager.sendmsg([message], rights, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, address)
        except OSError:
            return False
    return True


def _write(ready_fd: int) -> None:
    try:
        os.write(ready_fd, b"\n")
        os.close(ready_fd)
    except OSError:
        return
