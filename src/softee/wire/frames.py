# SPDX-License-Identifier: Apache-2.0
"""Frames: what separates one message on a channel from the next (docs/wire-protocol.md, "Frames").

A frame is ``length | type | serial | payload``, all integers 32-bit little endian; ``length`` counts what follows it.
Pure functions: bytes in, values out. Whatever the bytes, they give a value or raise :class:`WireError`.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from softee.wire.codec import WireError

LENGTH_SIZE = 4
"""Bytes of the length field, which it does not count itself."""
HEADER_SIZE = 12
"""Bytes before the payload: length, type and serial."""
MIN_LENGTH = HEADER_SIZE - LENGTH_SIZE
"""The smallest ``length``: type and serial, no payload."""
MAX_LENGTH = 0x110000
"""The largest ``length``: 1 MiB of inline data and 64 KiB for all else."""
LEAST_MAX_LENGTH = 4096
"""The least that a secure world may take as its largest ``length``."""

REPLY_BIT = 0x80
"""What a reply's type has besides its request's."""

_HEADER = struct.Struct("<III")
_LENGTH = struct.Struct("<I")


class FrameType(IntEnum):
    """What a frame's payload is."""

    HELLO = 0x01
    OPEN_SESSION = 0x02
    INVOKE = 0x03
    CANCEL = 0x04
    CLOSE_SESSION = 0x05
    HELLO_REPLY = 0x81
    OPEN_SESSION_REPLY = 0x82
    INVOKE_REPLY = 0x83
    CANCEL_REPLY = 0x84
    CLOSE_SESSION_REPLY = 0x85
    KEEP_ALIVE = 0xFF


_TYPES = {int(frame_type): frame_type for frame_type in FrameType}


@dataclass(slots=True)
class Frame:
    """A whole frame. ``payload`` may be a view of a buffer that is used again for the next frame.

    Not frozen, which would cost three times as much to make.
    """

    type: FrameType
    serial: int
    payload: memoryview = field(repr=False)


def frame_size(data: bytes | bytearray | memoryview, max_length: int = MAX_LENGTH) -> int:
    """Return how many bytes the frame that begins with ``data`` has in all, by its first four bytes.

    Raises:
        WireError: fewer than four bytes, or a length below 8 or above ``max_length``.

    """
    if len(data) < LENGTH_SIZE:
        raise WireError(f"{LENGTH_SIZE} bytes of length wanted, {len(data)} there")
    return _size(_LENGTH.unpack_from(data)[0], max_length)


def _size(length: int, max_length: int) -> int:
    if not MIN_LENGTH <= length <= max_length:
        raise WireError(f"a frame's length is {MIN_LENGTH} to {max_length}, not {length}")
    return LENGTH_SIZE + length


def whole_frame(buffer: memoryview, count: int, max_length: int = MAX_LENGTH) -> Frame | None:
    """Return the frame that the first ``count`` bytes of a buffer are, None where more of it has to come.

    Raises:
        WireError: they are no frame, have leftovers, or are of an unknown type.

    """
    if count < HEADER_SIZE:
        return None
    length, type_number, serial = _HEADER.unpack_from(buffer)
    frame_type = _TYPES.get(type_number)
    if count == LENGTH_SIZE + length <= LENGTH_SIZE + max_length and frame_type is not None:
        return Frame(frame_type, serial, buffer[HEADER_SIZE:count])
    size = _size(length, max_length)
    if count < size:
        return None
    if count > size:
        raise WireError("more came before the reply; a channel carries one request at a time")
    raise _unknown(type_number)


def decode_frame(data: memoryview, max_length: int = MAX_LENGTH) -> Frame:
    """Decode exactly one frame.

    Raises:
        WireError: ``data`` is no frame, is cut, has leftovers, or is of an unknown type.

    """
    size = frame_size(data, max_length)
    if len(data) != size:
        raise WireError(f"a frame of {size} bytes was announced, {len(data)} bytes are there")
    _, type_number, serial = _HEADER.unpack_from(data)
    return Frame(_frame_type(type_number), serial, data[HEADER_SIZE:])


def _frame_type(number: int) -> FrameType:
    frame_type = _TYPES.get(number)
    if frame_type is None:
        raise _unknown(number)
    return frame_type


def _unknown(number: int) -> WireError:
    return WireError(f"unknown frame type {number:#x}")


def encode_frame(frame_type: FrameType, serial: int, payload: bytes = b"") -> bytes:
    """Return the bytes of a frame.

    Raises:
        WireError: the payload is larger than a frame may be.

    """
    length = MIN_LENGTH + len(payload)
    if length > MAX_LENGTH:
        raise WireError(f"a payload of {len(payload)} bytes does not fit into a frame")
    return _HEADER.pack(length, frame_type, serial) + payload
