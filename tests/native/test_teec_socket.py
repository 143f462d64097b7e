# SPDX-License-Identifier: Apache-2.0
"""How libteec.so.2 finds the secure world's socket, whom it trusts, and what it says where nothing answers."""

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from native.peer import Peer, serving
from native.teec_shell import API, BAD_STATE, COMMUNICATION, SECURITY, Shell


def test_no_secure_world_is_one_line_and_an_error(native_build: Path, tmp_path: Path) -> None:
    with Shell(native_build, tmp_path / "tee.sock") as shell:
        assert [shell("init"), shell("init")] == [COMMUNICATION, COMMUNICATION]
        assert shell("open 0") == f"{BAD_STATE} {API}"
    assert shell.complaints.count("\n") == 1
    assert shell.complaints.startswith(f"softee: nothing answers at {tmp_path}/tee.sock (No such file or directory); ")
    assert '"softee run -- COMMAND"' in shell.complaints
    assert '"softee serve"' in shell.complaints


@pytest.mark.parametrize("wanted", ["", "0", "yes"])
def test_nothing_is_written_to_what_may_be_a_network_connection(
    native_build: Path, tmp_path: Path, wanted: str
) -> None:
    with Shell(native_build, tmp_path / "tee.sock", SOFTEE_VERBOSE=wanted) as shell:
        assert shell("init") == COMMUNICATION
    assert shell.complaints == ""


def test_complaint_that_nobody_reads_does_not_kill(native_build: Path, tmp_path: Path) -> None:
    with Shell(native_build, tmp_path / "tee.sock") as shell:
        shell.deafen()
        assert [shell("init"), shell("init")] == [COMMUNICATION, COMMUNICATION]


def test_complaint_that_has_no_room_keeps_nobody_waiting(native_build: Path, tmp_path: Path) -> None:
    with Shell(native_build, tmp_path / "tee.sock") as shell:
        pipe = os.open(f"/proc/{shell.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(pipe, bytes(4096)):
                continue
        os.close(pipe)
        answers: list[str] = []
        init = threading.Thread(target=lambda: answers.append(shell("init")))
        init.start()
        init.join(60)
        at_once = list(answers)
        shell.deafen()  # what still waits goes on
        init.join()
    assert at_once == [COMMUNICATION]


def test_socket_that_nobody_serves_is_no_secure_world(native_build: Path, tmp_path: Path) -> None:
    with Peer(tmp_path / "tee.sock"):
        pass
    with Shell(native_build, tmp_path / "tee.sock") as shell:
        assert shell("init") == COMMUNICATION
    assert "Connection refused" in shell.complaints


def test_socket_path_beyond_107_bytes_is_told(native_build: Path, tmp_path: Path) -> None:
    path = tmp_path / ("x" * 100)
    with Shell(native_build, path) as shell:
        assert shell("init") == COMMUNICATION
    assert shell.complaints == f"softee: the socket's path is longer than 107 bytes: {path}\n"


def test_socket_path_of_107_bytes_works(native_build: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="softee") as directory:
        path = Path(directory) / ("x" * (107 - len(directory) - 1))
        with Peer(path), Shell(native_build, path) as shell:
            shell.connect()


def test_socket_of_the_user_is_the_default(native_build: Path, tmp_path: Path) -> None:
    (tmp_path / "softee").mkdir()
    with (
        Peer(tmp_path / "softee/tee.sock"),
        Shell(native_build, Path(), SOFTEE_SOCKET="", XDG_RUNTIME_DIR=str(tmp_path)) as shell,
    ):
        shell.connect()


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files and processes to other users")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may use."""
    directory = Path(tempfile.mkdtemp(prefix="softee"))
    directory.chmod(0o1777)
    yield directory
    shutil.rmtree(directory)


@as_root
def test_socket_file_of_a_stranger_is_not_trusted(native_build: Path, open_directory: Path) -> None:
    path = open_directory / "tee.sock"
    with Peer(path) as peer:
        os.chown(path, 1234, 1234)
        with Shell(native_build, path) as shell:
            assert shell("init") == SECURITY
        assert shell.complaints.startswith(f"softee: {path} belongs to neither root, nor you, nor the user")
        assert peer.hellos == [], "nothing is said to a stranger"
        with Shell(native_build, path, SOFTEE_SERVER_UID="1234") as shell:
            shell.connect()


@as_root
def test_socket_that_a_stranger_serves_is_not_trusted(native_build: Path, open_directory: Path) -> None:
    path = open_directory / "tee.sock"
    with serving(path, "1234"):
        os.chown(path, 0, 0)
        for named in ("", "1235", "12 34", "-1", "1234x", "0x4d2", "4294968530"):
            with Shell(native_build, path, SOFTEE_SERVER_UID=named) as shell:
                assert shell("init") == SECURITY
        with Shell(native_build, path, SOFTEE_SERVER_UID="1234") as shell:
            shell.connect()
