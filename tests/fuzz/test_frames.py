# SPDX-License-Identifier: Apache-2.0
"""Any bytes are a frame and a message, or are refused with WireError; what decodes, encodes to the same bytes."""

from hypothesis import assume, given
from hypothesis import strategies as st

from softee.wire.codec import WireError
from softee.wire.frames import FrameType, decode_frame, encode_frame
from softee.wire.messages import (
    VERSION,
    Hello,
    HelloReply,
    InvokeReply,
    OpenSessionReply,
    Request,
    ResultReply,
    decode_request,
)
from softee.wire.parameters import Parameters
from support.wire_strategies import REQUESTS, operations


def decode_or_refuse(data: bytes) -> Request | None:
    """Decode as the daemon does. Nothing but WireError may be raised."""
    try:
        return decode_request(decode_frame(memoryview(data)))
    except WireError:
        return None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    decode_or_refuse(data)


@given(st.sampled_from(FrameType), st.binary(max_size=200))
def test_any_payload_decodes_or_is_refused(frame_type: FrameType, payload: bytes) -> None:
    message = decode_or_refuse(encode_frame(frame_type, 1, payload))
    if message is not None and not (isinstance(message, Hello) and message.version != VERSION):
        assert message.encode() == payload


@given(REQUESTS, st.data())
def test_a_changed_request_decodes_or_is_refused(message: Request, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(message.TYPE, 1, message.encode()))
    index = data.draw(st.integers(0, len(frame) - 1))
    frame[index] ^= data.draw(st.integers(1, 255))
    decode_or_refuse(bytes(frame))


@given(operations(), st.binary(max_size=100))
def test_any_reply_decodes_or_is_refused(parameters: Parameters, payload: bytes) -> None:
    assume(parameters.inline_output < 1 << 20)
    for decode in (
        HelloReply.decode,
        ResultReply.decode,
        lambda data: OpenSessionReply.decode(data, parameters),
        lambda data: InvokeReply.decode(data, parameters),
    ):
        try:
            decode(memoryview(payload))
        except WireError:
            continue
