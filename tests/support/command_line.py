# SPDX-License-Identifier: Apache-2.0
"""Calls softee's command line in this process, with what the process around it would turn into words and a status."""

from collections.abc import Iterator, Mapping

import click

from softee.cli.main import softee
from softee.cli.options import Output


def call(*arguments: object) -> int:
    """Run a command and return its exit status. Raises CliError or click's UsageError where it fails."""
    status: int | None = softee.main([str(one) for one in arguments], standalone_mode=False, obj=Output())
    return status or 0


def options(named: Mapping[str, object]) -> list[str]:
    """Return options, by their names without the hyphens before them, as arguments."""
    return [str(argument) for name, value in named.items() for argument in (f"--{name}", value)]


def leaves(group: click.Group = softee, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, by its name in full."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")
        else:
            yield before + name, command
