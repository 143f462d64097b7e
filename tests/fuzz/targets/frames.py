# SPDX-License-Identifier: Apache-2.0
"""Any bytes are one frame and a request in it, or are refused with WireError; what decodes, encodes to the same bytes.

Both ways to find a frame, whole and in a buffer that fills up, agree.
"""

from contextlib import suppress

from fuzz.targets.data import Data
from softee.wire.codec import WireError
from softee.wire.frames import Frame, FrameType, decode_frame, encode_frame, whole_frame
from softee.wire.messages import VERSION, Hello, HelloReply, ResultReply, decode_request

TYPES = tuple(FrameType)


def one_input(raw: bytes) -> None:
    """Decode bytes as the daemon does: as they are, or as the payload of a frame of some type."""
    data = Data(raw)
    which = data.number()
    if which < 2 * len(TYPES):
        framed = encode_frame(TYPES[which % len(TYPES)], data.number(4), data.rest())
    else:
        framed = data.rest()
    frame = found(framed)
    if frame is not None:
        decode_payload(frame)


def found(framed: bytes) -> Frame | None:
    try:
        frame = decode_frame(memoryview(framed))
    except WireError:
        frame = None
    with suppress(WireError):
        assert whole_frame(memoryview(framed), len(framed)) == frame
    if frame is not None:
        assert encode_frame(frame.type, frame.serial, bytes(frame.payload)) == framed
        assert whole_frame(memoryview(framed), len(framed) - 1) is None
    return frame


def decode_payload(frame: Frame) -> None:
    """Decode a request; and as a client, the replies that need no request's parameters."""
    with suppress(WireError):
        message = decode_request(frame)
        if not (isinstance(message, Hello) and message.version != VERSION):
            assert message.encode() == frame.payload
    for reply in (HelloReply, ResultReply):
        with suppress(WireError):
            assert reply.decode(frame.payload).encode() == frame.payload
