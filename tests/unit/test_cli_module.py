# SPDX-License-Identifier: Apache-2.0
"""softee module --install: real files at a place that stays."""

import json
from pathlib import Path

import pytest

from softee.cli import module as command
from softee.cli.failure import CliError
from softee.cli.library import INSTALLED
from softee.cli.module import FILES, install
from support.command_line import call


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    (tmp_path / "wheel").mkdir()
    for name in FILES:
        (tmp_path / "wheel" / name).write_text(name)
    return tmp_path / "wheel" / FILES[0]


def test_the_module_and_its_library_are_copied_and_take_the_place_of_old_ones(wheel: Path, tmp_path: Path) -> None:
    places = tmp_path / "lib" / "softee"
    for _ in range(2):
        made = install(wheel, places)
        assert made == places / FILES[0]
        assert {file.name: file.read_text() for file in places.iterdir()} == dict(zip(FILES, FILES, strict=True))
        assert not made.is_symlink()
        assert made.stat().st_mode & 0o777 == 0o755
        (places / FILES[1]).write_text("old")


def test_a_directory_that_cannot_be_written_to_is_told(wheel: Path) -> None:
    with pytest.raises(CliError, match=r"/proc/softee cannot be written to: .*; name another, or do it as root\."):
        install(wheel, Path("/proc/softee"))


@pytest.mark.parametrize(("options", "place"), [(["--install"], INSTALLED), (["--install", "x"], Path("x"))])
def test_the_place_is_the_one_that_is_named_or_below_usr_local(
    options: list[str], place: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "module_path", lambda: wheel)
    monkeypatch.setattr(command, "install", lambda module, where: where / module.name)
    assert call("module", *options) == 0
    assert capsys.readouterr().out == f"{place / FILES[0]}\n"


def test_without_a_place_the_path_of_the_installation_is_printed(
    wheel: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "module_path", lambda: wheel)
    assert call("module") == 0
    assert capsys.readouterr().out == f"{wheel}\n"
    assert call("module", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"module": str(wheel)}
