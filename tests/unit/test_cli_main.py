# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: exit statuses, failures in words and in JSON, completion."""

import json

import click
import pytest

from softee import __version__
from softee.cli import main as command_line
from softee.cli.completion import SHELLS
from softee.cli.failure import CliError
from softee.cli.lazy import LazyGroup, Row
from softee.cli.main import main, softee

Captured = pytest.CaptureFixture[str]


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_given_and_lists_every_command(asked: str, capsys: Captured) -> None:
    assert status(asked) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in softee.rows)
    assert status("key", asked) == 0
    assert "generate" in capsys.readouterr().out


def test_the_version_is_told(capsys: Captured) -> None:
    assert status("--version") == 0
    assert capsys.readouterr().out == f"softee, version {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("key",)])
def test_a_group_without_a_command_gives_its_help_as_wrong_usage(arguments: tuple[str, ...], capsys: Captured) -> None:
    assert status(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Usage: softee")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--nope",), "No such option '--nope'; `softee --help` shows what it takes."),
        (("nope",), "No such command 'nope'; `softee --help` shows what it takes."),
        (("serve", "--profile", "loose"), "'loose' is not one of 'portable', 'optee', 'strict'"),
        (("serve", "--slots", "0"), "0 is not in the range 1<=x<=64"),
        (("serve", "--log-level", "loud"), "'loud' is not one of 'debug'"),
        (("run",), "Missing argument 'COMMAND...'"),
        (("run", "--keys", "ed25519", "true"), "--keys are made on the token of --ephemeral"),
        (("run", "--ephemeral", "--state", "x", "true"), "--ephemeral makes its own state"),
        (("run", "--ephemeral", "--keys", "rsa:7", "true"), "There is no kind of keys 'rsa:7'; there are rsa:2048"),
        (("key", "show"), "Name the key by --id"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_sentence_with_status_2(
    arguments: tuple[str, ...], sentence: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_MODULE", "/nonexistent.so")
    expected = 1 if arguments == ("key", "show") else 2
    assert status(*arguments) == expected
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("softee: ")
    assert captured.err.count("\n") == 1
    assert expected == 1 or sentence in captured.err


@pytest.mark.parametrize("arguments", [("status", "--nope", "--json"), ("status", "--json", "--nope")])
def test_wrong_usage_is_told_in_json_to_whom_asks_for_it(arguments: tuple[str, ...], capsys: Captured) -> None:
    assert status(*arguments) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": captured.err.removeprefix("softee: ").rstrip("\n")}


def test_a_failure_is_told_in_json_to_whom_asks_for_it(capsys: Captured) -> None:
    assert status("status", "--socket", "/nonexistent/tee.sock", "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"].startswith("No secure world answers on /nonexistent/tee.sock")
    assert status("status", "--socket", "/nonexistent/tee.sock") == 1
    assert capsys.readouterr().out == ""


def test_what_a_command_is_given_for_another_program_asks_for_no_json(capsys: Captured) -> None:
    assert status("run", "--nope", "--", "program", "--json") == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("interruption", [click.Abort, KeyboardInterrupt])
def test_what_is_interrupted_ends_with_130(
    interruption: type[BaseException], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise interruption

    monkeypatch.setattr(command_line.softee, "main", interrupted)
    assert status("status") == 130
    assert capsys.readouterr().err == "softee: Interrupted.\n"


def test_a_usage_error_without_a_command_is_a_sentence(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise click.UsageError("This is wrong.")

    monkeypatch.setattr(command_line.softee, "main", wrong)
    assert status("status") == 2
    assert capsys.readouterr().err == "softee: This is wrong.\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_told_how_to_complete(shell: str, capsys: Captured) -> None:
    assert status("completion", shell) == 0
    assert "_SOFTEE_COMPLETE" in capsys.readouterr().out


def test_commands_and_options_are_completed_without_an_import() -> None:
    rows = {"one": Row("nonexistent.module", "The first."), "other": Row("nonexistent.module", "The second.")}
    group = LazyGroup("group", "A group.", rows)
    context = click.Context(group, help_option_names=["-h", "--help"])
    assert [item.value for item in group.shell_complete(context, "on")] == ["one"]
    assert [item.help for item in group.shell_complete(context, "o")] == ["The first.", "The second."]
    assert "--help" in [item.value for item in group.shell_complete(context, "-")]


def test_a_row_that_leads_to_no_command_is_a_mistake_of_ours() -> None:
    group = LazyGroup("group", "A group.", {"path": Row("os", "A module.")})
    with pytest.raises(TypeError, match="path is no command"):
        group.get_command(click.Context(group), "path")


def test_a_sentence_steers_no_terminal(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in it may be whatever somebody gave a token as its label."""

    def failing(*_: object, **__: object) -> None:
        raise CliError("The token \x1b[2Jx is gone.")

    monkeypatch.setattr(command_line.softee, "main", failing)
    assert status("status") == 1
    assert capsys.readouterr().err == "softee: The token \\x1b[2Jx is gone.\n"


def test_a_failure_has_a_status() -> None:
    assert CliError("It failed.").status == 1
