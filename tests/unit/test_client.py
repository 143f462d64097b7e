# SPDX-License-Identifier: Apache-2.0
"""The Python client: what it does with a secure world that is well, gone, silent, foreign or mad."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from softee.client import ClientError, NotRunningError, RefusedError, SilenceError, TeeClient
from softee.daemon.settings import Limits
from softee.names import Origin, ParamType, TeeResult
from softee.wire.frames import FrameType, encode_frame
from softee.wire.messages import HelloReply
from softee.wire.values import Memref, Value
from support.channel_attack import open_descriptors
from support.echo_application import ECHO, ECHO_UUID, FAIL, WAIT, EchoApplication
from support.secure_world import running_server, short_directory

HELLO_REPLY = HelloReply(TeeResult.SUCCESS, 1, 0, 1 << 20, b"s" * 16).encode()


@contextmanager
def scripted(answer: Callable[[socket.socket], None]) -> Iterator[Path]:
    """Run a peer that answers as a test wants: ``answer`` gets the connection after the client's hello."""
    with short_directory() as directory, socket.socket(socket.AF_UNIX) as listening:
        path = directory / "tee.sock"
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            thread.join(20)


def send(*frames: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(b"".join(frames))


def wait_for_end(connection: socket.socket) -> None:
    """Say nothing until the client closes the channel."""
    assert connection.recv(1) == b""


def test_a_command_and_its_answers() -> None:
    output, value = Memref(ParamType.MEMREF_OUTPUT, capacity=8), Value(ParamType.VALUE_INOUT, 1, 2)
    with (
        running_server([EchoApplication()]) as path,
        TeeClient(path) as client,
        client.open_session(ECHO_UUID) as session,
    ):
        params = (Memref(ParamType.MEMREF_INPUT, bytearray(b"hello"), 5), output, value, None)
        assert session.invoke(ECHO, params) == TeeResult.SUCCESS
        assert session.invoke(FAIL) == TeeResult.BAD_STATE
        assert client.cancel(session.number, 0) == TeeResult.SUCCESS
    assert (output.out, value.a, value.b) == (b"hello", 2, 1)


def test_sessions_of_a_context_are_shared_by_its_channels() -> None:
    application = EchoApplication()
    with running_server([application]) as path, TeeClient(path) as first, TeeClient(path, join=first.secret) as second:
        assert first.secret == second.secret
        session = first.open_session(ECHO_UUID)
        session.close()
        with pytest.raises(RefusedError):
            session.close()
        assert not application.sessions


def test_a_refusal_says_who_and_why() -> None:
    with running_server([EchoApplication()]) as path, TeeClient(path) as client:
        with pytest.raises(RefusedError, match="the session was refused: TEE_ERROR_ITEM_NOT_FOUND") as caught:
            client.open_session(UUID(int=5))
        assert caught.value.origin == Origin.TEE
        with pytest.raises(RefusedError, match="ACCESS_DENIED"):
            TeeClient(path, join=b"x" * 16)
        client.open_session(ECHO_UUID).close()


def test_nobody_there() -> None:
    with short_directory() as directory, pytest.raises(NotRunningError, match="no secure world answers at"):
        TeeClient(directory / "tee.sock")


def test_silence_ends_a_request() -> None:
    with scripted(wait_for_end) as path, pytest.raises(SilenceError):
        TeeClient(path, silence=0.1)


def test_keep_alives_are_no_silence() -> None:
    application = EchoApplication()
    with (
        running_server([application], Limits(keep_alive=0.05)) as path,
        TeeClient(path, silence=2) as client,
        client.open_session(ECHO_UUID) as session,
    ):
        opener = threading.Timer(2.5, application.gate.set)
        opener.start()
        assert session.invoke(WAIT) == TeeResult.SUCCESS
        opener.join()


GOOD_REPLY = encode_frame(FrameType.HELLO_REPLY, 1, HELLO_REPLY)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param(b"", "has closed the channel", id="end"),
        pytest.param(b"\xff" * 64, "a frame's length is", id="garbage"),
        pytest.param(GOOD_REPLY[:-1], "has closed the channel", id="cut"),
        pytest.param(
            encode_frame(FrameType.HELLO_REPLY, 1, HELLO_REPLY + b"x"), "makes no sense: .*left over", id="leftovers"
        ),
        pytest.param(
            encode_frame(FrameType.HELLO_REPLY, 2, HELLO_REPLY),
            "serial 2 is no reply to request 1",
            id="another_serial",
        ),
        pytest.param(
            encode_frame(FrameType.INVOKE_REPLY, 1, HELLO_REPLY) + GOOD_REPLY,
            "INVOKE_REPLY with serial 1 is no reply",
            id="another_type",
        ),
        pytest.param(
            encode_frame(FrameType.KEEP_ALIVE, 1, b"x") + GOOD_REPLY,
            "a KEEP_ALIVE has no payload",
            id="keep_alive_with_payload",
        ),
        pytest.param(
            encode_frame(FrameType.KEEP_ALIVE, 2) + GOOD_REPLY, "KEEP_ALIVE with serial 2", id="anothers_keep_alive"
        ),
    ],
)
def test_a_mad_peer_is_an_error_and_not_believed(sent: bytes, reason: str) -> None:
    before = open_descriptors()
    with scripted(send(sent)) as path, pytest.raises(ClientError, match=reason):
        TeeClient(path)
    assert open_descriptors() <= before


def test_a_client_that_is_refused_or_hears_nothing_keeps_nothing_open() -> None:
    before = open_descriptors()
    with running_server([EchoApplication()]) as path, pytest.raises(RefusedError):
        TeeClient(path, join=b"x" * 16)
    with scripted(wait_for_end) as path, pytest.raises(SilenceError):
        TeeClient(path, silence=0.01)
    assert open_descriptors() <= before


def test_after_an_error_the_channel_is_not_used_again() -> None:
    with scripted(send(encode_frame(FrameType.HELLO_REPLY, 1, HELLO_REPLY))) as path, TeeClient(path) as client:
        for _ in range(2):
            with pytest.raises(ClientError):
                client.open_session(ECHO_UUID)
