# SPDX-License-Identifier: Apache-2.0
"""Tables fold nothing, steer no terminal, and leave no blanks behind."""

import io

import pytest
import rich.console

from softee.cli.tables import Styled, busy, print_fields, print_table

LONG = "/a" * 100


def test_a_cell_is_as_long_as_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table(("name", "path", "more"), [("one", LONG, ""), ("two", Styled("/b", "red"), "x")])
    header, first, second = capsys.readouterr().out.splitlines()
    assert first == f"one   {LONG}"
    assert second == f"two   /b{' ' * 198}  x"
    assert header.index("more") == second.index("x")


def test_what_is_wide_on_a_terminal_takes_two_places(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("label", "id"), [("鍵", "01"), ("keys", "02")])
    assert capsys.readouterr().out.splitlines()[1:] == ["鍵     01", "keys   02"]


def test_no_cell_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields([("label", "\x1b[2J"), ("styled", Styled("a\nb", "red"))])
    assert capsys.readouterr().out == "what    value\nlabel   \\x1b[2J\nstyled  a\\nb\n"


def test_on_a_terminal_one_sees_that_something_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = rich.console.Console(file=shown, force_terminal=True)
    monkeypatch.setattr(rich.console, "Console", lambda **_: console)
    with busy("It takes its time."):
        pass
    assert "It takes its time." in shown.getvalue()


def test_elsewhere_nothing_is_said_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with busy("It takes its time."):
        pass
    assert capsys.readouterr() == ("", "")
