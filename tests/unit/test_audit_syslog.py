# SPDX-License-Identifier: Apache-2.0
"""The system's log gets a copy of the audit log, and holds nobody up."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from softee.daemon.audit.files import AuditFiles, log_files
from softee.daemon.audit.syslog import CopiedLines
from softee.tee.audit_chain import NOTHING
from softee.tee.audit_log import End
from support.secure_world import short_directory


def test_each_line_is_copied_and_a_system_s_log_that_is_away_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with short_directory() as directory:
        place, folder = directory / "log", directory / "audit"
        with closing(AuditFiles(folder, 1 << 20)) as files, closing(CopiedLines(files, place)) as lines:
            assert lines.resume(NOTHING) is End.WRITTEN
            lines.require_room()
            for number in (1, 2):
                lines.append(number, b"{}\n")
            assert caplog.text.count("the system's log takes no lines") == 1
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
                system.bind(str(place))
                lines.append(3, b'{"number":3}\n')
                assert system.recv(100) == b'<85>softee-audit: {"number":3}'
            lines.append(4, b"{}\n")
        assert caplog.text.count("the system's log takes no lines") == 2
        assert sum(path.read_bytes().count(b"\n") for path in log_files(folder)) == 4


def test_a_system_s_log_that_nobody_reads_holds_nobody_up(tmp_path: Path) -> None:
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(directory / "log"))
        with closing(AuditFiles(tmp_path / "audit", 1 << 24)) as files:
            with closing(CopiedLines(files, directory / "log")) as lines:
                for number in range(1, 600):
                    lines.append(number, b"x" * 1000 + b"\n")
            (path,) = log_files(tmp_path / "audit")
            assert path.stat().st_size == 599 * 1001
