# SPDX-License-Identifier: Apache-2.0
"""softee's command line in this process, on a token, by a module of the test's own: each command calls C_Finalize."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interop.tools import PIN, SO_PIN, Programs, copied_module
from softee.cli.failure import CliError
from support.command_line import call


@dataclass(frozen=True)
class CommandLine:
    """Calls commands and returns what they print."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> str:
        """Run a command that succeeds, and return its stdout."""
        assert call(*arguments) == 0
        return self.capsys.readouterr().out

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - whatever the command answers
        """Run a command that succeeds, and return the JSON that it answers."""
        return json.loads(self(*arguments, "--json"))

    def fails(self, *arguments: str, status: int = 1) -> str:
        """Run a command that fails, and return its sentence."""
        with pytest.raises(CliError) as failed:
            call(*arguments)
        assert self.capsys.readouterr().out == ""
        assert failed.value.status == status
        return str(failed.value)


def command_line(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Return the command line with a copy of the module, and with the PINs in variables."""
    monkeypatch.setenv("SOFTEE_SOCKET", str(programs.socket))
    return with_module(copied_module(programs.module, programs.directory), monkeypatch, capsys)


def with_module(module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Return the command line with a module."""
    monkeypatch.setenv("SOFTEE_MODULE", str(module))
    monkeypatch.setenv("SOFTEE_PIN", PIN)
    monkeypatch.setenv("SOFTEE_SO_PIN", SO_PIN)
    return CommandLine(capsys)
