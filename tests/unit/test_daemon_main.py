# SPDX-License-Identifier: Apache-2.0
"""The real daemon: it starts, says so, keeps others out, refuses clearly, stops cleanly."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from softee.cli.failure import CliError
from softee.cli.token_client import token_client
from support.channel_attack import eventually
from support.raw_client import RawClient
from support.secure_world import is_served, running_daemon, short_directory

SERVE = (sys.executable, "-P", "-m", "softee", "serve")


def refused(*options: object) -> str:
    """Start a daemon that cannot start, and return what it said: one line, with a status that is not zero."""
    done = subprocess.run([*SERVE, *map(str, options)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line.removeprefix("softee: ")


def places(directory: Path) -> list[object]:
    """Return options for a daemon that keeps everything in one directory."""
    socket_path = Path("/nonexistent/tee.sock")
    return ["--state", directory / "state", "--root-key", directory / "key" / "root.key", "--socket", socket_path]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_says_where_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with running_daemon(tmp_path) as daemon:
        assert is_served(daemon.socket)
        assert f"ready at {daemon.socket}" in daemon.log()
        daemon.process.send_signal(number)
        assert daemon.process.wait(20) == 0
        assert not daemon.socket.exists()
        assert daemon.log().rstrip().endswith("stopped")
    assert (daemon.state / "softee.db").stat().st_mode & 0o077 == 0
    assert daemon.state.stat().st_mode & 0o077 == 0
    assert daemon.root_key.stat().st_mode & 0o777 == 0o600


STOPPED_TWICE = """
import os, signal, sys
from softee.cli.main import main
from softee.stores.sqlite import SqliteStore
close = SqliteStore.close
def close_late(store):
    os.kill(os.getpid(), signal.SIGTERM)
    close(store)
SqliteStore.close = close_late
sys.exit(main())
"""


def test_a_second_sigterm_does_not_keep_it_from_closing_the_store(tmp_path: Path) -> None:
    with running_daemon(tmp_path, command=[sys.executable, "-P", "-c", STOPPED_TWICE, "serve"]) as daemon:
        assert daemon.stop() == 0
        assert daemon.log().rstrip().endswith("stopped")
    assert not (daemon.state / "softee.db-wal").exists()


def test_it_starts_again_after_kill_9(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.kill()
        assert daemon.socket.exists()
        with running_daemon(tmp_path, options=["--socket", str(daemon.socket)]) as again:
            assert is_served(daemon.socket)
            assert again.process.pid != daemon.process.pid


def test_a_second_daemon_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        said = refused("--state", daemon.state, "--root-key", daemon.root_key, "--socket", tmp_path / "other")
        assert said == f"Another secure world uses the state {daemon.state}."
        assert is_served(daemon.socket)


def test_a_second_daemon_on_the_same_socket_is_refused(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        said = refused("--state", tmp_path / "b", "--root-key", tmp_path / "b.key", "--socket", daemon.socket)
        assert said == f"A secure world answers at {daemon.socket} already."
        assert is_served(daemon.socket)


def test_without_its_root_key_nothing_opens_and_no_new_key_is_made(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.stop()
    daemon.root_key.unlink()
    assert refused(*places(tmp_path)) == (
        f"The root key {daemon.root_key} is missing; without it nothing that is stored opens."
    )
    assert not daemon.root_key.exists()


def test_a_start_that_failed_before_anything_was_stored_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    assert "The root key" in refused(*places(tmp_path))
    assert (tmp_path / "state" / "softee.db").exists()
    (tmp_path / "key").unlink()
    with running_daemon(tmp_path) as daemon:
        assert is_served(daemon.socket)


def test_a_store_that_another_process_holds_is_told_to_be_busy(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.stop()
    with closing(sqlite3.connect(daemon.state / "softee.db", isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        said = refused(*places(tmp_path))
    assert said.startswith("The store cannot be reached now: ")
    assert said.endswith("; try again later.")


def test_another_root_key_opens_nothing(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.stop()
    daemon.root_key.write_bytes(os.urandom(32))
    said = refused(*places(tmp_path))
    assert said.startswith(f"The root key {daemon.root_key} does not fit what is stored in {daemon.state}/softee.db: ")


def test_a_state_with_a_missing_record_is_told_to_be_damaged(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.stop()
    with sqlite3.connect(daemon.state / "softee.db") as database:
        (table,) = database.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%value%'").fetchone()
        column = database.execute(f"PRAGMA table_info({table})").fetchone()[1]
        first = f"(SELECT min({column}) FROM {table})"  # noqa: S608 - names that the database has given
        database.execute(f"DELETE FROM {table} WHERE {column} = {first}")  # noqa: S608 - likewise
    database.close()
    said = refused(*places(tmp_path))
    assert said.startswith(f"What is stored in {daemon.state}/softee.db is damaged or was tampered with: ")


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        daemon.stop()
    (daemon.state / "softee.db").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    said = refused(*places(tmp_path))
    assert said.startswith(f"The store is damaged or was tampered with: {daemon.state}/softee.db: this is not")


def test_a_state_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    assert "cannot be used" in refused(*places(tmp_path))


def test_a_state_that_others_can_write_to_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    assert "can be written by others (mode 0777); run: chmod 700" in refused(*places(tmp_path))
    assert list((tmp_path / "state").iterdir()) == []


def test_a_root_key_that_is_a_pipe_does_not_hang_the_start(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    os.mkfifo(tmp_path / "key" / "root.key", 0o600)
    assert refused(*places(tmp_path)).endswith("root.key is not a regular file.")


def test_a_state_that_is_removed_takes_no_change_and_says_so(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        shutil.rmtree(daemon.state)
        with token_client(daemon.socket) as client, pytest.raises(CliError, match="CKR_DEVICE_ERROR"):
            client.init_token(0, "lost", b"1234")
        assert "was removed, or replaced, while it was in use: nothing is stored any more" in daemon.log()


def test_a_socket_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    assert "longer than 107 bytes" in refused(*places(tmp_path)[:-1], tmp_path / ("x" * 200))


def test_it_does_not_start_for_a_parent_that_is_gone(tmp_path: Path) -> None:
    said = refused(*places(tmp_path), "--die-with", os.getppid())
    assert said == "The process that started this secure world is gone."
    assert not (tmp_path / "state").exists()


def test_no_other_process_can_read_its_memory(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        # The files in /proc of a process that is not dumpable belong to root, whoever runs it.
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        limits = Path(f"/proc/{daemon.process.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)


def test_the_service_manager_is_told_when_it_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(directory / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(directory / "notify"))
        with running_daemon(tmp_path):
            assert manager.recv(100) == b"READY=1"


def test_clients_cannot_write_lines_into_its_log(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon, socket.socket(socket.AF_UNIX) as attacker:
        attacker.connect(str(daemon.socket))
        attacker.sendall(b"\n2026-01-01 00:00:00,000 INFO softee: all is well\n")
        assert attacker.recv(1) == b""
        assert eventually(lambda: "a bad frame" in daemon.log())
        assert "all is well" not in daemon.log()


def test_it_stops_while_clients_are_connected(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon, RawClient(daemon.socket) as client:
        client.hello()
        assert daemon.stop() == 0
        assert client.is_closed()
