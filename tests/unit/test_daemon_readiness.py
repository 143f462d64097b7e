# SPDX-License-Identifier: Apache-2.0
"""Telling that the secure world serves: a courtesy, whose failure stops nothing."""

import os
import socket
from pathlib import Path

from softee.daemon.readiness import notify_ready
from support.secure_world import short_directory


def test_the_service_manager_and_whoever_holds_the_pipe_are_told() -> None:
    readable, writable = os.pipe()
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(directory / "notify"))
        environment = {"NOTIFY_SOCKET": str(directory / "notify"), "OTHER": "x"}
        notify_ready(environment, writable)
        assert manager.recv(100) == b"READY=1"
    with os.fdopen(readable, "rb") as pipe:
        assert pipe.read() == b"\n"
    assert environment == {"OTHER": "x"}, "what is started later must not speak for this process"


def test_an_abstract_socket_is_found() -> None:
    name = f"softee-ready-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        notify_ready({"NOTIFY_SOCKET": f"@{name}"}, None)
        assert manager.recv(100) == b"READY=1"


def test_nobody_who_listens_is_no_error(tmp_path: Path) -> None:
    readable, writable = os.pipe()
    os.close(readable)
    notify_ready({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, writable)
    os.close(writable)
