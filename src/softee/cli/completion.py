# SPDX-License-Identifier: Apache-2.0
"""``softee completion``: what makes a shell complete softee's command line."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

VARIABLE = "_SOFTEE_COMPLETE"
SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete softee's command line.

    For bash: softee completion bash > ~/.local/share/bash-completion/completions/softee
    """
    click.echo(SHELLS[shell](ctx.find_root().command, {}, "softee", VARIABLE).source())
