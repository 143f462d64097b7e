# SPDX-License-Identifier: Apache-2.0
"""Attacks with frames: whatever comes in, its channel is closed, the log says who and what, nobody else notices."""

import os
import random
import struct
from uuid import UUID

import pytest

from softee.names import ParamType, TeeResult
from softee.wire.frames import MAX_LENGTH, FrameType, encode_frame
from softee.wire.messages import Hello, Invoke, OpenSession, OpenSessionReply
from softee.wire.parameters import Parameters
from softee.wire.values import Memref
from support.channel_attack import IMPATIENT, under_attack
from support.echo_application import ECHO, ECHO_UUID, FILL
from support.raw_client import RawClient, echo_inline, echoes, greeted, u32
from support.secure_world import is_served

WHOLE = encode_frame(FrameType.INVOKE, 7, Invoke(1, ECHO, 0, echo_inline(b"abc")).encode())


@pytest.mark.parametrize(
    ("attack", "logged"),
    [
        pytest.param(u32(0xFFFFFFFF, 3, 7), "length", id="oversized_length"),
        pytest.param(u32(MAX_LENGTH + 1, 3, 7), "length", id="length_one_too_large"),
        pytest.param(u32(0, 3, 7), "length", id="length_zero"),
        pytest.param(u32(7, 3, 7), "length", id="length_below_the_header"),
        pytest.param(u32(8, 0, 7), "unknown frame type", id="unknown_type"),
        pytest.param(encode_frame(FrameType.KEEP_ALIVE, 7), "not for clients", id="a_keep_alive"),
        pytest.param(encode_frame(FrameType.INVOKE_REPLY, 7, bytes(12)), "not for clients", id="a_reply"),
        pytest.param(encode_frame(FrameType.HELLO, 7, Hello().encode()), "second HELLO", id="second_hello"),
        pytest.param(encode_frame(FrameType.INVOKE, 7, b""), "at least 16", id="invoke_without_payload"),
        pytest.param(encode_frame(FrameType.INVOKE, 7, u32(1, 1, 0, 0) + b"x"), "left over", id="params_leftovers"),
        pytest.param(encode_frame(FrameType.INVOKE, 7, u32(1, 1, 0, 0x10000)), "four", id="five_parameters"),
        pytest.param(encode_frame(FrameType.INVOKE, 7, u32(1, 1, 0, 4)), "does not exist", id="parameter_type"),
        pytest.param(encode_frame(FrameType.CLOSE_SESSION, 7, u32(1, 1)), "left over", id="close_leftovers"),
        pytest.param(encode_frame(FrameType.CANCEL, 7, u32(1)), "left", id="cut_cancel"),
        pytest.param(encode_frame(FrameType.OPEN_SESSION, 7, bytes(20)), "left", id="cut_open_session"),
        pytest.param(
            encode_frame(FrameType.INVOKE, 7, u32(1, 1, 0, 5) + struct.pack("<BI", 0, 0xFFFFFFFF)),
            "announced",
            id="a_buffer_larger_than_its_frame",
        ),
        pytest.param(
            encode_frame(FrameType.INVOKE, 7, u32(1, 1, 0, 5) + struct.pack("<BIQ", 1, 10, 0)),
            "no descriptor",
            id="a_buffer_in_a_memory_file_that_is_not_there",
        ),
        pytest.param(WHOLE + WHOLE, "more came", id="two_requests_at_once"),
    ],
)
def test_a_bad_frame_closes_its_channel_alone(attack: bytes, logged: str, caplog: pytest.LogCaptureFixture) -> None:
    with under_attack() as world, greeted(world.socket) as (attacker, _):
        attacker.send(attack)
        assert attacker.is_closed()
    (record,) = [record for record in caplog.records if "a bad frame" in record.message]
    assert record.message.startswith("a bad frame from pid ")
    assert logged in record.message


@pytest.mark.parametrize("size", [1, 3, 4, 11, 12, 20, len(WHOLE) - 1])
def test_a_cut_frame_closes_its_channel_alone(size: int, caplog: pytest.LogCaptureFixture) -> None:
    with under_attack() as world, greeted(world.socket) as (attacker, _):
        attacker.send(WHOLE[:size])
        attacker.socket.shutdown(1)
        assert attacker.is_closed()
    assert "cut after" in caplog.text


@pytest.mark.parametrize("size", [0, 1, 4, 12, 20])
def test_half_a_frame_and_then_silence_closes_its_channel_alone(size: int, caplog: pytest.LogCaptureFixture) -> None:
    with under_attack(IMPATIENT) as world, RawClient(world.socket) as attacker:
        if size:
            attacker.hello()
        attacker.send(WHOLE[:size])
        assert attacker.is_closed()
    assert "did not come in time" in caplog.text


def test_a_frame_that_drips_in_byte_by_byte_has_no_more_time_than_another() -> None:
    with under_attack(IMPATIENT) as world, RawClient(world.socket) as attacker:
        attacker.hello()
        attacker.socket.settimeout(IMPATIENT.frame_timeout / 4)
        sent = 0
        for byte in bytes(8 + 100) + bytes(100):
            try:
                attacker.send(b"\xd0" if sent == 0 else bytes([byte]))
                sent += 1
                if attacker.socket.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        assert sent < 12


def test_a_frame_in_pieces_is_served() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session):
        payload = Invoke(session, ECHO, 0, echo_inline(b"in pieces")).encode()
        for byte in encode_frame(FrameType.INVOKE, 9, payload):
            client.send(bytes([byte]))
        assert client.frame().serial == 9


def test_the_largest_frame_is_served() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session):
        parameters = echo_inline(os.urandom(MAX_LENGTH - 64 * 1024))
        assert client.invoke(session, ECHO, parameters) == TeeResult.SUCCESS
        target = parameters.params[1]
        assert isinstance(target, Memref)
        source = parameters.params[0]
        assert isinstance(source, Memref)
        assert target.out == source.data


def test_more_inline_output_than_a_reply_can_hold_is_refused_before_anything_is_run() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session):
        size = Memref(ParamType.MEMREF_OUTPUT, capacity=0xFFFFFFFF)
        assert client.invoke(session, FILL, Parameters((None, size, None, None))) == TeeResult.EXCESS_DATA
        assert echoes(client, session)


def test_a_session_whose_answer_no_frame_can_hold_is_not_opened() -> None:
    with under_attack() as world, RawClient(world.socket) as attacker:
        attacker.hello()
        output = Parameters((Memref(ParamType.MEMREF_OUTPUT, capacity=0xFFFFFFFF), None, None, None))
        frame = attacker.request(FrameType.OPEN_SESSION, OpenSession(ECHO_UUID, parameters=output).encode())
        reply = OpenSessionReply.decode(frame.payload, output)
        assert (reply.result, reply.session) == (TeeResult.EXCESS_DATA, 0)
        assert world.application.wait_until_open(1), "the bystander's alone"
        attacker.open_session()


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_close_their_channel_alone(seed: int) -> None:
    noise = random.Random(seed)  # noqa: S311 - the same noise each time
    with under_attack() as world, RawClient(world.socket) as attacker:
        if seed % 2:
            attacker.hello()
        attacker.send(noise.randbytes(noise.randrange(12, 3000)))
        attacker.socket.shutdown(1)
        assert attacker.is_closed()


@pytest.mark.parametrize("serial", [0, 1, 0xFFFFFFFF])
def test_any_serial_is_answered_with_itself(serial: int) -> None:
    with under_attack() as world, greeted(world.socket) as (client, session):
        payload = Invoke(session, ECHO, 0, echo_inline(b"x")).encode()
        for _ in range(2):
            assert client.request(FrameType.INVOKE, payload, serial=serial).serial == serial


def test_a_channel_that_does_not_begin_with_hello_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    with under_attack() as world, RawClient(world.socket) as attacker:
        attacker.send(WHOLE)
        assert attacker.is_closed()
    assert "begins with HELLO, not with INVOKE" in caplog.text


def test_a_hello_of_another_version_is_answered_and_closed() -> None:
    with under_attack() as world, RawClient(world.socket) as attacker:
        frame = attacker.request(FrameType.HELLO, b"STEE" + u32(2) + b"whatever version 2 may want")
        assert frame.type is FrameType.HELLO_REPLY
        assert bytes(frame.payload[:8]) == u32(TeeResult.NOT_SUPPORTED, 1)
        assert bytes(frame.payload[16:]) == bytes(16)
        assert attacker.is_closed()


def test_an_unknown_application_leaves_the_channel_open() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session):
        payload = UUID(int=9).bytes + u32(0, 0, 0, 0)
        reply = client.request(FrameType.OPEN_SESSION, payload).payload
        assert bytes(reply[:12]) == u32(TeeResult.ITEM_NOT_FOUND, 3, 0)
        assert echoes(client, session)


def test_features_that_do_not_exist_are_not_agreed_upon() -> None:
    with under_attack() as world, RawClient(world.socket) as client:
        assert client.hello(features=0xFFFFFFFF).features == 1


def test_connections_without_a_word_are_closed_and_disturb_nobody() -> None:
    with under_attack(IMPATIENT) as world:
        silent = [RawClient(world.socket) for _ in range(50)]
        assert is_served(world.socket)
        assert all(client.is_closed() for client in silent)
        for client in silent:
            client.socket.close()
