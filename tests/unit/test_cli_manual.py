# SPDX-License-Identifier: Apache-2.0
"""The manual page and the README know every sub-command and every option, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path

import typer.main
from typer.core import TyperGroup

from softee.cli.main import app

ROOT = Path(__file__).parents[2]


def commands() -> dict[str, set[str]]:
    """Return the options of each sub-command, without those that are hidden."""
    return dict(leaves(typer.main.get_group(app)))


def leaves(group: TyperGroup, before: str = "") -> Iterator[tuple[str, set[str]]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, TyperGroup):
            yield from leaves(command, f"{before}{name} ")
            continue
        shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
        options = {option for parameter in shown for option in parameter.opts if option.startswith("--")}
        yield before + name, {option.removeprefix("--") for option in options}


def in_manual() -> dict[str, set[str]]:
    synopsis = (ROOT / "docs/man/softee.1").read_text().split(".Sh DESCRIPTION")[0].split(".Sh SYNOPSIS")[1]
    rows = [part for part in synopsis.split(".Nm\n") if ".Cm" in part]
    return {part.split(".Cm ", 1)[1].split("\n", 1)[0]: set(re.findall(r"Fl -([\w-]+)", part)) for part in rows}


def test_the_manual_has_every_command_with_its_options() -> None:
    assert in_manual() == commands()


def test_the_manual_explains_every_option() -> None:
    explained = set(re.findall(r"^\.It Fl -([\w-]+)", (ROOT / "docs/man/softee.1").read_text(), re.MULTILINE))
    assert explained == set().union(*commands().values())


def test_the_readme_has_every_command() -> None:
    listed = set(re.findall(r"^\| `softee ([\w -]+?)(?: -- .*)?`", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed == set(commands())
