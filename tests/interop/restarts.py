# SPDX-License-Identifier: Apache-2.0
"""A secure world that dies and comes back, and what tests ask of an application that lives through it."""

import os
import subprocess
import sys
import threading
from ctypes import c_ulong
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.tools import PIN
from softee.names import CKA, CKM, CKR, CKU
from support.cryptoki import CryptokiError, Mechanism, Session
from support.secure_world import RunningDaemon, start_daemon
from support.standing_still import stop, until_it_polls

SOAK = bool(os.environ.get("SOFTEE_SOAK"))
ECDSA = Mechanism(CKM.ECDSA)


@dataclass
class World:
    """A secure world that dies and comes back at the same socket."""

    directory: Path
    socket: Path
    daemon: RunningDaemon
    settings: str = ""

    def kill(self) -> None:
        self.daemon.kill()

    def start(self) -> None:
        self.daemon = start_daemon(self.directory, self.socket, settings=self.settings)

    def restart_with(self, settings: str) -> None:
        """Stop it and start it with other settings."""
        assert self.daemon.stop() == 0
        self.settings = settings
        self.start()

    def workers(self) -> list[int]:
        """Return the pids of its worker processes."""
        pid = self.daemon.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def restart(self, *, upgrade: bool = False) -> None:
        """Kill it, or stop it as for an upgrade, and start it again."""
        if upgrade:
            assert self.daemon.stop() == 0
        else:
            self.kill()
        self.start()


def find_key(session: Session, *, private: bool = True) -> int:
    found = session.find({CKA.CLASS: 3 if private else 2, CKA.LABEL: b"signer"})
    assert len(found) == 1
    return found[0]


def refusal(function: str, session: Session, *arguments: object) -> CKR:
    """Return what a call answers that must fail."""
    with pytest.raises(CryptokiError) as caught:
        session.call(function, *arguments)
    return CKR(caught.value.rv)


def login(session: Session, pin: str = PIN, user: CKU = CKU.USER) -> None:
    session.call("C_Login", c_ulong(user), pin.encode(), c_ulong(len(pin)))


def in_flight(world: World, call: threading.Thread, process: int | None = None) -> None:
    """Let a call wait for a secure world that stands still, and kill that. It is the thread's own, or a process'."""
    stop(world.daemon.process.pid)
    call.start()
    until_it_polls(process or os.getpid(), None if process else call.native_id)
    assert call.is_alive()
    world.restart()
    call.join()


def run_client(module: Path, world: World, what: str, *arguments: str, client: str = "restart_client.py") -> list[str]:
    """Run a program of this directory, which says what it has seen."""
    program = [sys.executable, str(Path(__file__).with_name(client)), what, str(module), *arguments]
    environment = {**os.environ, "SOFTEE_SOCKET": str(world.socket), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
