# SPDX-License-Identifier: Apache-2.0
"""Attacks with descriptors: nothing is mapped, nothing unsealed is read, nothing that was sent stays open."""

import fcntl
import os
import tempfile

import pytest

from softee.daemon.memory_file import _all_of
from softee.names import ParamType, TeeResult
from softee.wire.codec import WireError
from softee.wire.frames import FrameType, encode_frame
from softee.wire.messages import CloseSession, Hello, Invoke
from softee.wire.parameters import MAX_MEMORY_FILE, Parameters, Region
from softee.wire.values import Memref
from support.channel_attack import under_attack
from support.echo_application import ECHO
from support.raw_client import RawClient, echo_in_file, echo_inline, echoes, greeted, memory_file

SIZE = 100_000


def invoke(parameters: Parameters, session: int = 1) -> bytes:
    return encode_frame(FrameType.INVOKE, 1, Invoke(session, ECHO, 0, parameters).encode())


def refused(frame: bytes, *descriptors: int, features: int = 1) -> None:
    """Send a frame with descriptors, and see that it costs the sender its channel and nobody else anything."""
    with under_attack() as world, RawClient(world.socket) as attacker:
        attacker.hello(features=features)
        attacker.send(frame, descriptors)
        assert attacker.is_closed()


def test_buffers_in_a_sealed_memory_file_are_served() -> None:
    content = os.urandom(SIZE)
    with (
        under_attack() as world,
        greeted(world.socket) as (client, session),
        memory_file(content + bytes(SIZE)) as file,
    ):
        parameters = echo_in_file(SIZE, output_at=SIZE)
        for _ in range(20):
            assert client.invoke(session, ECHO, parameters, [file]) == TeeResult.SUCCESS
        target = parameters.params[1]
        assert isinstance(target, Memref)
        assert (target.size, target.out) == (SIZE, b"")
        assert os.pread(file, SIZE, SIZE) == content
        assert echoes(client, session)


def test_an_output_that_is_too_small_leaves_the_memory_file_as_it_is() -> None:
    source, target = Memref(ParamType.MEMREF_INPUT, capacity=8), Memref(ParamType.MEMREF_OUTPUT, capacity=4)
    parameters = Parameters((source, target, None, None), (Region(0, 0), Region(1, 8)))
    with under_attack() as world, greeted(world.socket) as (client, session), memory_file(b"12345678....") as file:
        assert client.invoke(session, ECHO, parameters, [file]) == TeeResult.SHORT_BUFFER
        assert os.pread(file, 100, 0) == b"12345678...."
    assert target.size == 8


@pytest.mark.parametrize("seals", [0, fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_GROW, fcntl.F_SEAL_WRITE])
def test_a_memory_file_without_the_seals_is_refused(seals: int, caplog: pytest.LogCaptureFixture) -> None:
    with memory_file(bytes(200), seals) as file:
        refused(invoke(echo_in_file(100, output_at=100)), file)
    assert "not sealed" in caplog.text


@pytest.mark.parametrize(("size", "output_at"), [(101, 0), (100, 100), (1, 1 << 63), (50, 0xFFFFFFFFFFFFFFFF)])
def test_a_memory_file_that_is_too_short_is_refused(
    size: int, output_at: int, caplog: pytest.LogCaptureFixture
) -> None:
    with memory_file(bytes(100)) as file:
        refused(invoke(echo_in_file(size, output_at)), file)
    assert "beyond the memory file's 100 bytes" in caplog.text


def test_buffers_that_are_together_larger_than_their_file_are_refused() -> None:
    with memory_file(bytes(100)) as file:
        refused(invoke(echo_in_file(51, output_at=0)), file)


def test_a_memory_file_above_the_limit_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    with memory_file(b"", seals=0) as file:
        os.ftruncate(file, MAX_MEMORY_FILE + 1)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        refused(invoke(echo_in_file(10, output_at=10)), file)
    assert "are allowed" in caplog.text


def test_the_largest_memory_file_is_served_and_one_that_gives_less_than_it_has_is_not() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session), memory_file(b"content", 0) as file:
        os.ftruncate(file, MAX_MEMORY_FILE)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        assert client.invoke(session, ECHO, echo_in_file(7, output_at=MAX_MEMORY_FILE - 7), [file]) == TeeResult.SUCCESS
        assert os.pread(file, 7, MAX_MEMORY_FILE - 7) == b"content"
    with pytest.raises(WireError, match="gave or took 1 bytes of 2"):
        _all_of(b"12", lambda: 1)


def test_a_memory_file_cannot_be_shrunk_between_check_and_use() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session), memory_file(bytes(200)) as file:
        with pytest.raises(PermissionError):
            os.ftruncate(file, 10)
        assert client.invoke(session, ECHO, echo_in_file(100, output_at=100), [file]) == TeeResult.SUCCESS


@pytest.mark.parametrize("seals", [fcntl.F_SEAL_WRITE, 0x10])
def test_an_output_in_a_memory_file_that_cannot_be_written_is_a_bad_frame(
    seals: int, caplog: pytest.LogCaptureFixture
) -> None:
    with under_attack() as world, greeted(world.socket) as (attacker, session), memory_file(bytes(200)) as file:
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
        attacker.send(invoke(echo_in_file(100, output_at=100), session), [file])
        assert attacker.is_closed()
    assert "a bad frame" in caplog.text
    assert "cannot be used" in caplog.text


def test_a_plain_file_is_refused() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(200))
        file.flush()
        refused(invoke(echo_in_file(100, output_at=100)), file.fileno())


def test_a_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    try:
        refused(invoke(echo_in_file(1, output_at=0)), reading)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("count", [2, 3, 10, 253])
def test_more_than_one_descriptor_is_refused(count: int, caplog: pytest.LogCaptureFixture) -> None:
    with memory_file(bytes(200)) as file:
        refused(invoke(echo_in_file(100, output_at=100)), *[file] * count)
    assert "more than one descriptor" in caplog.text


def test_a_second_descriptor_later_in_the_frame_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    frame = invoke(echo_in_file(100, output_at=100))
    with under_attack() as world, memory_file(bytes(200)) as file, RawClient(world.socket) as attacker:
        attacker.hello()
        attacker.send(frame[:20], [file])
        attacker.send(frame[20:], [file])
        assert attacker.is_closed()
    assert "more than one descriptor" in caplog.text


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(invoke(echo_inline(b"abc")), id="invoke"),
        pytest.param(encode_frame(FrameType.CLOSE_SESSION, 1, CloseSession(1).encode()), id="close_session"),
        pytest.param(encode_frame(FrameType.CANCEL, 1, bytes(8)), id="cancel"),
        pytest.param(encode_frame(FrameType.HELLO, 1, Hello().encode()), id="hello"),
        pytest.param(encode_frame(FrameType.INVOKE_REPLY, 1, b""), id="no_request"),
        pytest.param(b"\xff" * 12, id="no_frame"),
    ],
)
def test_a_descriptor_that_is_not_needed_is_refused_and_closed(frame: bytes) -> None:
    with memory_file(bytes(200)) as file:
        refused(frame, file)


def test_a_descriptor_with_the_first_hello_is_refused() -> None:
    with under_attack() as world, memory_file(bytes(200)) as file, RawClient(world.socket) as attacker:
        attacker.send(encode_frame(FrameType.HELLO, 1, Hello().encode()), [file])
        assert attacker.is_closed()


def test_a_memory_file_that_was_not_agreed_upon_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    with memory_file(bytes(200)) as file:
        refused(invoke(echo_in_file(100, output_at=100)), file, features=0)
    assert "agreed upon" in caplog.text


def test_the_descriptor_of_a_cut_frame_is_closed() -> None:
    with under_attack() as world, memory_file(bytes(200)) as file, RawClient(world.socket) as attacker:
        attacker.hello()
        attacker.send(invoke(echo_in_file(100, output_at=100))[:15], [file])
        attacker.socket.shutdown(1)
        assert attacker.is_closed()
