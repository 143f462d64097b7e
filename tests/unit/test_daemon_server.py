# SPDX-License-Identifier: Apache-2.0
"""The server where the system refuses it something, and where it must stop while requests run."""

import errno
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import pytest

from softee.daemon import server as server_module
from softee.daemon.listener import Listener, listen
from softee.daemon.server import Server
from softee.daemon.settings import Limits
from softee.daemon.wakeup import Wakeup
from softee.names import ParamType, TeeResult
from softee.tee.application import ClientIdentity
from softee.tee.core import TeeCore
from softee.wire.frames import FrameType, encode_frame
from softee.wire.messages import Invoke
from softee.wire.parameters import Parameters, Region
from softee.wire.values import Memref, Param, Params
from support.channel_attack import eventually, open_descriptors
from support.echo_application import ECHO, WAIT, EchoApplication, EchoSession
from support.raw_client import RawClient, echoes, greeted, memory_file
from support.secure_world import is_served, short_directory


class RefusingOnce:
    """A listening socket for which there is no descriptor when the first connection comes."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._refusals = [OSError(errno.EMFILE, "Too many open files")]

    def accept(self) -> tuple[socket.socket, Any]:
        if self._refusals:
            raise self._refusals.pop()
        return self._listening.accept()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a socket has
        return getattr(self._listening, name)


@contextmanager
def served(application: EchoApplication, limits: Limits | None = None) -> Iterator[tuple[Server, Listener]]:
    """Make a server and its listener; the test runs it."""
    limits = limits or Limits()
    with short_directory() as directory:
        listener = listen(directory / "tee.sock", 0o600)
        yield Server(TeeCore([application], limits.sessions_per_client), listener, limits), listener
        listener.close()


@contextmanager
def running(server: Server) -> Iterator[None]:
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_a_signal_that_comes_just_before_the_wait_stops_the_server_all_the_same() -> None:
    """Its handler has not run yet then; what stops the wait is the byte that the signal has left."""
    reader, writer = os.pipe()
    os.write(writer, bytes([signal.SIGTERM]))
    wakeup = Wakeup(reader, {signal.SIGTERM: lambda: False})
    with served(EchoApplication()) as (server, _):
        thread = threading.Thread(target=server.run, args=(wakeup,))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    os.close(reader)
    os.close(writer)


def test_a_connection_that_cannot_be_accepted_waits_and_is_served(caplog: pytest.LogCaptureFixture) -> None:
    with served(EchoApplication()) as (server, listener):
        listener.socket = cast("socket.socket", RefusingOnce(listener.socket))
        with running(server):
            assert is_served(listener.path)
    assert "a connection could not be accepted" in caplog.text


def test_a_connection_for_which_there_is_no_thread_is_closed_and_takes_no_place(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    refusals = [RuntimeError("can't start new thread")]

    def start_or_refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("worker") and refusals:
            raise refusals.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)
    with served(EchoApplication(), Limits(channels=1)) as (server, listener), running(server):
        with RawClient(listener.path) as unlucky:
            assert unlucky.is_closed()
        assert is_served(listener.path)
    assert "a connection could not be served: can't start new thread" in caplog.text


@pytest.mark.parametrize(
    ("index", "size", "by_the_loop"),
    [(1, 144 << 10, True), (1, (144 << 10) + 1, False), (0, 1, False)],
    ids=["little", "much", "the request itself"],
)
def test_little_in_a_memory_file_takes_no_thread_unless_it_is_the_request_itself(
    index: int, size: int, *, by_the_loop: bool
) -> None:
    ran_in: list[str] = []

    class Watched(EchoSession):
        def invoke(self, command: int, params: Params) -> TeeResult:
            ran_in.append(threading.current_thread().name)
            return super().invoke(command, params)

    class Watching(EchoApplication):
        def open_session(self, client: ClientIdentity, params: Params) -> EchoSession:  # noqa: ARG002 - the Protocol's
            return Watched(self, client)

    params: list[Param] = [None] * 4
    params[index] = Memref(ParamType.MEMREF_INPUT, capacity=size)
    first, second, third, fourth = params
    parameters = Parameters((first, second, third, fourth), (Region(index, 0),))
    with (
        served(Watching()) as (server, listener),
        running(server),
        greeted(listener.path) as (client, session),
        memory_file(bytes(size)) as file,
    ):
        assert all(echoes(client, session) for _ in range(10))  # the thread that said hello has left it to the loop
        client.invoke(session, ECHO, parameters, [file])
    assert ran_in[-1].startswith("worker") is not by_the_loop


def test_a_request_that_does_not_end_does_not_keep_the_server_from_stopping(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_STOP_WITHIN", 0.01)
    application = EchoApplication()
    with served(application) as (server, listener):
        with running(server), greeted(listener.path) as (client, session):
            client.send(encode_frame(FrameType.INVOKE, 5, Invoke(session, WAIT).encode()))
            assert application.waiting.acquire(timeout=20)
            server.stop()
            assert client.is_closed()
            assert eventually(server._stopped.is_set)
        application.gate.set()
        assert application.wait_until_open(0)
    assert "1 requests still run and are abandoned" in caplog.text


def test_what_a_client_has_joined_with_does_not_stay_in_the_channels_buffer() -> None:
    with served(EchoApplication()) as (server, listener), running(server), RawClient(listener.path) as first:
        secret = first.hello().secret
        with RawClient(listener.path) as second:
            assert second.hello(secret).secret == secret
            assert eventually(lambda: len(server._waiting) == 2)
            channels = [conversation.channel for conversation in server._waiting.values()]
            assert not any(secret in bytes(channel._buffer) for channel in channels)


def test_a_server_that_has_run_leaves_nothing_open() -> None:
    before = open_descriptors()
    with (
        served(EchoApplication()) as (server, listener),
        running(server),
        greeted(listener.path) as (client, session),
    ):
        assert echoes(client, session)
    assert open_descriptors() <= before


def test_a_server_that_has_stopped_may_be_told_to_stop_again() -> None:
    """A second SIGTERM may come at any time; the descriptor that woke the first time is another's by then."""
    with served(EchoApplication()) as (server, _):
        with running(server):
            pass
        server.stop()


def test_a_server_that_has_nothing_to_do_sleeps_without_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    application = EchoApplication()
    with served(application) as (server, listener):
        timeouts: list[float | None] = []
        wait = server._lookout.wait

        def noted(timeout: float | None) -> list[tuple[int, int]]:
            timeouts.append(timeout)
            return wait(timeout)

        monkeypatch.setattr(server._lookout, "wait", noted)
        with running(server), greeted(listener.path) as (client, session):
            ask_to_wait(client, session)
            assert application.waiting.acquire(timeout=20)
            assert eventually(lambda: timeouts[-1] == server._limits.keep_alive)
            application.gate.set()
            assert answer(client) is FrameType.INVOKE_REPLY
            assert eventually(lambda: not server._busy)
            assert echoes(client, session)
            assert eventually(lambda: timeouts[-1] is None)


def answer(client: RawClient) -> FrameType:
    """Return what comes after the keep-alives."""
    return next(one.type for one in iter(client.frame, None) if one.type is not FrameType.KEEP_ALIVE)


def test_a_long_request_of_one_client_keeps_no_other_waiting() -> None:
    application = EchoApplication()
    with (
        served(application) as (server, listener),
        running(server),
        greeted(listener.path) as (slow, long_session),
        greeted(listener.path) as (quick, session),
    ):
        slow.send(encode_frame(FrameType.INVOKE, 5, Invoke(long_session, WAIT).encode()))
        assert application.waiting.acquire(timeout=20)
        for _ in range(10):
            assert echoes(quick, session)
        application.gate.set()
        assert answer(slow) is FrameType.INVOKE_REPLY


def ask_to_wait(client: RawClient, session: int) -> None:
    client.send(encode_frame(FrameType.INVOKE, 1, Invoke(session, WAIT).encode()))


def is_silent(client: RawClient) -> bool:
    return not select.select([client.socket], [], [], 0)[0]


def test_a_request_that_has_to_wait_holds_no_thread_and_is_done_in_its_time() -> None:
    application = EchoApplication()
    application.wait = 1.0
    application.gate.set()
    with (
        served(application, Limits(keep_alive=0.1)) as (server, listener),
        running(server),
        greeted(listener.path) as (patient, session),
        greeted(listener.path) as (other, its_session),
    ):
        for _ in range(2):  # the second comes while a thread still has the conversation
            ask_to_wait(patient, session)
            assert eventually(lambda: bool(server._deferred.all()) and not server._busy)
            assert echoes(other, its_session)
            frames = [patient.frame().type]
            while frames[-1] is FrameType.KEEP_ALIVE:
                frames.append(patient.frame().type)
            assert frames[-1] is FrameType.INVOKE_REPLY
            assert len(frames) > 1, "it was told meanwhile that its request runs"


def test_a_server_that_stops_ends_what_has_to_wait() -> None:
    application = EchoApplication()
    application.wait = 3600
    with served(application) as (server, listener), ExitStack() as stack:
        with running(server):
            patient, session = stack.enter_context(greeted(listener.path))
            ask_to_wait(patient, session)
            assert eventually(lambda: bool(server._deferred.all()))
            assert is_silent(patient)
        assert patient.is_closed()
    assert application.wait_until_open(0)
