# SPDX-License-Identifier: Apache-2.0
"""Secure worlds for tests: the real daemon as a process, its server in this process, or the bare TEE core."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from softee.client import TeeClient
from softee.daemon.change_page import ChangePage
from softee.daemon.listener import listen
from softee.daemon.server import Server
from softee.daemon.settings import Limits
from softee.tee.application import TrustedApplication
from softee.tee.core import ClientContext, TeeCore
from softee.tee.identity import PeerCredentials
from support.leaks import Secrets, pins_in

PINS = (b"87654321", b"123456")
"""Those that most tests give their tokens."""
READY_WITHIN = 60
STOPPED_WITHIN = 60


@dataclass
class RunningDaemon:
    """A daemon in a process of its own."""

    process: subprocess.Popen[bytes]
    socket: Path
    state: Path
    root_key: Path
    log_file: Path

    def log(self) -> str:
        """Return all that it has written to stderr."""
        return self.log_file.read_text()

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self.process.kill()
        self.process.wait(STOPPED_WITHIN)

    def stop(self) -> int:
        """Stop it as a service manager would, and return its exit status."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        return self.process.wait(STOPPED_WITHIN)


@contextmanager
def short_directory() -> Iterator[Path]:
    """Make a directory with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as directory:
        yield Path(directory)


@contextmanager
def running_daemon(
    directory: Path,
    *,
    state: Path | None = None,
    root_key: Path | None = None,
    command: Sequence[str] = (sys.executable, "-P", "-m", "softee", "serve"),
    options: Sequence[str] = (),
    settings: str = "",
) -> Iterator[RunningDaemon]:
    """Run the real daemon.

    Args:
        directory: where its state, root key, settings and log live; the tmp_path of a test. Again for a restart.
        state: another state directory.
        root_key: another root key file.
        command: what is run, with the options of ``softee serve`` after it.
        options: further options.
        settings: the text of its settings file; one worker, where it names no number of them.

    Yields:
        The daemon, which serves; it is stopped at the end, if it still runs.

    Raises:
        AssertionError: it ended before it served; the text is its log.

    """
    with short_directory() as short:
        running = start_daemon(
            directory,
            short / "tee.sock",
            state=state,
            root_key=root_key,
            command=command,
            options=options,
            settings=settings,
        )
        try:
            yield running
        finally:
            running.stop()
        _require_discretion(running)


def _require_discretion(daemon: RunningDaemon) -> None:
    """Find no root key and no PIN in what a daemon has logged, whatever a test did with it."""
    key = daemon.root_key.read_bytes() if daemon.root_key.is_file() else b""
    told = Secrets([key]).found_in(daemon.log()) + pins_in(daemon.log(), PINS)
    assert not told, f"the daemon's log tells {told}"


def start_daemon(
    directory: Path,
    socket: Path,
    *,
    state: Path | None = None,
    root_key: Path | None = None,
    command: Sequence[str] = (sys.executable, "-P", "-m", "softee", "serve"),
    options: Sequence[str] = (),
    settings: str = "",
) -> RunningDaemon:
    """Start what :func:`running_daemon` runs, at this socket. Who calls it also stops it."""
    config, log_file = directory / "softee.toml", directory / "daemon.log"
    workers = "" if "workers" in settings else "workers = 1\n"  # one process starts and stops sooner than three
    config.write_text(workers + settings + settings_for_coverage())
    state, root_key = state or directory / "state", root_key or directory / "key" / "root.key"
    places = {"--config": config, "--state": state, "--root-key": root_key, "--socket": socket}
    arguments = [str(part) for pair in places.items() for part in pair]
    return RunningDaemon(_start([*command, *arguments, *options], log_file), socket, state, root_key, log_file)


def settings_for_coverage() -> str:
    """Return settings that let a daemon write down what it has run, where that is measured."""
    measured = sys.modules["coverage"].Coverage.current() if "coverage" in sys.modules else None
    return "" if measured is None else f"\n[lockdown]\nalso_write = [{str(Path.cwd())!r}]\n"


def _start(command: Sequence[str], log_file: Path) -> subprocess.Popen[bytes]:
    """Start a daemon and wait until it serves."""
    readable, writable = os.pipe()
    with log_file.open("ab") as log, os.fdopen(readable, "rb") as ready:
        try:
            process = subprocess.Popen([*command, "--ready-fd", str(writable)], stderr=log, pass_fds=[writable])
        finally:
            os.close(writable)
        answered, _, _ = select.select([ready], [], [], READY_WITHIN)
        if answered and ready.read(1):
            return process
    process.kill()
    process.wait(STOPPED_WITHIN)
    raise AssertionError(f"the daemon did not serve: {log_file.read_text()}")


@contextmanager
def running_server(
    applications: Sequence[TrustedApplication], limits: Limits | None = None, page: ChangePage | None = None
) -> Iterator[Path]:
    """Run the daemon's server in threads of this process, and yield its socket."""
    limits = limits or Limits()
    with short_directory() as directory:
        listener = listen(directory / "tee.sock", 0o600)
        server = Server(TeeCore(applications, limits.sessions_per_client), listener, limits, page)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield listener.path
        finally:
            server.stop()
            thread.join(STOPPED_WITHIN)
            listener.close()


def own_credentials() -> PeerCredentials:
    """Return what the kernel would say of this process."""
    return PeerCredentials(os.getpid(), os.geteuid(), os.getegid(), frozenset(os.getgroups()))


@contextmanager
def in_process_core(application: TrustedApplication) -> Iterator[ClientContext]:
    """Yield a client context of this process with a core that has ``application``; it is closed at the end."""
    context = TeeCore([application]).connect(own_credentials())
    try:
        yield context
    finally:
        context.close()


def is_served(socket: Path) -> bool:
    """Tell whether another client is served."""
    with TeeClient(socket) as client:
        return client.secret != bytes(16)
