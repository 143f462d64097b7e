# SPDX-License-Identifier: Apache-2.0
"""The Unix socket on which the secure world listens: made at the path of the settings, or handed over by systemd."""

import errno
import grp
import os
import socket
import stat
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from softee.daemon.errors import StartError
from softee.wire.places import LONGEST_PATH

_FIRST_PASSED = 3
"""The first descriptor that a service manager passes (sd_listen_fds(3))."""


class ListenError(StartError):
    """The socket cannot be listened on; the text is a sentence that says why."""


class Source(Protocol):
    """Where connections come from."""

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        ...

    def accept(self) -> socket.socket | None:
        """Return the next connection, None where there will be no more. Raises OSError."""
        ...


class Listener:
    """A listening socket. ``close`` removes its file, if it made it and it is still its own."""

    def __init__(self, listening: socket.socket, path: Path, made: os.stat_result | None) -> None:
        self.socket = listening
        self.path = path
        self._made = made

    def fileno(self) -> int:
        """Return the descriptor, to wait for it."""
        return self.socket.fileno()

    def accept(self) -> socket.socket:
        """Return the next connection. Raises OSError."""
        return self.socket.accept()[0]

    def close(self) -> None:
        """Stop listening and remove the socket's file."""
        self.socket.close()
        if self._made is None:
            return
        try:
            if os.path.samestat(self.path.lstat(), self._made):
                self.path.unlink()
        except (FileNotFoundError, PermissionError):
            pass  # who has become another user since may not; what is left there is replaced at the next start


def listen(path: Path, mode: int, group: str | None = None) -> Listener:
    """Listen at ``path``, with its directory made if it is not there.

    Args:
        path: at most 107 bytes.
        mode: the socket's permissions.
        group: the name of the group that it belongs to; None: this process' own.

    Raises:
        ListenError: the path is too long or taken, a secure world answers there already, others can write to its
            directory, or the system refuses.

    """
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise ListenError(f"The socket's path {path} is longer than {LONGEST_PATH} bytes; set a shorter one.")
    try:
        _make_directory(path.parent, shared=bool(mode & 0o077))
        _remove_stale(path)
        return _bind(path, mode, group)
    except OSError as error:
        raise ListenError(f"The socket {path} cannot be made: {error.strerror or error}.") from None


def inherited(environment: MutableMapping[str, str]) -> Listener | None:
    """Return the socket that a service manager has passed (socket activation), None if there is none.

    Raises:
        ListenError: something else than one listening Unix stream socket was passed.

    """
    process, count = environment.pop("LISTEN_PID", ""), environment.pop("LISTEN_FDS", "")
    environment.pop("LISTEN_FDNAMES", "")
    if process != str(os.getpid()):
        return None
    if count != "1":
        raise ListenError(f"One socket is wanted from the service manager, not {count or 'none'}.")
    try:
        listening = socket.socket(fileno=_FIRST_PASSED)
    except OSError as error:
        raise ListenError(f"What the service manager passed is no socket: {error.strerror}.") from None
    listening.set_inheritable(False)
    listening.settimeout(None)
    wanted = (socket.AF_UNIX, socket.SOCK_STREAM, 1)
    if (listening.family, listening.type, listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) != wanted:
        raise ListenError("The service manager must pass a listening Unix stream socket.")
    return Listener(listening, Path(os.fsdecode(listening.getsockname())), None)


def _make_directory(directory: Path, *, shared: bool) -> None:
    """Make the socket's directory, unless it is there; one in /tmp that someone else made before us is refused."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _no_umask():
            directory.mkdir(mode=0o755 if shared else 0o700)
    except FileExistsError:
        for status in (directory.lstat(), directory.stat()):  # whoever owns a link may turn it elsewhere later
            if status.st_uid not in (0, os.geteuid()):
                raise ListenError(f"The socket's directory {directory} belongs to uid {status.st_uid}.") from None
        _refuse_writable(directory, directory.stat().st_mode)


def _refuse_writable(directory: Path, mode: int) -> None:
    """Refuse a directory in which others could put a socket of theirs, or a link, in the place of ours."""
    if mode & 0o022 and not mode & stat.S_ISVTX:
        what = f"The socket's directory {directory} can be written by others (mode {stat.S_IMODE(mode):04o})"
        raise ListenError(f"{what}; run: chmod go-w {directory}")


def _remove_stale(path: Path) -> None:
    """Remove what a secure world that was killed has left; a socket at which someone answers stays."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ListenError(f"{path} is there and is no socket; remove it or set another path.")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        answer = probe.connect_ex(str(path))
    if answer != errno.ECONNREFUSED:
        raise ListenError(f"A secure world answers at {path} already.")
    path.unlink()


def _bind(path: Path, mode: int, group: str | None) -> Listener:
    """Bind and listen. Nobody can connect before ``listen``, so the group may come after the permissions.

    The socket's file gets the mode of its descriptor (unix(7)), so that no path is followed to change it later.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listening.fileno(), mode)
        with _no_umask():
            listening.bind(str(path))
        if group is not None:
            os.chown(path, -1, _gid(group), follow_symlinks=False)
        listening.listen(socket.SOMAXCONN)
    except BaseException:
        listening.close()
        raise
    return Listener(listening, path, path.lstat())


@contextmanager
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ListenError(f"There is no group {group!r}, which the settings name for the socket.") from None
