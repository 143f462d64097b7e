# SPDX-License-Identifier: Apache-2.0
"""The doctor says of the clients' settings what the libraries pass over in silence."""

import os
from pathlib import Path

import pytest

from softee.cli.doctor import files
from softee.cli.doctor.client_settings import check_client_settings
from softee.cli.doctor.finding import Finding, Verdict

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the file must be root's")


def found(file: Path, text: bytes, mode: int = 0o644) -> list[Finding]:
    file.write_bytes(text)
    file.chmod(mode)
    return list(check_client_settings(file))


def test_without_a_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(check_client_settings(tmp_path / "client.conf")) == []


@as_root
def test_good_settings_are_good(tmp_path: Path) -> None:
    (finding,) = found(tmp_path / "client.conf", b"# note\n\nsocket = /run/softee/tee.sock\nserver_uid = 971\n")
    assert finding.verdict == Verdict.GOOD


@as_root
def test_lines_that_are_passed_over_are_shown(tmp_path: Path) -> None:
    findings = found(tmp_path / "client.conf", b"scoket = /a\nserver_uid = softee\n")
    assert [finding.verdict for finding in findings] == [Verdict.WARNING] * 2
    assert "passed over: scoket = /a" in findings[0].what
    assert "passed over: server_uid = softee" in findings[1].what


@as_root
@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        (b"", 0o664, "could be written by others"),
        (b"#" * 5000, 0o644, "longer than 4096 bytes"),
        (b"socket = /a\0", 0o644, "no text"),
    ],
)
def test_a_file_that_does_not_count_is_told_with_the_reason(tmp_path: Path, text: bytes, mode: int, why: str) -> None:
    (finding,) = found(tmp_path / "client.conf", text, mode)
    assert finding.verdict == Verdict.WRONG
    assert why in finding.what


def test_what_is_no_file_or_cannot_be_seen_is_told(tmp_path: Path) -> None:
    (tmp_path / "client.conf").mkdir()
    (finding,) = check_client_settings(tmp_path / "client.conf")
    assert "is no file" in finding.what
    (tmp_path / "file").touch()
    (finding,) = check_client_settings(tmp_path / "file/client.conf")
    assert "cannot be read" in finding.what


def test_to_root_the_services_files_are_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        pw_uid = 971

    monkeypatch.setattr("softee.cli.doctor.files.os.geteuid", lambda: 0)
    monkeypatch.setattr("softee.cli.doctor.files.pwd.getpwnam", {"softee": Entry}.__getitem__)
    assert files._service_users() == {971}
    monkeypatch.setattr("softee.cli.doctor.files.pwd.getpwnam", {}.__getitem__)
    assert files._service_users() == set()
    monkeypatch.setattr("softee.cli.doctor.files.os.geteuid", lambda: 1000)
    assert files._service_users() == set()
