# SPDX-License-Identifier: Apache-2.0
"""Where the Python client looks for a secure world, and which of several it takes."""

import os
from pathlib import Path

import pytest

from softee.client import NotRunningError, TeeClient, is_trusted, socket_paths
from support.echo_application import EchoApplication
from support.secure_world import running_server, short_directory

SYSTEM = Path("/run/softee/tee.sock")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("softee.client.settings.CLIENT_SETTINGS", str(tmp_path / "client.conf"))
    for variable in ("SOFTEE_SOCKET", "XDG_RUNTIME_DIR", "SOFTEE_SERVER_UID"):
        monkeypatch.delenv(variable, raising=False)


def test_a_named_socket_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTEE_SOCKET", "/a/b.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert socket_paths() == [Path("/a/b.sock")]


def test_the_users_socket_comes_before_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    assert socket_paths() == [SYSTEM]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert socket_paths() == [Path("/run/user/1/softee/tee.sock"), SYSTEM]


@pytest.mark.parametrize("runtime", ["", "run/user/1", "."])
def test_a_runtime_directory_that_is_no_absolute_path_does_not_count(
    monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    assert socket_paths() == [SYSTEM]


def test_roots_file_names_the_systems_socket_where_no_variable_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "client.conf"
    file.write_text("socket = /srv/tee.sock\nserver_uid = 4242\n")
    file.chmod(0o644)
    status = os.stat_result((0o100644, *[0] * 9))  # as if it were root's
    monkeypatch.setattr("softee.client.settings.os.fstat", lambda _: status)
    assert socket_paths() == [Path("/srv/tee.sock")]
    assert [is_trusted(uid) for uid in (4242, 4243)] == [True, False]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert socket_paths() == [Path("/run/user/1/softee/tee.sock"), Path("/srv/tee.sock")]
    monkeypatch.setenv("SOFTEE_SOCKET", "/a/b.sock")
    monkeypatch.setenv("SOFTEE_SERVER_UID", "4243")
    assert socket_paths() == [Path("/a/b.sock")]
    assert [is_trusted(uid) for uid in (4242, 4243)] == [False, True]


@pytest.mark.parametrize("text", [b"socket = /srv/tee.sock\n" + b"#" * 4096, b"socket = /srv/tee.sock\n\0"])
def test_roots_file_does_not_count_where_it_is_too_long_or_no_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: bytes
) -> None:
    (tmp_path / "client.conf").write_bytes(text)
    monkeypatch.setattr("softee.client.settings.os.fstat", lambda _: os.stat_result((0o100644, *[0] * 9)))
    assert socket_paths() == [SYSTEM]


@pytest.mark.parametrize("mode", [0o100664, 0o100646, 0o010644])
def test_attack_a_file_that_root_alone_has_not_written_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
) -> None:
    (tmp_path / "client.conf").write_text("socket = /srv/tee.sock\n")
    monkeypatch.setattr("softee.client.settings.os.fstat", lambda _: os.stat_result((mode, *[0] * 9)))
    assert socket_paths() == [SYSTEM]


def test_the_first_that_answers_is_taken_and_not_the_first_whose_file_exists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left_over = tmp_path / "tee.sock"
    left_over.touch()
    with running_server([EchoApplication()]) as path:
        monkeypatch.setattr("softee.client.connection.socket_paths", lambda: [left_over, path])
        with TeeClient() as client:
            assert client.path == path


def test_where_nobody_answers_every_place_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with short_directory() as directory:
        monkeypatch.setattr("softee.client.connection.socket_paths", lambda: [directory / "a", directory / "b"])
        with pytest.raises(NotRunningError, match=rf"at {directory}/a: No such file .*at {directory}/b: No such file"):
            TeeClient()


def test_a_path_of_108_bytes_is_told_and_not_cut(tmp_path: Path) -> None:
    path = tmp_path / ("x" * (107 - len(str(tmp_path))))
    assert len(str(path)) == 108
    with pytest.raises(NotRunningError, match="longer than 107 bytes"):
        TeeClient(path)


def test_a_path_of_107_bytes_works() -> None:
    with running_server([EchoApplication()]) as path:
        link = path.parent / ("x" * (106 - len(str(path.parent))))
        link.symlink_to(path)
        assert len(str(link)) == 107
        TeeClient(link).close()
