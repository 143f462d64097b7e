# SPDX-License-Identifier: Apache-2.0
"""Where the command line looks for a secure world, and where it puts one."""

from pathlib import Path

import pytest

from softee.cli import secure_world
from softee.cli.failure import CliError
from softee.cli.places import require_answering_socket
from softee.cli.secure_world import LONGEST_DIRECTORY, paths_from_settings, private_directory
from softee.cli.settings import settings_from


def test_where_nothing_answers_one_is_told_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="softee serve"):
        require_answering_socket(tmp_path / "none.sock")


def test_a_private_directory_is_short_private_and_goes_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("d" * 100)))
    with private_directory() as made:
        assert len(str(made)) <= LONGEST_DIRECTORY + 20
        assert made.stat().st_mode & 0o777 == 0o700
        (made / "file").touch()
    assert not made.exists()


def test_relative_paths_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_from(state=Path("token")).state == tmp_path / "token"
    assert paths_from_settings(Path("token"), None, Path("log")).log == tmp_path / "log"


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "softee.toml").write_text("slotz = 3\n")
    with pytest.raises(CliError, match="slotz"):
        settings_from(config=tmp_path / "softee.toml")


def test_the_log_stands_in_the_state_by_default(tmp_path: Path) -> None:
    paths = paths_from_settings(tmp_path / "token", tmp_path / "key", None)
    assert paths == secure_world.StartPaths(tmp_path / "token", tmp_path / "key", tmp_path / "token" / "softee.log")
