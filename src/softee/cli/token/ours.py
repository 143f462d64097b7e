# SPDX-License-Identifier: Apache-2.0
"""Which slot of the secure world that answers has a token, whichever module has shown it."""

from dataclasses import dataclass
from pathlib import Path

from softee.cli.cryptoki.module import Token
from softee.cli.places import answering_socket
from softee.cli.token_client import token_client


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of the secure world at a socket."""

    socket: Path
    slot: int


def place_of(token: Token) -> Place | None:
    """Return where a token is, by its serial number; None: no secure world answers, or it is none of its tokens.

    Raises:
        CliError: the secure world does not go on answering.

    """
    socket = answering_socket()
    if socket is None:
        return None
    with token_client(socket) as client:
        slots = [one.slot for one in client.tokens() if one.serial == token.serial]
    return Place(socket, slots[0]) if slots else None
