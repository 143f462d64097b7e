# SPDX-License-Identifier: Apache-2.0
"""``softee status``: is a secure world there, and what is on its tokens."""

from pathlib import Path

import click

from softee.cli.options import json_option, socket_option
from softee.cli.output import write_json
from softee.cli.places import require_answering_socket
from softee.cli.tables import Cell, Styled, print_table
from softee.cli.token_client import TokenInfo, token_client


@click.command()
@socket_option
@json_option
def status(*, socket: Path | None, as_json: bool) -> None:
    """Show the secure world that applications of this user would find, and its tokens. Exits 1 where there is none."""
    answering = require_answering_socket(socket)
    with token_client(answering) as client:
        tokens = client.tokens()
    if as_json:
        write_json(_as_dict(answering, tokens))
        return
    click.echo(f"A secure world answers on {answering}.\n")
    print_table(("slot", "profile", "label", "serial", "flags", "sessions"), map(_row, tokens))


def _as_dict(socket: Path, tokens: list[TokenInfo]) -> dict[str, object]:
    rows = [
        {
            "slot": token.slot,
            "profile": token.profile,
            "label": token.label if token.initialized else None,
            "serial": token.serial,
            "initialized": token.initialized,
            "flags": token.flag_names(),
            "sessions": token.sessions,
        }
        for token in tokens
    ]
    return {"socket": str(socket), "tokens": rows}


def _row(token: TokenInfo) -> tuple[Cell, ...]:
    label = token.label if token.initialized else Styled("uninitialized", "bright_black")
    flags = ", ".join(token.flag_names()) if token.initialized else ""  # of no token, they tell nothing
    return str(token.slot), token.profile, label, token.serial, flags, str(token.sessions)
