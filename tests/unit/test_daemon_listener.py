# SPDX-License-Identifier: Apache-2.0
"""The socket: who may reach it, what it replaces, what it leaves behind."""

import grp
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from softee.daemon.listener import Listener, ListenError, inherited, listen
from softee.wire.places import LONGEST_PATH
from support.secure_world import short_directory


@pytest.fixture
def directory() -> Iterator[Path]:
    with short_directory() as path:
        yield path


def leads_to_us(path: Path, listener: Listener) -> bool:
    """Tell whether who connects to a path is heard by a listener, and close it."""
    with closing(listener), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"heard")
        heard, _ = listener.socket.accept()
        with heard:
            return heard.recv(5) == b"heard"


def test_only_the_owner_may_connect_by_default(directory: Path) -> None:
    listener = listen(directory / "softee" / "tee.sock", 0o600)
    try:
        assert listener.path.stat().st_mode & 0o777 == 0o600
        assert listener.path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        listener.close()


def test_a_shared_sockets_directory_can_be_entered(directory: Path) -> None:
    before = os.umask(0o077)
    try:
        listener = listen(directory / "softee" / "tee.sock", 0o666)
    finally:
        os.umask(before)
    try:
        assert listener.path.stat().st_mode & 0o777 == 0o666
        assert listener.path.parent.stat().st_mode & 0o777 == 0o755
    finally:
        listener.close()


def test_the_socket_is_removed_at_the_end(directory: Path) -> None:
    listener = listen(directory / "tee.sock", 0o600)
    assert listener.path.exists()
    listener.close()
    assert not listener.path.exists()


def test_another_ones_socket_is_not_removed(directory: Path) -> None:
    first = listen(directory / "tee.sock", 0o600)
    first.path.unlink()
    second = listen(directory / "tee.sock", 0o600)
    first.close()
    assert second.path.exists()
    second.close()


def test_a_stale_socket_is_replaced(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(directory / "tee.sock"))
    assert leads_to_us(directory / "tee.sock", listen(directory / "tee.sock", 0o600))


def test_a_socket_that_answers_is_not_replaced(directory: Path) -> None:
    listener = listen(directory / "tee.sock", 0o600)
    with pytest.raises(ListenError, match=r"answers at .* already"):
        listen(directory / "tee.sock", 0o600)
    assert listener.path.exists()
    listener.close()


def test_what_is_no_socket_is_not_replaced(directory: Path) -> None:
    (directory / "tee.sock").write_text("precious")
    with pytest.raises(ListenError, match="is no socket"):
        listen(directory / "tee.sock", 0o600)
    assert (directory / "tee.sock").read_text() == "precious"


def test_a_socket_that_is_gone_already_is_not_missed(directory: Path) -> None:
    listener = listen(directory / "tee.sock", 0o600)
    listener.path.unlink()
    listener.close()
    assert list(directory.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_told(directory: Path) -> None:
    (directory / "softee").write_text("no directory")
    with pytest.raises(ListenError, match=r"tee.sock cannot be made"):
        listen(directory / "softee" / "run" / "tee.sock", 0o600)


def test_a_path_that_the_kernel_would_cut_is_refused(directory: Path) -> None:
    longest = directory / ("x" * (LONGEST_PATH - len(str(directory)) - 1))
    listen(longest, 0o600).close()
    with pytest.raises(ListenError, match="longer than 107 bytes"):
        listen(Path(f"{longest}x"), 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's link")
def test_a_link_of_another_user_is_refused_even_where_it_leads_to_our_directory(directory: Path) -> None:
    """In /tmp somebody could make it before us, and turn it elsewhere when our clients look for the socket."""
    (directory / "ours").mkdir()
    link = directory / "softee"
    link.symlink_to(directory / "ours")
    os.chown(link, 12345, -1, follow_symlinks=False)
    with pytest.raises(ListenError, match="belongs to uid 12345"):
        listen(link / "tee.sock", 0o600)


def test_a_link_of_our_own_is_followed(directory: Path) -> None:
    (directory / "ours").mkdir()
    (directory / "softee").symlink_to(directory / "ours")
    assert leads_to_us(directory / "ours" / "tee.sock", listen(directory / "softee" / "tee.sock", 0o600))


def test_a_directory_of_another_user_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = directory / "softee"
    theirs.mkdir()
    os.chown(theirs, 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ListenError, match="belongs to uid"):
        listen(theirs / "tee.sock", 0o600)


def test_an_unknown_group_is_named(directory: Path) -> None:
    with pytest.raises(ListenError, match="no group 'no-such-group'"):
        listen(directory / "tee.sock", 0o660, "no-such-group")


def test_no_socket_is_inherited_where_none_was_passed() -> None:
    assert inherited({}) is None
    assert inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) is None


def test_more_than_one_passed_socket_is_refused() -> None:
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "OTHER": "x"}
    with pytest.raises(ListenError, match="One socket"):
        inherited(environment)
    assert environment == {"OTHER": "x"}


ACTIVATED = """
import os, sys
from softee.daemon.listener import ListenError, inherited
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
try:
    listener = inherited(os.environ)
except ListenError as error:
    sys.exit(str(error))
connection, _ = listener.socket.accept()
connection.sendall(b"served")
listener.close()
"""


def activate(passed: socket.socket | IO[bytes]) -> "subprocess.Popen[str]":
    """Start a program as a service manager would: with what is passed as its descriptor 3."""
    command = [sys.executable, "-c", ACTIVATED, str(passed.fileno())]
    return subprocess.Popen(command, pass_fds=[passed.fileno()], stderr=subprocess.PIPE, text=True)


def test_a_service_managers_socket_is_served_and_left_in_place(directory: Path) -> None:
    path = directory / "tee.sock"
    with socket.socket(socket.AF_UNIX) as managers, socket.socket(socket.AF_UNIX) as client:
        managers.bind(str(path))
        managers.listen()
        service = activate(managers)
        client.connect(str(path))
        assert client.recv(100) == b"served"
        assert service.communicate(timeout=20)[1] == ""
    assert path.exists()


def test_a_service_managers_datagram_socket_is_refused(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wrong:
        wrong.bind(str(directory / "tee.sock"))
        _, said = activate(wrong).communicate(timeout=20)
    assert "listening Unix stream socket" in said


def test_what_a_service_manager_passes_is_refused_where_it_is_no_socket() -> None:
    with tempfile.TemporaryFile() as file:
        _, said = activate(file).communicate(timeout=20)
    assert "What the service manager passed is no socket" in said


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_directory_in_which_others_could_put_their_socket_is_refused(directory: Path, mode: int) -> None:
    (directory / "softee").mkdir()
    (directory / "softee").chmod(mode)
    with pytest.raises(ListenError, match=rf"written by others \(mode {mode:04o}\); run: chmod go-w"):
        listen(directory / "softee" / "tee.sock", 0o600)


def test_a_directory_as_tmp_where_nobody_removes_what_others_made_is_taken(directory: Path) -> None:
    (directory / "softee").mkdir()
    (directory / "softee").chmod(0o1777)
    assert leads_to_us(directory / "softee" / "tee.sock", listen(directory / "softee" / "tee.sock", 0o600))


def test_what_was_put_in_the_sockets_place_keeps_its_permissions_and_its_group(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attacker is fast: as soon as the socket is bound, a link to another file stands in its place."""
    path, precious = directory / "tee.sock", directory / "precious"
    precious.touch(mode=0o600)
    before = precious.stat()
    bind = socket.socket.bind

    def bound(self: socket.socket, address: str) -> None:
        bind(self, address)
        path.unlink()
        path.symlink_to(precious)

    monkeypatch.setattr(socket.socket, "bind", bound)
    group = grp.getgrgid(os.getgid()).gr_name
    listen(path, 0o666, group).close()
    after = precious.stat()
    assert (after.st_mode, after.st_gid, after.st_ctime_ns) == (before.st_mode, before.st_gid, before.st_ctime_ns)
