# SPDX-License-Identifier: Apache-2.0
"""Applications that go on while the secure world is killed and started again, through the shared object."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.tools import PIN, Programs, copied_module
from softee.names import CKA, CKM, CKR
from support.cryptoki import Mechanism, Module, Session
from support.secure_world import RunningDaemon, short_directory, start_daemon

SOAK = bool(os.environ.get("SOFTEE_SOAK"))
RESTARTS = 20 if SOAK else 2
ECDSA = Mechanism(CKM.ECDSA)
P256 = bytes.fromhex("06082a8648ce3d030107")


@dataclass
class World:
    """A secure world that dies and comes back at the same socket."""

    directory: Path
    socket: Path
    daemon: RunningDaemon

    def kill(self) -> None:
        self.daemon.kill()

    def start(self) -> None:
        self.daemon = start_daemon(self.directory, self.socket)

    def restart(self, *, upgrade: bool = False) -> None:
        """Kill it, or stop it as for an upgrade, and start it again."""
        if upgrade:
            assert self.daemon.stop() == 0
        else:
            self.kill()
        self.start()


@pytest.fixture
def world(module: Path, tmp_path: Path) -> Iterator[World]:
    with short_directory() as short:
        world = World(tmp_path, short / "tee.sock", start_daemon(tmp_path, short / "tee.sock"))
        programs = Programs(module, world.socket, tmp_path)
        programs.init_token()
        programs.generate("EC:prime256v1", "signer")
        yield world
        world.daemon.stop()


@pytest.fixture
def loaded(module: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    monkeypatch.setenv("SOFTEE_SOCKET", str(world.socket))
    loaded = Module(copied_module(module, world.directory))
    yield loaded
    loaded.close()


def sign_in_a_loop(loaded: Module, session: Session, world: World, threads: int, *, upgrade: bool) -> None:
    key = find_key(session)
    public = find_key(session, private=False)
    over = threading.Event()
    failures: list[BaseException] = []
    counts = [0] * threads

    def sign(number: int, own: Session) -> None:
        try:
            while not over.is_set():
                data = os.urandom(32)
                own.verify(ECDSA, public, data, own.sign(ECDSA, key, data))
                counts[number] += 1
        except BaseException as failure:  # noqa: BLE001 - reported by the thread that runs the test
            failures.append(failure)
            over.set()

    sessions = [session, *(loaded.open(0) for _ in range(threads - 1))]
    workers = [threading.Thread(target=sign, args=pair) for pair in enumerate(sessions)]
    for worker in workers:
        worker.start()
    for _ in range(RESTARTS):
        before = list(counts)
        while not over.is_set() and any(now == then for now, then in zip(counts, before, strict=True)):
            threading.Event().wait(0.01)
        world.restart(upgrade=upgrade)
    before = list(counts)
    while not over.is_set() and any(now == then for now, then in zip(counts, before, strict=True)):
        threading.Event().wait(0.01)
    over.set()
    for worker in workers:
        worker.join()
    assert not failures, failures


def find_key(session: Session, *, private: bool = True) -> int:
    found = session.find({CKA.CLASS: 3 if private else 2, CKA.LABEL: b"signer"})
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("upgrade", [False, True], ids=["killed", "upgraded"])
@pytest.mark.parametrize("threads", [1, 8])
def test_signing_goes_on_through_restarts(loaded: Module, world: World, threads: int, upgrade: bool) -> None:
    sign_in_a_loop(loaded, loaded.login(0, PIN), world, threads, upgrade=upgrade)
