# SPDX-License-Identifier: Apache-2.0
"""Messages and parameters: round trips, and everything that is not what the protocol page says."""

import os
import struct
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given

from softee.daemon.memory_file import write_outputs
from softee.names import Origin, ParamType, TeeResult
from softee.wire.codec import WireError
from softee.wire.frames import Frame, FrameType
from softee.wire.messages import (
    REPLY_OF,
    CloseSession,
    Hello,
    HelloReply,
    Invoke,
    InvokeReply,
    OpenSession,
    OpenSessionReply,
    Request,
    ResultReply,
    decode_request,
)
from softee.wire.parameters import Parameters, Region
from softee.wire.values import NO_PARAMS, Memref, Value
from support.wire_strategies import REQUESTS, U32


def decode(message: Request) -> Request:
    return decode_request(Frame(message.TYPE, 1, memoryview(message.encode())))


@given(REQUESTS)
def test_a_request_round_trips(message: Request) -> None:
    assert decode(message) == message


@given(U32, U32, U32)
def test_replies_round_trip(result: int, origin: int, number: int) -> None:
    hello = HelloReply(result, origin, number, number, bytes(range(16)))
    assert HelloReply.decode(memoryview(hello.encode())) == hello
    opened = OpenSessionReply(result, origin, number)
    assert OpenSessionReply.decode(memoryview(opened.encode()), Parameters()) == opened
    invoked = InvokeReply(result, origin)
    assert InvokeReply.decode(memoryview(invoked.encode()), Parameters()) == invoked
    closed = ResultReply(result)
    assert ResultReply.decode(memoryview(closed.encode())) == closed


@pytest.mark.parametrize(
    ("reply", "decoder"),
    [
        pytest.param(HelloReply(0, 1, 0, 4096, bytes(16)), HelloReply.decode, id="hello"),
        pytest.param(OpenSessionReply(0, 4, 1), lambda data: OpenSessionReply.decode(data, Parameters()), id="open"),
        pytest.param(InvokeReply(0, 4), lambda data: InvokeReply.decode(data, Parameters()), id="invoke"),
        pytest.param(ResultReply(0), ResultReply.decode, id="result"),
    ],
)
def test_leftovers_and_cuts_of_every_reply_are_refused(
    reply: HelloReply | OpenSessionReply | InvokeReply | ResultReply, decoder: Callable[[memoryview], object]
) -> None:
    payload = reply.encode()
    assert decoder(memoryview(payload)) == reply
    for wrong in (payload + b"\0", payload[:-1], b""):
        with pytest.raises(WireError):
            decoder(memoryview(wrong))


@given(REQUESTS)
def test_leftovers_and_cuts_of_every_request_are_refused(message: Request) -> None:
    payload = message.encode()
    for wrong in (payload + b"\0", payload[:-1]):
        with pytest.raises(WireError):
            decode_request(Frame(message.TYPE, 1, memoryview(wrong)))


def test_the_layouts_are_those_of_the_protocol_page() -> None:
    uuid = UUID("fd02c9da-306c-48c7-a49c-bbd827ae86ee")
    assert Hello(secret=bytes(16)).encode() == b"STEE" + struct.pack("<II", 1, 0) + bytes(16)
    assert OpenSession(uuid, 2, 100, 9).encode() == uuid.bytes + struct.pack("<IIII", 2, 100, 9, 0)
    assert CloseSession(7).encode() == struct.pack("<I", 7)
    params = (Memref(ParamType.MEMREF_INOUT, bytearray(b"abc"), 3), Value(ParamType.VALUE_INPUT, 1, 2), None, None)
    expected = struct.pack("<IIII", 5, 6, 0, 0x17) + b"\0" + struct.pack("<I", 3) + b"abc" + struct.pack("<II", 1, 2)
    assert Invoke(5, 6, 0, Parameters(params)).encode() == expected
    in_file = Parameters((Memref(ParamType.MEMREF_OUTPUT, capacity=9), None, None, None), (Region(0, 4096),))
    expected = struct.pack("<IIII", 5, 6, 0, 0x6) + b"\1" + struct.pack("<IQ", 9, 4096)
    assert Invoke(5, 6, 0, in_file).encode() == expected


def test_answers_travel_in_the_reply_alone() -> None:
    output = Memref(ParamType.MEMREF_OUTPUT, capacity=4)
    both = Memref(ParamType.MEMREF_INOUT, bytearray(b"1234"), 4)
    value = Value(ParamType.VALUE_INOUT, 1, 2)
    served = Parameters((Memref(ParamType.MEMREF_INPUT, bytearray(b"in"), 2), output, both, value))
    assert output.reply(b"out")
    assert not both.reply(b"12345")
    value.a, value.b = 3, 4
    payload = InvokeReply(TeeResult.SHORT_BUFFER, Origin.TRUSTED_APP, served).encode()
    assert payload == struct.pack("<III", 0xFFFF0010, 4, 0x3765) + struct.pack("<I3sIII", 3, b"out", 5, 3, 4)[:7] + (
        struct.pack("<III", 5, 3, 4)
    )
    asked = Parameters(
        (
            Memref(ParamType.MEMREF_INPUT, bytearray(b"in"), 2),
            Memref(ParamType.MEMREF_OUTPUT, capacity=4),
            Memref(ParamType.MEMREF_INOUT, bytearray(b"1234"), 4),
            Value(ParamType.VALUE_INOUT, 1, 2),
        )
    )
    InvokeReply.decode(memoryview(payload), asked)
    _, first, second, third = asked.params
    assert isinstance(first, Memref)
    assert isinstance(second, Memref)
    assert (first.out, first.size, second.out, second.size) == (b"out", 3, b"", 5)
    assert third == Value(ParamType.VALUE_INOUT, 3, 4)


def test_an_output_in_the_memory_file_leaves_its_bytes_out_of_the_reply() -> None:
    output = Memref(ParamType.MEMREF_OUTPUT, capacity=4)
    parameters = Parameters((output, None, None, None), (Region(0, 0),))
    output.reply(b"abcd")
    descriptor = os.memfd_create("test")
    try:
        write_outputs(descriptor, parameters)
        assert os.pread(descriptor, 9, 0) == b"abcd"
    finally:
        os.close(descriptor)
    assert InvokeReply(0, 4, parameters).encode() == struct.pack("<IIII", 0, 4, 0x6, 4)


def test_an_untouched_output_is_empty() -> None:
    parameters = Parameters((Memref(ParamType.MEMREF_OUTPUT, capacity=4), None, None, None))
    assert InvokeReply(0, 4, parameters).encode() == struct.pack("<IIII", 0, 4, 0x6, 0)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        (struct.pack("<I", 0x10000), "more than four"),
        (struct.pack("<I", 0x4), "does not exist"),
        (struct.pack("<I", 0x8), "does not exist"),
        (struct.pack("<I", 0xF000), "does not exist"),
        (struct.pack("<IBI", 0x5, 2, 1), "NULL"),
        (struct.pack("<IBI", 0x6, 3, 0), "nowhere"),
        (struct.pack("<IBI", 0x5, 0, 5) + b"abcd", "announced"),
        (struct.pack("<IBI", 0x5, 0, 0xFFFFFFFF), "announced"),
        (struct.pack("<IBI", 0x5, 1, 4), "in the middle"),
        (struct.pack("<II", 0x1, 1), "in the middle"),
        (b"\0\0\0", "in the middle"),
        (struct.pack("<I", 0) + b"x", "left over"),
    ],
)
def test_wrong_parameters_are_refused(params: bytes, why: str) -> None:
    payload = struct.pack("<III", 1, 2, 0) + params
    with pytest.raises(WireError, match=why):
        decode_request(Frame(FrameType.INVOKE, 1, memoryview(payload)))


def test_a_null_buffer_is_told_from_an_empty_one() -> None:
    payload = struct.pack("<III", 1, 2, 0) + struct.pack("<IBIBIBI", 0x665, 2, 0, 2, 0, 0, 0)
    message = decode_request(Frame(FrameType.INVOKE, 1, memoryview(payload)))
    assert isinstance(message, Invoke)
    nothing = (Memref(ParamType.MEMREF_INPUT, null=True), Memref(ParamType.MEMREF_OUTPUT, null=True))
    assert message.parameters.params == (*nothing, Memref(ParamType.MEMREF_OUTPUT), None)
    assert message.encode() == payload


@pytest.mark.parametrize("frame_type", [*REPLY_OF.values(), FrameType.KEEP_ALIVE])
def test_replies_are_not_for_clients_to_send(frame_type: FrameType) -> None:
    with pytest.raises(WireError, match="not for clients"):
        decode_request(Frame(frame_type, 1, memoryview(b"")))


def test_a_hello_without_its_magic_is_refused() -> None:
    with pytest.raises(WireError, match="magic"):
        Hello.decode(memoryview(b"HTTP" + bytes(24)))


def test_of_another_version_only_the_version_is_read() -> None:
    assert Hello.decode(memoryview(b"STEE" + struct.pack("<I", 2) + b"whatever")) == Hello(version=2)


def test_a_reply_with_other_types_than_the_request_is_refused() -> None:
    payload = InvokeReply(0, 4, Parameters((Value(ParamType.VALUE_OUTPUT), None, None, None))).encode()
    with pytest.raises(WireError, match="types"):
        InvokeReply.decode(memoryview(payload), Parameters(NO_PARAMS))


def test_a_reply_with_more_data_than_the_buffer_holds_is_refused() -> None:
    payload = struct.pack("<IIII", 0, 4, 0x6, 5) + b"abcde"
    with pytest.raises(WireError, match="left over"):
        InvokeReply.decode(
            memoryview(payload), Parameters((Memref(ParamType.MEMREF_OUTPUT, capacity=4), None, None, None))
        )


def test_no_repr_shows_what_a_client_sent() -> None:
    secret = bytes.fromhex("5ec7e75ec7e75ec7e75ec7e75ec7e75e")
    parameters = Parameters((Memref(ParamType.MEMREF_INPUT, bytearray(secret), 16), None, None, None))
    for shown in (Hello(secret=secret), Invoke(1, 2, 0, parameters), HelloReply(0, 1, 0, 9, secret)):
        assert repr(secret)[2:-1] not in repr(shown)
