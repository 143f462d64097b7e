# SPDX-License-Identifier: Apache-2.0
"""Whether a secure world answers where applications look for one (softee.client.places)."""

import grp
import os
import stat
from pathlib import Path

from softee.cli.failure import CliError
from softee.client import ClientError, TeeClient, UntrustedError, socket_paths


def why_not(socket: Path) -> ClientError | None:
    """Return why a client cannot use the secure world on a socket; None where one answers."""
    try:
        TeeClient(socket).close()
    except ClientError as error:
        return error
    return None


def answers(socket: Path) -> bool:
    """Tell whether a secure world that this user trusts answers on a socket."""
    return why_not(socket) is None


def answering_socket() -> Path | None:
    """Return the first of the clients' sockets on which a secure world answers, or None."""
    return next(filter(answers, socket_paths()), None)


def require_answering_socket(named: Path | None) -> Path:
    """Return ``named``, or else the socket that answers.

    Raises:
        CliError: nothing answers, or somebody else's secure world alone.

    """
    tried = [named] if named else socket_paths()
    failures: list[ClientError] = []
    for socket in tried:
        failure = why_not(socket)
        if failure is None:
            return socket
        failures.append(failure)
    raise CliError(_sentence(tried, failures))


def _sentence(tried: list[Path], failures: list[ClientError]) -> str:
    foreign = next((failure for failure in failures if isinstance(failure, UntrustedError)), None)
    if foreign:
        return f"Another user's secure world is not used: {foreign}."
    forbidden = next(filter(None, map(why_forbidden, tried)), None)
    if forbidden:
        return f"{forbidden[0]}; {forbidden[1]}."
    places = " or ".join(map(str, tried))
    return f"No secure world answers on {places}; start one with `softee serve`, or use `softee run`."


def why_forbidden(socket: Path) -> tuple[str, str] | None:
    """Return why this user may not connect to a socket, and what to do; None where he may, or where there is none."""
    try:
        status = socket.stat()
    except PermissionError:
        return f"{socket} cannot be reached: this user may not enter {socket.parent}", _OWN
    except OSError:
        return None
    if os.access(socket, os.W_OK):
        return None
    if not status.st_mode & stat.S_IWGRP:
        return f"{socket} may be used by uid {status.st_uid} alone", _OWN
    return f"{socket} may be used by the members of the group {_group(status.st_gid)}, and this user is none", _OWN


_OWN = "ask for that, or run your own with `softee run`"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
