# SPDX-License-Identifier: Apache-2.0
"""The ``softee`` command: its sub-commands, and the one place where a failure becomes a sentence and an exit status.

A sub-command is imported when it is called, so that a quick one need not wait for what others import.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from softee.cli.failure import CliError

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "serve": "softee.cli.serve",
        "run": "softee.cli.run",
        "module": "softee.cli.module",
        "status": "softee.cli.status",
        "doctor": "softee.cli.doctor.command",
        "demo": "softee.cli.demo.command",
        "bench": "softee.cli.bench.command",
        "key": "softee.cli.key",
        "attestation": "softee.cli.attestation",
        "root-key": "softee.cli.root_key",
        "verify": "softee.cli.verify",
    }
)
"""By name, in the order of the help: the module that has a function, or a Typer with commands, of that name
(with ``_`` for ``-``)."""

_SETTINGS: Final[Mapping[str, dict[str, Any]]] = {"run": {"allow_interspersed_args": False}}
"""What follows the command that is to be run is that command's."""


class LazyGroup(TyperGroup):
    """The sub-commands."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the names."""
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002 - likewise
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        group = found if isinstance(found, typer.Typer) else typer.Typer(add_completion=False)
        if group is not found:
            group.command(cmd_name, context_settings=_SETTINGS.get(cmd_name))(found)
        command = typer.main.get_command(group)
        if not isinstance(command, TyperCommand | TyperGroup):
            raise TypeError(f"{cmd_name} is no command")
        command.name = cmd_name
        return command


app = typer.Typer(
    name="softee",
    cls=LazyGroup,
    help="OP-TEE's PKCS#11 token on any Linux machine: keys that applications use but never hold.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def softee() -> None:
    """Do what the sub-command says: without a callback there would be no group of them."""


def main() -> None:
    """Run the command line. A CliError is told in one line on stderr."""
    try:
        app()
    except CliError as error:
        print(f"softee: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        sys.exit(error.status)
