# SPDX-License-Identifier: Apache-2.0
"""Commands that are imported when they are called, so that a quick one need not wait for what others import."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class Row:
    """A command of a group: the module that has it, under the command's name, and what it does in one line.

    In the module, underscores stand in the place of hyphens, and one after a name that Python has already (list_).
    """

    module: str
    sentence: str


class LazyGroup(click.Group):
    """A command that has others below it. Its help and its completion tell of them without importing them."""

    def __init__(self, name: str, help_text: str, rows: Mapping[str, Row]) -> None:
        """Take the rows by the commands' names, in the order of the help."""
        super().__init__(name, help=help_text, no_args_is_help=True)
        self.rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the names."""
        return list(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Import a command."""
        if cmd_name not in self.rows:
            return None
        module = import_module(self.rows[cmd_name].module)
        name = cmd_name.replace("-", "_")
        command = getattr(module, name, None) or getattr(module, f"{name}_")
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is no command")
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        """Write the part of the help that lists the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.sentence) for name, row in self.rows.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        """Return what may follow: commands, or options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell that completes needs it

        found = [CompletionItem(name, help=row.sentence) for name, row in self.rows.items()]
        commands = [item for item in found if item.value.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]
