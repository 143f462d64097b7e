# SPDX-License-Identifier: Apache-2.0
"""The manual page and the README know every sub-command and every option, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from support.command_line import leaves

ROOT = Path(__file__).parents[2]


def commands() -> dict[str, set[str]]:
    """Return the options of each sub-command, without those that are hidden."""
    return {name: set(shown_options(command)) for name, command in leaves()}


def shown_options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if not getattr(parameter, "hidden", False):
            yield from (option.removeprefix("--") for option in parameter.opts if option.startswith("--"))


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
