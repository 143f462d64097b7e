# SPDX-License-Identifier: Apache-2.0
"""Starts a secure world as a process of its own, waits until it serves, and stops it again.

Its socket stands in a short private directory: a socket's path ends at 107 bytes, and a state directory may be deep.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from softee.cli.failure import CliError
from softee.cli.settings import settings_from
from softee.daemon.root_key.source import RootKeySource

READY_WITHIN = 20.0
"""Seconds that a secure world may take to open its state and listen."""

STOPPED_WITHIN = 10.0
"""Seconds that it may take to end by itself."""

LONGEST_DIRECTORY = 80
"""Bytes of a directory's path that leave room for a socket's name within 107."""


@dataclass(frozen=True)
class StartPaths:
    """What a secure world is started with: its state directory, the source of its root key, the file of its log."""

    state: Path
    root_key: Path | RootKeySource
    log: Path

    @property
    def variables(self) -> dict[str, str]:
        """What tells `softee doctor`, run by the command, which files to judge."""
        return {"SOFTEE_STATE": str(self.state), "SOFTEE_ROOT_KEY": str(self.root_key)}


def paths_from_settings(state: Path | None, root_key: str | None, log: Path | None) -> StartPaths:
    """Return the settings' paths where None is given; the log stands in the state directory."""
    settings = settings_from(state=state, root_key=root_key)
    return StartPaths(settings.state, settings.root_key, log.absolute() if log else settings.state / "softee.log")


@contextmanager
def running(paths: StartPaths, options: Sequence[str] = (), pass_fds: Sequence[int] = ()) -> Iterator[Path]:
    """Run a secure world, yield the path of its socket, stop it. Where it ends by itself, that is said on stderr.

    Args:
        paths: where its files are.
        options: further options of ``softee serve``.
        pass_fds: descriptors that it inherits.

    Raises:
        CliError: it does not become ready; the sentence is its own where it wrote one.

    """
    with private_directory() as directory:
        socket = directory / "tee.sock"
        command = [*_command(paths, socket), "--clean-up", str(directory), *options]
        process = _start(command, paths, pass_fds)
        with _told_of_its_end(process, paths.log):
            yield socket


@contextmanager
def private_directory(longest: int = LONGEST_DIRECTORY) -> Iterator[Path]:
    """Make a directory that only this user can enter, below one of at most ``longest`` bytes, and remove it.

    Raises:
        CliError: there is none in which it can be made.

    """
    directory = next(filter(None, (_made_below(parent, longest) for parent in _parents())), None)
    if directory is None:
        raise CliError("There is no writable directory with a short path for the socket; set XDG_RUNTIME_DIR to one.")
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _parents() -> tuple[str, ...]:
    named = (os.environ.get("XDG_RUNTIME_DIR", ""), os.environ.get("TMPDIR", ""))
    return *named, "/tmp", "/var/tmp", "/dev/shm"  # noqa: S108 - mkdtemp makes it private


def _made_below(parent: str, longest: int) -> Path | None:
    """Make a directory below one whose path is not too long; None where that cannot be done."""
    if not parent or len(os.fsencode(parent)) > longest:
        return None
    try:
        return Path(tempfile.mkdtemp(prefix="softee-", dir=parent))
    except OSError:
        return None


@contextmanager
def _told_of_its_end(process: subprocess.Popen[bytes], log: Path) -> Iterator[None]:
    """Stop a secure world at the end; say it at once where it has ended before."""
    stopping = threading.Event()
    watch = threading.Thread(target=_watch, args=(process, log, stopping), daemon=True)
    # It starts with all signals blocked: one that it took would miss the main thread, which passes them on.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    watch.start()
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # one that has come meanwhile ends what is below, too
        yield
    finally:
        if not _has_ended(process):
            stopping.set()
        _stop(process)
        watch.join()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process has ended, whoever has taken or will take its status."""
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _watch(process: subprocess.Popen[bytes], log: Path, stopping: threading.Event) -> None:
    status = process.wait()
    if not stopping.is_set():
        why = _last_words(log) or "its log says nothing"
        sys.stderr.write(f"softee: The secure world has ended (status {status}): {why}\n")


def _start(command: list[str], paths: StartPaths, pass_fds: Sequence[int]) -> subprocess.Popen[bytes]:
    log = _open_log(paths)
    readable, writable = os.pipe()
    try:
        process = subprocess.Popen(
            [*command, "--ready-fd", str(writable), "--die-with", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writable, *pass_fds],
            start_new_session=True,
        )
    finally:
        os.close(writable)
    try:
        _wait_until_ready(process, readable, paths.log)
    finally:
        os.close(readable)
        os.close(log)
    return process


def _open_log(paths: StartPaths) -> int:
    try:
        paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(paths.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CliError(f"{error.filename} cannot be written: {error.strerror}.") from None


def _command(paths: StartPaths, socket: Path) -> list[str]:
    # -P: a directory named softee where the user happens to stand is not imported.
    command = [sys.executable, "-P", "-m", "softee", "serve", "--state", str(paths.state), "--socket", str(socket)]
    return [*command, "--root-key", str(paths.root_key)]


def _wait_until_ready(process: subprocess.Popen[bytes], readable: int, log: Path) -> None:
    """Wait for the byte that a secure world writes when it listens; end of file means that it has ended."""
    answered, _, _ = select.select([readable], [], [], READY_WITHIN)
    if answered and os.read(readable, 1):
        return
    if not answered:
        _stop(process)
        raise CliError(f"The secure world was not ready within {READY_WITHIN:.0f} seconds; its log is {log}.")
    process.wait()
    raise CliError(_last_words(log) or f"The secure world ended with status {process.returncode}; its log is {log}.")


def _last_words(log: Path) -> str:
    """Return the last line of a log; empty where there is none, or where the log is no file (a terminal, /dev/null)."""
    if not log.is_file():
        return ""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("softee: ") if lines else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
