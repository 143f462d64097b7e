# SPDX-License-Identifier: Apache-2.0
"""What the generators share: files are written where they are stale, and with --check only told of."""

import sys
from pathlib import Path

import pytest

import generation

FILES = {"folder/made": lambda: "new\n", "kept": lambda: "same\n"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(generation, "ROOT", tmp_path)
    (tmp_path / "kept").write_text("same\n")
    return tmp_path


def test_our_commands_are_numbered_in_hexadecimal() -> None:
    assert [generation.command_number(number) for number in (0, 52, 0xFFF, 0x1000, 0x10F0)] == [
        *("0", "52", "4095", "0x1000", "0x10f0"),
    ]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["tools/gen_some.py", *arguments])
    return generation.main("Write some.", FILES)


@pytest.mark.parametrize("before", [None, "old\n"])
def test_a_stale_file_is_noticed_and_left(
    root: Path, before: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = root / "folder" / "made"
    if before is not None:
        made.parent.mkdir()
        made.write_text(before)
    assert run(monkeypatch, "--check") == 1
    assert capsys.readouterr().out == "folder/made: stale, run tools/gen_some.py\n"
    assert (made.read_text() if made.exists() else None) == before


def test_stale_files_are_written_and_then_good(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out == "folder/made: written\n"
    assert (root / "folder" / "made").read_text() == "new\n"
    assert run(monkeypatch, "--check") == 0
    assert capsys.readouterr().out == ""
