# SPDX-License-Identifier: Apache-2.0
"""Where the command line looks for a secure world, and where it puts one."""

import os
import tempfile
from pathlib import Path

import pytest

from softee.cli import secure_world
from softee.cli.failure import CliError
from softee.cli.places import require_answering_socket, why_forbidden
from softee.cli.secure_world import LONGEST_DIRECTORY, paths_from_settings, private_directory
from softee.cli.settings import settings_from
from softee.daemon.root_key.source import RootKeySource


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


def test_without_a_directory_for_the_socket_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> str:
        raise PermissionError

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with pytest.raises(CliError, match="no writable directory with a short path"), private_directory():
        pass


@pytest.mark.parametrize(
    ("mode", "gid", "why"),
    [
        (0o600, 0, "may be used by uid {uid} alone"),
        (0o660, 0, "may be used by the members of the group root, and this user is none"),
        (0o660, 12345678, "may be used by the members of the group 12345678, and this user is none"),
    ],
)
def test_a_socket_that_is_others_is_said_to_be_theirs(
    mode: int, gid: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = tmp_path / "tee.sock"
    socket.touch()
    found = os.stat_result((mode, 0, 0, 1, 0, gid, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda *_, **__: found)
    monkeypatch.setattr(os, "access", lambda *_: False)
    forbidden = why_forbidden(socket)
    assert forbidden
    assert why.format(uid=0) in forbidden[0]
    with pytest.raises(CliError, match=f"^{socket} may be used by .*; ask for that"):
        require_answering_socket(socket)


def test_a_directory_that_may_not_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> os.stat_result:
        raise PermissionError

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(CliError, match=f"this user may not enter {tmp_path};"):
        require_answering_socket(tmp_path / "tee.sock")


def test_what_may_be_used_and_what_is_not_there_is_not_forbidden(tmp_path: Path) -> None:
    (tmp_path / "tee.sock").touch()
    assert why_forbidden(tmp_path / "tee.sock") is None
    assert why_forbidden(tmp_path / "none.sock") is None


def test_relative_paths_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_from(state=Path("token")).state == tmp_path / "token"
    assert paths_from_settings(Path("token"), None, Path("log")).log == tmp_path / "log"


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "softee.toml").write_text("slotz = 3\n")
    with pytest.raises(CliError, match="slotz"):
        settings_from(config=tmp_path / "softee.toml")


def test_the_log_stands_in_the_state_by_default(tmp_path: Path) -> None:
    paths = paths_from_settings(tmp_path / "token", str(tmp_path / "key"), None)
    source = RootKeySource(str(tmp_path / "key"))
    assert paths == secure_world.StartPaths(tmp_path / "token", source, tmp_path / "token" / "softee.log")
