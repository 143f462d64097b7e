# SPDX-License-Identifier: Apache-2.0
"""nginx whose keys are in the token, as a service has it, and clients that shake hands with it all the time.

Its master is the test's user; where that is root, its workers are not.
"""

import os
import select
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interop.restarts import SOAK, World

PROGRAM = "/usr/sbin/nginx"
"""By its whole path: a master looks for no other program to take its place."""
WITHIN = 60
"""Seconds in which all clients get on, or a master ends: a bound for failures."""
CLIENTS = 4
ROUNDS = 30 if SOAK else 1
ANSWER = "the key is in the token"

CONFIGURATION = """\
env OPENSSL_CONF;
env SOFTEE_SOCKET;
env SOFTEE_RECONNECT_SECONDS;
{settings}
worker_processes 2;
pid nginx.pid;
error_log nginx.log;
events {{}}
http {{
    access_log off;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
{keys}
        return 200 "{answer}";
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """One that serves a port, in a directory of its own.

    ``run`` runs a command, for which the directory is ``inside``.
    """

    run: Callable[..., object]
    port: int
    directory: Path
    inside: str

    def configure(self, keys: Mapping[str, str], settings: str = "") -> None:
        """Say which certificates it has, by their files, and where the key of each is."""
        pairs = (f'ssl_certificate {self.inside}/{name};\nssl_certificate_key "{key}";' for name, key in keys.items())
        text = CONFIGURATION.format(port=self.port, keys="\n".join(pairs), settings=settings, answer=ANSWER)
        (self.directory / "nginx.conf").write_text(text)

    def command(self, *options: str) -> None:
        """Run its command."""
        self.run(PROGRAM, "-p", self.inside, "-c", f"{self.inside}/nginx.conf", *options)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it serve."""
        self.command()
        try:
            yield
        finally:
            with ended(self.master()) as master:
                os.kill(master, signal.SIGTERM)

    def master(self) -> int:
        """Return the process that is told what to do."""
        return int((self.directory / "nginx.pid").read_text())

    def reload(self) -> None:
        """Have other workers take the place of those that serve, which end when their clients are served."""
        self.command("-s", "reload")

    def upgrade(self) -> None:
        """Have another program take its place."""
        taken = self.directory / "nginx.pid.oldbin"
        with ended(self.master()) as old:
            os.kill(old, signal.SIGUSR2)
            until(taken.exists)
            until((self.directory / "nginx.pid").exists)
            os.kill(old, signal.SIGQUIT)


@contextmanager
def ended(pid: int) -> Iterator[int]:
    """Yield a process that is nobody's child, and wait until it has ended."""
    process = os.pidfd_open(pid)
    try:
        yield pid
        assert select.select([process], [], [], WITHIN)[0], f"{pid} does not end"
    finally:
        os.close(process)


def until(holds: Callable[[], bool]) -> None:
    """Wait for a file, of which nobody tells."""
    for _ in range(100 * WITHIN):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError(holds)


class Clients:
    """Each shakes hands with a server again and again in a thread of its own: half of them by TLS 1.2 and RSA."""

    def __init__(self, port: int, trusted: Path, number: int) -> None:
        """Make so many, for whom the server has one of the certificates ``trusted``."""
        self.handshakes = [0] * number
        self.failures: list[str] = []
        self._address = ("127.0.0.1", port)
        self._over = threading.Event()
        self._progress = threading.Condition()
        self._threads = [threading.Thread(target=self._be_client, args=(n, context(trusted, n))) for n in range(number)]

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let them shake hands."""
        for thread in self._threads:
            thread.start()
        try:
            self.get_on()
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def get_on(self, *, lost: int = 0) -> None:
        """Wait until each has begun and ended a handshake since now.

        Raises:
            AssertionError: more than ``lost`` have failed since it was called last.

        """
        due = [done + 2 for done in self.handshakes]  # one may have begun before

        def are_done() -> bool:
            return len(self.failures) > lost or all(
                done >= least for done, least in zip(self.handshakes, due, strict=True)
            )

        with self._progress:
            got_on = self._progress.wait_for(are_done, WITHIN)
        assert len(self.failures) <= lost, f"{self.failures} failed, and {self.handshakes} did not"
        self.failures.clear()
        assert got_on, f"not all clients get on: {self.handshakes}"

    def _be_client(self, number: int, own: ssl.SSLContext) -> None:
        while not self._over.is_set():
            failure = self._shake_hands(own)
            with self._progress:
                if failure:
                    self.failures.append(failure)
                else:
                    self.handshakes[number] += 1
                self._progress.notify_all()

    def _shake_hands(self, own: ssl.SSLContext) -> str:
        """Shake hands, ask, read the answer; return what was wrong."""
        try:
            with (
                socket.create_connection(self._address, timeout=WITHIN) as connection,
                own.wrap_socket(connection, server_hostname="localhost") as tls,
            ):
                tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: tls.recv(4096), b""))
        except OSError as error:
            return repr(error)
        return "" if answer.endswith(ANSWER.encode()) else repr(answer)


def context(trusted: Path, client: int) -> ssl.SSLContext:
    """Return a client's settings. It keeps no session: each handshake needs the server's key."""
    made = ssl.create_default_context(cafile=str(trusted))
    made.minimum_version = made.maximum_version = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)[client % 2]
    made.set_ciphers("ECDHE+aRSA")  # TLS 1.3 has others
    return made


def hard_times(nginx: Nginx, world: World) -> tuple[Callable[[], None], ...]:
    """Return what an operator or a power cut may do to the secure world, and to nginx meanwhile."""

    def kill_while_workers_log_in() -> None:
        nginx.reload()
        world.restart()

    def reload_while_nobody_is_there() -> None:
        world.kill()
        os.kill(nginx.master(), signal.SIGHUP)
        world.start()

    def upgrade_both() -> None:
        world.restart(upgrade=True)
        nginx.upgrade()

    return world.restart, upgrade_both, kill_while_workers_log_in, reload_while_nobody_is_there
