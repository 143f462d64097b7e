# SPDX-License-Identifier: Apache-2.0
"""``softee status``: is a secure world there, and what is on its tokens."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from softee.cli.options import JsonOption, SocketOption
from softee.cli.places import require_answering_socket
from softee.cli.token_client import TokenInfo, token_client


def status(
    *,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the secure world that applications of this user would find, and its tokens. Exits 1 where there is none."""
    answering = require_answering_socket(socket)
    with token_client(answering) as client:
        tokens = client.tokens()
    if as_json:
        typer.echo(json.dumps(_as_dict(answering, tokens), indent=2))
        return
    console = Console()
    console.print(f"A secure world answers on {answering}.", soft_wrap=True, highlight=False)
    console.print(_table(tokens))


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


def _table(tokens: list[TokenInfo]) -> Table:
    table = Table("slot", "profile", "label", "serial", "flags", "sessions")
    for token in tokens:
        label = escape(token.label) if token.initialized else "[dim]uninitialized[/dim]"
        flags = ", ".join(token.flag_names())
        table.add_row(str(token.slot), token.profile, label, token.serial, flags, str(token.sessions))
    return table
