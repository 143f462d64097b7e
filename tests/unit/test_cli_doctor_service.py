# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at the socket: nobody serves it, or somebody else does."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
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


def test_no_socket_at_all_is_wrong(tmp_path: Path) -> None:
    (finding,) = check_service(default(tmp_path))
    assert (finding.check, finding.verdict) == ("socket", Verdict.WRONG)
    assert "there is no socket" in finding.what


@contextmanager
def socket_at(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path.name)
        yield


def test_a_socket_of_another_user_is_wrong_unless_it_is_expected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket_at(default(tmp_path), monkeypatch):
        owner = default(tmp_path).stat().st_uid or 12345
        if os.geteuid() == 0:
            os.chown(default(tmp_path), owner, -1)
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        (finding,) = check_service(default(tmp_path))
        assert finding.verdict == Verdict.WRONG
        assert finding.mend == f"if that is right: export SOFTEE_SERVER_UID={owner}"
        monkeypatch.setenv("SOFTEE_SERVER_UID", str(owner))
        (finding,) = check_service(default(tmp_path))
        assert "nothing answers" in finding.what


def test_a_socket_that_this_user_may_not_use_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with socket_at(default(tmp_path), monkeypatch):
        (finding,) = check_service(default(tmp_path))
    assert (finding.verdict, " alone" in finding.what or " group " in finding.what) == (Verdict.WRONG, True)


def test_a_secure_world_that_applications_do_not_find_is_wrong(tmp_path: Path) -> None:
    with running_server([EchoApplication()]) as served:
        first, second = check_service(served)
    assert (first.verdict, first.mend) == (Verdict.WRONG, f"export SOFTEE_SOCKET={served}")
    assert f"there is no socket {default(tmp_path)}" in second.what


def test_a_secure_world_without_the_token_application_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server([EchoApplication()]) as served:
        monkeypatch.setenv("SOFTEE_SOCKET", str(served))
        answers, tokens = check_service(served)
    assert answers.verdict == Verdict.GOOD
    assert (tokens.check, tokens.verdict) == ("tokens", Verdict.WRONG)
    assert "ITEM_NOT_FOUND" in tokens.what


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


def test_a_socket_in_a_directory_that_may_not_be_entered_is_told_from_one_that_is_absent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: object, **__: object) -> os.stat_result:
        raise PermissionError

    monkeypatch.setattr(service, "answers", lambda _: False)
    monkeypatch.setattr(Path, "stat", refused)
    (finding,) = check_service(default(tmp_path))
    assert (finding.check, finding.verdict) == ("socket", Verdict.WRONG)
    assert "cannot be seen by this user" in finding.what
