# SPDX-License-Identifier: Apache-2.0
"""``softee health``, as the help has it. A plain one is answered by ``quick.py``, before all this is imported."""

from pathlib import Path

import click

from softee.cli.options import json_option, socket_option
from softee.cli.quick import tell_health


@click.command()
@socket_option
@json_option
@click.pass_context
def health(ctx: click.Context, *, socket: Path | None, as_json: bool) -> None:
    """Say at once whether the secure world is ready: for health checks of containers and services.

    Exits 0 where it is ready, 3 where it answers and something is wrong (the disk is full, the state was removed, a
    token is damaged, a worker is missing), which it says, and 1 where none answers. What is wrong it tells root and its
    own user alone; for others it is ready when it answers.
    """
    ctx.exit(tell_health(socket, as_json))
