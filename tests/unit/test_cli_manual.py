# SPDX-License-Identifier: Apache-2.0
"""The help, the manual page, docs/cli.md and the README agree; tests/unit/test_style.py compares what is generated."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from gen_docs_cli import manual, options, paragraphs
from softee.cli.lazy import LazyGroup
from softee.cli.main import softee
from support.command_line import leaves

ROOT = Path(__file__).parents[2]
COMMANDS = dict(leaves())
MANUAL = (ROOT / "docs/man/softee.1").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_each_of_its_options_say_what_they_do(name: str) -> None:
    command = COMMANDS[name]
    assert paragraphs(command)[0].endswith((".", "?"))
    for option, what in options(command):
        assert what.rstrip().endswith((".", "…")), option


@pytest.mark.parametrize("name", COMMANDS)
def test_the_manual_has_a_command_with_its_options(name: str) -> None:
    section = MANUAL.split(f"\n.Ss softee {name}\n", 1)[1].split("\n.S", 1)[0]
    shown = {f"-{one}" for one in re.findall(r"^\.It Fl (\S+)", section, re.MULTILINE)}
    assert shown == {option.split()[0] for option, _ in options(COMMANDS[name])}


def test_the_readme_names_commands_that_there_are() -> None:
    listed = set(re.findall(r"^\| `softee ([\w -]+?)(?: -- .*)?`", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert listed
    for name in listed:
        assert [one for one in COMMANDS if one == name or one.startswith(f"{name} ")], name


def test_the_manual_explains_every_variable_that_a_command_reads_or_sets() -> None:
    """A real OP-TEE's variables, and XDG's, it explains too."""
    sources = [path.read_text() for path in (ROOT / "src/softee").rglob("*.py")]
    named = set(re.findall(r"\bSOFTEE_[A-Z_]+\b", "\n".join(sources)))
    explained = set(re.findall(r"\b(?:SOFTEE|CKTEEC)_[A-Z_]+\b", MANUAL.split(".Sh ENVIRONMENT")[1].split(".Sh ")[0]))
    assert named <= explained


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_is_formatted_without_a_warning() -> None:
    done = subprocess.run(
        ["groff", "-mdoc", "-ww", "-Tutf8", "-z"], input=manual(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_group_says_in_its_help_what_the_commands_below_it_say_themselves() -> None:
    """The rows are not read from the commands, which the help does not import."""

    def compare(group: click.Command) -> None:
        if not isinstance(group, LazyGroup):
            return
        context = click.Context(group)
        for name in group.rows:
            command = group.get_command(context, name)
            assert command is not None
            assert command.name == name
            compare(command)

    compare(softee)
