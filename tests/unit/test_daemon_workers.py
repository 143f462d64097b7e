# SPDX-License-Identifier: Apache-2.0
"""The real daemon with several worker processes: who serves whom, what happens when one dies, and how all end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from softee.names import CKR, CKU, TeeResult
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.commands import sessions
from support.channel_attack import eventually
from support.pkcs11_client import Client
from support.raw_client import RawClient
from support.secure_world import RunningDaemon, is_served, running_daemon
from support.token_world import SO_PIN

WORKERS = 3


@contextmanager
def several(directory: Path, workers: int = WORKERS, options: Sequence[str] = ()) -> Iterator[RunningDaemon]:
    with running_daemon(directory, settings=f"workers = {workers}\n", options=options) as daemon:
        yield daemon


def children(daemon: RunningDaemon) -> list[int]:
    """Return the pids of the workers."""
    pid = daemon.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def clients(daemon: RunningDaemon, stack: ExitStack, count: int = WORKERS) -> list[Client]:
    """Connect clients, one after the other."""
    return [Client(daemon.socket, stack) for _ in range(count)]


def set_up(client: Client) -> int:
    """Initialize the token, and return a session in which the SO is logged in."""
    assert client.init_token() is CKR.OK
    session = client.open()
    assert client.login(session, CKU.SO, SO_PIN) is CKR.OK
    return session


def test_clients_are_spread_over_the_workers_and_their_channels_stay_together(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path) as daemon:
        assert len(children(daemon)) == WORKERS
        both = clients(daemon, stack, 2 * WORKERS)
        assert sorted(client.worker for client in both) == sorted([*range(WORKERS)] * 2)
        for client in both:
            with RawClient(daemon.socket) as channel:
                assert channel.hello(client.tee.secret).result == TeeResult.SUCCESS
        stack.close()


def test_a_worker_whose_clients_have_gone_gets_the_next_ones(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path, 2) as daemon:
        first, second = clients(daemon, stack, 2)
        with ExitStack() as brief:
            assert Client(daemon.socket, brief).worker == first.worker
        third = Client(daemon.socket, stack)
        assert third.worker in (first.worker, second.worker)
        with ExitStack() as brief:
            assert Client(daemon.socket, brief).worker != third.worker
        stack.close()


def test_what_one_worker_changes_all_others_show_at_the_next_call(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path) as daemon:
        one, *others = clients(daemon, stack)
        session = set_up(one)
        views = [(client, client.open()) for client in others]
        for made in range(1, 6):
            assert one.make(session)[0] is CKR.OK
            assert [client.count(view) for client, view in views] == [made] * len(views)
        stack.close()
    with running_daemon(tmp_path, settings="workers = 1\n") as daemon, ExitStack() as again:
        client = Client(daemon.socket, again)
        assert client.count(client.open()) == 5


def test_no_worker_initializes_a_token_with_which_another_has_sessions(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path) as daemon:
        one, other, third = clients(daemon, stack)
        assert one.init_token() is CKR.OK
        session = other.open()
        assert [client.init_token() for client in (one, third)] == [CKR.SESSION_EXISTS] * 2
        assert other.ask(sessions.CLOSE_SESSION, m.InSession(session))[0] is CKR.OK
        assert third.init_token() is CKR.OK
        stack.close()


def test_attack_guessing_at_all_workers_at_once_gets_no_more_tries(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path, options=["--profile", "optee"]) as daemon:  # where no check has to wait
        guessers = clients(daemon, stack)
        assert guessers[0].init_token() is CKR.OK
        opened = [(client, client.open()) for client in guessers]
        answers = [client.login(session, CKU.SO, b"guess") for _ in range(3) for client, session in opened]
        assert answers == [CKR.PIN_INCORRECT] * 6 + [CKR.PIN_LOCKED] * 3
        stack.close()


def test_a_worker_that_dies_takes_only_its_clients_along_and_is_replaced(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path) as daemon:
        one, other, _ = clients(daemon, stack)
        session = set_up(one)
        assert one.make(session)[0] is CKR.OK
        before = children(daemon)
        os.kill(worker_pid(daemon, other), signal.SIGKILL)
        assert eventually(lambda: len(children(daemon)) == WORKERS and set(children(daemon)) != set(before))
        assert one.make(session)[0] is CKR.OK
        assert f"worker {other.worker} (pid " in daemon.log()
        assert "has died of signal SIGKILL; another takes its place" in daemon.log()
        newcomers = clients(daemon, stack, 2 * WORKERS)
        assert {client.worker for client in newcomers} == set(range(WORKERS))
        assert [client.count(client.open()) for client in newcomers] == [2] * len(newcomers)
        with RawClient(daemon.socket) as channel:
            assert channel.hello(other.tee.secret).result == TeeResult.ACCESS_DENIED
        stack.close()


def worker_pid(daemon: RunningDaemon, client: Client) -> int:
    """Return the pid of the worker that serves a client: they were started in the order of their numbers."""
    return children(daemon)[client.worker]


def test_the_turn_and_the_sessions_of_a_dead_worker_are_free_again(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path) as daemon:
        one, other, _ = clients(daemon, stack)
        assert one.init_token() is CKR.OK
        other.open()
        assert one.init_token() is CKR.SESSION_EXISTS
        os.kill(worker_pid(daemon, other), signal.SIGKILL)
        assert eventually(lambda: one.init_token() is CKR.OK)
        stack.close()


def test_a_stopped_worker_holds_up_nobody_elses_clients(tmp_path: Path, stack: ExitStack) -> None:
    with several(tmp_path) as daemon:
        one, other, _ = clients(daemon, stack)
        session = set_up(one)
        stopped = worker_pid(daemon, other)
        os.kill(stopped, signal.SIGSTOP)
        assert one.make(session)[0] is CKR.OK
        os.kill(stopped, signal.SIGCONT)
        stack.close()


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM] * 5])
def test_all_end_with_the_daemon_and_nothing_is_left(tmp_path: Path, signals: list[signal.Signals]) -> None:
    with several(tmp_path) as daemon:
        workers = children(daemon)
        for number in signals:
            daemon.process.send_signal(number)
        assert daemon.process.wait(20) == 0
        assert daemon.log().rstrip().endswith("stopped")
        assert not daemon.socket.exists()
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_signal_to_all_processes_at_once_is_the_supervisors(tmp_path: Path) -> None:
    """As a service manager sends it, or a terminal: no worker is missed and replaced on the way."""
    with several(tmp_path) as daemon:
        for pid in [*children(daemon), daemon.process.pid]:
            os.kill(pid, signal.SIGTERM)
        assert daemon.process.wait(20) == 0
        assert "has died" not in daemon.log()


def test_workers_do_not_outlive_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with several(tmp_path) as daemon:
        workers = children(daemon)
        daemon.kill()
        assert eventually(lambda: not any(is_running(worker) for worker in workers))
    with several(tmp_path) as daemon:
        assert is_served(daemon.socket)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_attack_a_silent_connection_is_closed_and_holds_up_nobody(tmp_path: Path) -> None:
    settings = "workers = 2\n[limits]\nframe_timeout = 1\n"
    with running_daemon(tmp_path, settings=settings) as daemon, RawClient(daemon.socket) as silent:
        silent.send(b"\x24")
        assert is_served(daemon.socket)
        assert silent.is_closed()
        assert eventually(lambda: "said nothing" in daemon.log())


def test_attack_what_is_no_hello_is_refused_by_a_worker(tmp_path: Path) -> None:
    with several(tmp_path, 2) as daemon, RawClient(daemon.socket) as strange:
        strange.send(b"\xff" * 64)
        assert strange.is_closed()
        assert is_served(daemon.socket)


def test_a_worker_has_no_descriptor_of_the_store_or_of_the_socket(tmp_path: Path) -> None:
    with several(tmp_path, 2) as daemon:
        for worker in children(daemon):
            links = [str(link.readlink()) for link in Path(f"/proc/{worker}/fd").iterdir()]
            assert not [link for link in links if str(tmp_path / "state") in link]
        assert eventually(lambda: is_served(daemon.socket))


def test_an_idle_secure_world_wakes_nobody(tmp_path: Path) -> None:
    with several(tmp_path, 2) as daemon:
        assert is_served(daemon.socket)
        pids = [daemon.process.pid, *children(daemon)]
        assert eventually(lambda: sleep_on(pids, 0.3)), "after the last client's end"
        assert sleep_on(pids, 0.5)


def sleep_on(pids: Sequence[int], seconds: float) -> bool:
    """Tell whether processes sleep for so long, and none of them is woken."""
    before = [switches(pid) for pid in pids]
    time.sleep(seconds)
    return [switches(pid) for pid in pids] == before


def switches(pid: int) -> int:
    """Return how often a process has gone to sleep."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


BROKEN = """
import logging, os, sys
from softee.daemon.workers import start_worker

logging.basicConfig(stream=sys.stderr)

def broken(number, store, handover):
    raise ValueError(f"worker {number} has nothing to work with")

worker = start_worker(7, broken)
print(worker.reap())
"""


def test_why_a_worker_cannot_go_on_is_in_the_log() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", BROKEN], capture_output=True, text=True, check=True)
    assert done.stdout == "status 1\n"
    assert "worker 7 cannot go on" in done.stderr
    assert "has nothing to work with" in done.stderr
