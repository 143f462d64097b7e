# SPDX-License-Identifier: Apache-2.0
"""Attacks on the time of others: whatever a client has queued, another's request overtakes it."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from softee.daemon.listener import listen
from softee.daemon.server import Server
from softee.daemon.settings import Limits
from softee.daemon.turns import Turns
from softee.names import ParamType, TeeResult
from softee.tee.application import ClientIdentity
from softee.tee.core import TeeCore
from softee.wire.frames import HEADER_SIZE, FrameType, encode_frame
from softee.wire.messages import Invoke
from softee.wire.parameters import NO_PARAMETERS, Parameters
from softee.wire.values import Memref, Params, Value
from support.channel_attack import eventually
from support.echo_application import FILL, WAIT, EchoApplication, EchoSession
from support.raw_client import RawClient, echoes, greeted
from support.secure_world import short_directory

ATTACKER, VICTIM, UID, OTHER_UID = "attacker", "victim", 1001, 1002


class Work:
    """Slow work for which clients wait in threads; the test ends each piece of it."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._change = threading.Condition()
        self._running: list[tuple[Hashable, threading.Event]] = []
        self._begun: list[Hashable] = []
        self._threads: list[threading.Thread] = []

    def ask(self, client: Hashable, uid: int = UID) -> None:
        """Have a piece of work queued: when this returns it has begun, or waits."""
        before = waiting(self._turns)
        thread = threading.Thread(target=self._do, args=(client, uid), daemon=True)
        begun = len(self._begun)
        thread.start()
        self._threads.append(thread)
        with self._change:
            while len(self._begun) == begun and waiting(self._turns) == before:
                self._change.wait(0.001)

    def _do(self, client: Hashable, uid: int) -> None:
        with self._turns.take(uid, client):
            done = threading.Event()
            with self._change:
                self._running.append((client, done))
                self._begun.append(client)
                self._change.notify_all()
            done.wait()

    def begun(self, count: int) -> list[Hashable]:
        """Wait until so many pieces have begun, and return whose they are, in order."""
        with self._change:
            assert self._change.wait_for(lambda: len(self._begun) >= count, 60)
            return [*self._begun]

    def end_one(self) -> None:
        """End the piece that has run longest."""
        with self._change:
            self._running.pop(0)[1].set()

    def end_all(self) -> None:
        """End what runs and what waits."""
        while any(thread.is_alive() for thread in self._threads):
            with self._change:
                for _, done in self._running:
                    done.set()
                self._running.clear()
                self._change.wait(0.001)


def waiting(turns: Turns) -> int:
    with turns._guard:
        return sum(len(queue) for clients in turns._waiting.values() for queue in clients.values())


@contextmanager
def working(at_once: int) -> Iterator[Work]:
    work = Work(Turns(at_once))
    try:
        yield work
    finally:
        work.end_all()


def test_attack_a_uid_with_a_long_queue_leaves_a_turn_to_others() -> None:
    with working(at_once=3) as work:
        for _ in range(10):
            work.ask(ATTACKER)
        assert work.begun(2) == [ATTACKER] * 2
        work.ask(VICTIM, OTHER_UID)
        assert work.begun(3) == [ATTACKER, ATTACKER, VICTIM]


@pytest.mark.parametrize("uid", [UID, OTHER_UID], ids=["of the same uid", "of another uid"])
def test_attack_a_client_overtakes_what_another_has_queued(uid: int) -> None:
    with working(at_once=1) as work:
        for _ in range(20):
            work.ask(ATTACKER)
        for _ in range(3):
            work.ask(VICTIM, uid)
        for ended in range(7):
            work.begun(ended + 1)
            work.end_one()
        begun = work.begun(8)[:8]
        assert begun == [ATTACKER, *[ATTACKER, VICTIM] * 3, ATTACKER]


def test_attack_many_clients_of_one_uid_have_the_share_of_one() -> None:
    with working(at_once=1) as work:
        for number in range(20):
            work.ask(number)
        work.ask(VICTIM, OTHER_UID)
        for ended in range(2):
            work.begun(ended + 1)
            work.end_one()
        assert VICTIM in work.begun(3)[:3]


def test_turns_that_nobody_waits_for_leave_nothing_behind() -> None:
    turns = Turns(2)
    for client in range(100):
        with turns.take(client, client):
            pass
    assert (turns._waiting, turns._taken, turns._free) == ({}, {}, 2)


def test_a_turn_is_given_back_by_work_that_fails() -> None:
    turns = Turns(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="as asked"), turns.take(UID, ATTACKER):
            raise ValueError("as asked")


class Steps(EchoApplication):
    """Notes whose sessions' WAIT has begun, and ends one for each step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = threading.Semaphore(0)
        self.begun: list[EchoSession] = []
        self.change = threading.Condition()

    def open_session(self, client: ClientIdentity, params: Params) -> EchoSession:
        session = super().open_session(client, params)
        invoke = session.invoke

        def note(command: int, params: Params) -> TeeResult:
            if command != WAIT:
                return invoke(command, params)
            with self.change:
                self.begun.append(session)
                self.change.notify_all()
            return TeeResult.SUCCESS if self.steps.acquire(timeout=100) else TeeResult.GENERIC

        session.invoke = note  # type: ignore[method-assign]
        return session

    def wait_until_begun(self, count: int) -> list[EchoSession]:
        with self.change:
            assert self.change.wait_for(lambda: len(self.begun) >= count, 60)
            return [*self.begun]


class QuickSteps(Steps):
    """The same, of steps that are said to be quick, so that the loop takes them itself."""

    def open_session(self, client: ClientIdentity, params: Params) -> EchoSession:
        session = super().open_session(client, params)
        session.is_quick = lambda *_: True  # type: ignore[method-assign]
        return session


@contextmanager
def served(slow: int, application: Steps | None = None) -> Iterator[tuple[Steps, Turns, Path]]:
    application, limits = application or Steps(), Limits(slow_requests=slow, frame_timeout=60, send_timeout=60)
    with short_directory() as directory:
        listener = listen(directory / "tee.sock", 0o600)
        server = Server(TeeCore([application]), listener, limits)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield application, server._clients.turns, listener.path
        finally:
            application.steps.release(1000)
            server.stop()
            thread.join(20)
            listener.close()


def ask(client: RawClient, session: int, command: int, parameters: Parameters = NO_PARAMETERS) -> None:
    """Send a request, and leave the answer where it is."""
    client.send(encode_frame(FrameType.INVOKE, 5, Invoke(session, command, 0, parameters).encode()))


def many_channels(stack: ExitStack, path: Path, count: int) -> tuple[list[RawClient], int]:
    """Return the channels of one client, and its session."""
    first, *others = channels = [stack.enter_context(RawClient(path)) for _ in range(count)]
    secret = first.hello().secret
    for channel in others:
        channel.hello(secret)
    return channels, first.open_session()


def test_attack_requests_of_many_channels_are_overtaken_by_another_clients() -> None:
    with served(slow=2) as (application, turns, path), ExitStack() as stack:
        channels, session = many_channels(stack, path, 9)
        (attackers,) = application.sessions
        victim, its_session = stack.enter_context(greeted(path))
        for channel in channels:
            ask(channel, session, WAIT)
        assert eventually(lambda: waiting(turns) == 8)
        ask(victim, its_session, WAIT)
        assert eventually(lambda: waiting(turns) == 9)
        for ended in range(3):
            application.wait_until_begun(ended + 1)
            application.steps.release()
        assert any(one is not attackers for one in application.wait_until_begun(4)[:4])


def test_attack_quick_requests_of_many_channels_are_overtaken_by_another_clients() -> None:
    with served(1, QuickSteps()) as (application, _, path), ExitStack() as stack:
        channels, session = many_channels(stack, path, 20)
        (attackers,) = application.sessions
        victim, its_session = stack.enter_context(greeted(path))
        for one, session_of_one in [*((channel, session) for channel in channels), (victim, its_session)]:
            assert all(echoes(one, session_of_one) for _ in range(10))  # the thread that said hello has left it
        ask(channels[0], session, WAIT)
        application.wait_until_begun(1)
        for channel in channels[1:]:
            ask(channel, session, WAIT)
        ask(victim, its_session, WAIT)
        for ended in range(2):
            application.wait_until_begun(ended + 1)
            application.steps.release()
        assert any(one is not attackers for one in application.wait_until_begun(3)[:3])


def test_attack_what_a_client_has_queued_is_not_done_when_it_has_gone() -> None:
    with served(slow=1) as (application, turns, path), ExitStack() as stack:
        first, its_session = stack.enter_context(greeted(path))
        ask(first, its_session, WAIT)
        application.wait_until_begun(1)
        with greeted(path) as (gone, session):
            ask(gone, session, WAIT)
            assert eventually(lambda: waiting(turns) == 1)
        before = set(application.sessions)
        victim, session = stack.enter_context(greeted(path))
        (there,) = application.sessions - before
        ask(victim, session, WAIT)
        assert eventually(lambda: waiting(turns) == 2)
        application.steps.release(2)
        assert application.wait_until_begun(2)[1] is there


def slowly(size: int) -> Parameters:
    """Return parameters of a request that is answered with ``size`` bytes, and not by the loop."""
    answer = Memref(ParamType.MEMREF_OUTPUT, capacity=size)
    return Parameters((Value(ParamType.VALUE_INPUT, size), answer, None, Value(ParamType.VALUE_INPUT)))


def test_attack_clients_that_never_read_or_never_write_on_hold_no_turn() -> None:
    with served(slow=1) as (_, _, path), ExitStack() as stack:
        for _ in range(10):
            never_reads, session = stack.enter_context(greeted(path))
            ask(never_reads, session, FILL, slowly(1_000_000))
            stops, session = stack.enter_context(greeted(path))
            stops.send(encode_frame(FrameType.INVOKE, 5, Invoke(session, WAIT).encode())[: HEADER_SIZE + 1])
        victim, session = stack.enter_context(greeted(path))
        for _ in range(20):
            assert victim.invoke(session, FILL, slowly(10)) == TeeResult.SUCCESS
