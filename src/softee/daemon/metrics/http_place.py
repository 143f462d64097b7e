# SPDX-License-Identifier: Apache-2.0
"""Where something is served by HTTP, to this machine alone: a loopback address with its port, or a Unix socket."""

import socket
from pathlib import Path
from typing import Self

from softee.daemon.errors import StartError
from softee.daemon.listener import Listener, listen

_UNIX = "unix:"


class HttpPlace(str):
    """A place: ``127.0.0.1:PORT``, ``[::1]:PORT`` or ``unix:PATH``. What goes over it is not encrypted."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check a text. Raises ValueError, whose text says what is wrong."""
        place = super().__new__(cls, text)
        if place.path is None:
            place._check_address()
        elif not place.path.is_absolute():
            raise ValueError(f"expected an absolute path after {_UNIX}")
        return place

    @property
    def path(self) -> Path | None:
        """The Unix socket's path, if it is one."""
        return Path(self.removeprefix(_UNIX)) if self.startswith(_UNIX) else None

    @property
    def address(self) -> tuple[str, int]:
        """The IP address and the port, if it is none."""
        host, _, port = self.rpartition(":")
        return host.strip("[]"), int(port)

    def _check_address(self) -> None:
        import ipaddress  # noqa: PLC0415 - few settings have an address

        try:
            host, port = self.address
            is_local = ipaddress.ip_address(host).is_loopback
        except ValueError:
            raise ValueError(f"expected 127.0.0.1:PORT, [::1]:PORT or {_UNIX}PATH") from None
        if not is_local or not 0 <= port <= 0xFFFF:
            raise ValueError(
                "expected a loopback address and a port; for other machines put a proxy with TLS before it"
            )


def listen_at(place: HttpPlace, mode: int = 0o600, group: str | None = None) -> Listener:
    """Listen at a place; the mode and the group are a Unix socket's. Port 0 is any that is free.

    Raises:
        StartError: it cannot be listened at.

    """
    if place.path is not None:
        return listen(place.path, mode, group)
    host, port = place.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise StartError(f"{place} cannot be listened at: {error.strerror}.") from None
    bound = listening.getsockname()
    return Listener(listening, Path(f"{host}:{bound[1]}"), None)
