# SPDX-License-Identifier: Apache-2.0
"""The real daemon as a service: what its manager hears, what signals do, and whom root becomes."""

import os
import pty
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import softee
from support.channel_attack import eventually
from support.secure_world import RunningDaemon, is_served, running_daemon, short_directory

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which root alone can")
both = pytest.mark.parametrize("workers", [1, 2])


@contextmanager
def notified() -> Iterator[socket.socket]:
    """Play the manager that a service notifies."""
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(directory / "notify"))
        manager.settimeout(20)
        yield manager


@contextmanager
def of_manager(manager: socket.socket, directory: Path, *variables: str, workers: int = 1) -> Iterator[RunningDaemon]:
    command = (sys.executable, "-P", "-m", "softee", "serve")
    environment = (f"NOTIFY_SOCKET={manager.getsockname()}", *variables)
    with running_daemon(
        directory, command=("env", *environment, *command), settings=f"workers = {workers}\n"
    ) as daemon:
        yield daemon


@both
def test_its_manager_hears_that_it_serves_reloads_and_ends(tmp_path: Path, workers: int) -> None:
    with notified() as manager, of_manager(manager, tmp_path, workers=workers) as daemon:
        assert manager.recv(100) == b"READY=1"
        daemon.process.send_signal(signal.SIGHUP)
        assert manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(100) == b"READY=1"
        assert daemon.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"


@both
def test_the_loop_that_serves_says_that_it_lives(tmp_path: Path, workers: int) -> None:
    with notified() as manager, of_manager(manager, tmp_path, "WATCHDOG_USEC=20000", workers=workers) as daemon:
        assert manager.recv(100) == b"READY=1"
        assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        daemon.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, daemon.process.pid, os.WSTOPPED | os.WNOWAIT)
        manager.settimeout(0)
        with suppress(BlockingIOError):
            while manager.recv(100):
                continue
        manager.settimeout(20)
        daemon.process.send_signal(signal.SIGCONT)
        assert manager.recv(100) == b"WATCHDOG=1"


@both
def test_sighup_reads_the_settings_anew_and_ends_nothing(tmp_path: Path, workers: int) -> None:
    with running_daemon(tmp_path, settings=f"workers = {workers}\n") as daemon:
        text = (tmp_path / "softee.toml").read_text()
        (tmp_path / "softee.toml").write_text(f'log_level = "debug"\nslots = 1\n{text}')
        daemon.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "the settings stay as they were: " in daemon.log())
        (tmp_path / "softee.toml").write_text(f'log_level = "debug"\nuser = "x"\n{text}')
        daemon.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "count" in daemon.log() and "after a restart: user" in daemon.log())
        assert "log_level is debug" in daemon.log()
        assert is_served(daemon.socket)
        assert eventually(lambda: " DEBUG softee." in daemon.log()), "of the workers, too"
        assert daemon.stop() == 0
        assert not daemon.socket.exists()


def test_it_ends_with_the_terminal_from_which_it_was_started(tmp_path: Path) -> None:
    with short_directory() as short:
        leader, terminal = pty.openpty()
        socket_path = short / "tee.sock"
        places = ("--state", tmp_path / "state", "--root-key", tmp_path / "root.key", "--socket", socket_path)
        command = [sys.executable, "-P", "-m", "softee", "serve", *map(str, places)]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, stdin=terminal, stdout=log, stderr=log)
        os.close(terminal)
        assert eventually(socket_path.exists)
        assert eventually(lambda: "ready at" in (tmp_path / "log").read_text())
        os.close(leader)  # who sat there has gone
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0
        assert not socket_path.exists()


def uids_of(pid: int) -> set[str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return set(next(line for line in lines if line.startswith("Uid:")).split()[1:])


def python_for_all() -> list[str] | None:
    """Return a Python like this one that every user can read, with what this one has; None where there is none."""
    site = sysconfig.get_path("purelib")
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python, libraries in ((sys.executable, ()), (system, (site,))):
        modules = ":".join([*libraries, str(Path(softee.__file__).parents[1])])
        command = ["env", f"PYTHONPATH={modules}", python, "-P"]
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        if (
            subprocess.run([*as_nobody, "-c", "import softee, msgspec"], capture_output=True, check=False).returncode
            == 0
        ):
            return command
    return None


@as_root
@both
def test_root_becomes_the_user_and_keeps_the_root_key_to_itself(workers: int) -> None:
    with short_directory() as place:
        place.chmod(0o711)
        settings, python = f'user = "nobody"\nworkers = {workers}\n', python_for_all()
        if python is None:
            pytest.skip("no Python here that another user can read")
        command = [*python, "-m", "softee", "serve"]
        with running_daemon(place, command=command, settings=settings) as daemon:
            assert uids_of(daemon.process.pid) == {"65534"}
            assert is_served(daemon.socket), "a client of root's: the socket was opened by root"
            assert daemon.socket.stat().st_uid == 0
            assert {path.stat().st_uid for path in (daemon.state, *daemon.state.iterdir())} == {65534}
            assert daemon.root_key.stat().st_uid == 0
            assert daemon.stop() == 0
            assert "cannot" not in daemon.log()
        with running_daemon(place, command=command, settings=settings) as again:
            assert is_served(again.socket)


@as_root
def test_as_root_without_a_user_it_says_so_once(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        assert daemon.log().count("it runs as root; the setting `user` names a user") == 1
