# SPDX-License-Identifier: Apache-2.0
"""``softee completion``: what makes a shell complete softee's command line."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_SOFTEE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete softee's command line.

    For bash: softee completion bash > ~/.local/share/bash-completion/completions/softee
    """
    found = get_completion_class(shell)
    if found is None:
        raise TypeError(f"click has no completion for {shell}")
    click.echo(found(ctx.find_root().command, {}, "softee", VARIABLE).source())
