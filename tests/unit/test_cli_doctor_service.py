# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at the socket: nobody serves it, or somebody else does."""

import os
import socket
from pathlib import Path

import pytest

from softee.cli.doctor import service
from softee.cli.doctor.finding import Verdict
from softee.cli.doctor.service import check_service
from support.echo_application import EchoApplication
from support.secure_world import running_server


@pytest.fixture(autouse=True)
def _runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SOFTEE_SOCKET", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "softee").mkdir()


def default(tmp_path: Path) -> Path:
    return tmp_path / "softee" / "tee.sock"


def test_a_file_that_is_no_socket_is_wrong(tmp_path: Path) -> None:
    default(tmp_path).touch()
    (finding,) = check_service(default(tmp_path))
    assert finding.verdict == Verdict.WRONG
    assert "is no socket" in finding.what


def test_a_socket_on_which_nothing_answers_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(default(tmp_path).parent)  # the test's own path may be longer than a socket's
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind("tee.sock")
    (finding,) = check_service(default(tmp_path))
    assert (finding.check, finding.verdict) == ("secure world", Verdict.WRONG)
    assert "softee serve" in finding.mend


def test_settings_whose_socket_no_application_finds_are_warned_of(tmp_path: Path) -> None:
    default(tmp_path).touch()
    first, _ = check_service(tmp_path / "elsewhere.sock")
    assert first.verdict == Verdict.WARNING
    assert first.mend.startswith(f"export SOFTEE_SOCKET={tmp_path}/elsewhere.sock")


def test_a_socket_that_is_named_is_not_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOFTEE_SOCKET", str(default(tmp_path)))
    default(tmp_path).touch()
    (finding,) = check_service(tmp_path / "elsewhere.sock")
    assert "is no socket" in finding.what


def test_a_secure_world_of_another_user_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.client.connection.peer_uid", lambda _: 4242)
    with running_server([EchoApplication()]) as path:
        monkeypatch.setenv("SOFTEE_SOCKET", str(path))
        (finding,) = check_service(path)
    assert (finding.check, finding.verdict) == ("socket", Verdict.WRONG)
    assert "belongs to uid 4242, so the shared object refuses it" in finding.what
    assert finding.mend == "if that is right: export SOFTEE_SERVER_UID=4242"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_socket_file_of_another_user_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server([EchoApplication()]) as path:
        os.chown(path, 4242, 4242)
        monkeypatch.setenv("SOFTEE_SOCKET", str(path))
        (finding,) = check_service(path)
    assert "belongs to uid 4242" in finding.what


def test_a_left_over_socket_before_one_that_answers_is_not_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    default(tmp_path).touch()
    with running_server([EchoApplication()]) as path:
        monkeypatch.setattr(service, "socket_paths", lambda: [default(tmp_path), path])
        monkeypatch.setattr(service, "_check_tokens", lambda _: iter(()))
        (finding,) = check_service(path)
    assert (finding.check, finding.verdict) == ("secure world", Verdict.GOOD)
