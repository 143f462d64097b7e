# SPDX-License-Identifier: Apache-2.0
"""Options that several sub-commands have. What is behind them is imported by those who use it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

PROFILES: Final = ("portable", "optee", "strict")
LEVELS: Final = ("debug", "info", "warning", "error")
JSON: Final = "as_json"
"""The parameter of the commands that can answer in JSON."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass
class Output:
    """How a command answers: ``json`` where --json was given. It is the object of click's contexts."""

    json: bool = False


def path(
    option: str, help_text: str, metavar: str = "FILE", *, required: bool = False, variable: str | None = None
) -> Decorator:
    """Return an option that takes a path, or has it from a variable."""
    of = click.Path(path_type=Path)
    return click.option(option, type=of, metavar=metavar, help=help_text, required=required, envvar=variable)


def _note_json(ctx: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - as click calls it
    ctx.ensure_object(Output).json = value
    return value


config_option = path("--config", "A settings file instead of the default one.")
state_option = path("--state", "The state directory: the sealed database.", "DIR")
socket_option = path("--socket", "The Unix socket.", "PATH")
root_key_option = click.option(
    "--root-key", metavar="SOURCE", help="The file of the root key, made where missing, or another source of it."
)
out_option = path("--out", "A file for the result, instead of stdout.")
pin_file_option = path("--pin-file", "A file whose first line is the PIN; else SOFTEE_PIN, or a prompt.")
json_option = click.option(
    "--json", JSON, is_flag=True, is_eager=True, callback=_note_json, help="Print one JSON document, also of a failure."
)
yes_option = click.option("--yes", is_flag=True, help="Destroy it without a question.")
profile_option = click.option(
    "--profile", type=click.Choice(PROFILES), help="The profile of slots whose settings name none."
)
