# SPDX-License-Identifier: Apache-2.0
"""Messages: what the frames of a channel say (docs/wire-protocol.md).

Each message is a dataclass that encodes to and decodes from a frame's payload. Decoding refuses leftovers, and whatever
the bytes, it gives a message or raises :class:`WireError`. All are frozen but INVOKE: that costs three times as
much to make, and every call makes one.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from softee.wire.codec import Reader, WireError, Writer
from softee.wire.frames import REPLY_BIT, Frame, FrameType
from softee.wire.parameters import (
    Parameters,
    decode_answers,
    decode_parameters,
    encode_answers,
    encode_parameters,
)

MAGIC = b"STEE"
VERSION = 1
FEATURE_MEMORY_FILES = 0x1
"""The peer can pass memory files."""
FEATURE_CHANGE_COUNTERS = 0x2
"""The secure world passes its change counters with HELLO_REPLY."""
FEATURES = FEATURE_MEMORY_FILES | FEATURE_CHANGE_COUNTERS
"""All features there are."""
SECRET_SIZE = 16
NO_SECRET = bytes(SECRET_SIZE)
"""The context secret that asks for a new context."""

_INVOKE = struct.Struct("<III")
_TWO = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a channel. Of an unknown version nothing but the version is known."""

    TYPE: ClassVar = FrameType.HELLO
    version: int = VERSION
    features: int = 0
    secret: bytes = field(default=NO_SECRET, repr=False)

    @classmethod
    def decode(cls, payload: memoryview) -> "Hello":
        """Decode a payload. Raises WireError."""
        reader = Reader(payload)
        if reader.take(len(MAGIC)) != MAGIC:
            raise WireError("a channel begins with HELLO and its magic")
        version = reader.u32()
        if version != VERSION:
            return cls(version)
        message = cls(version, reader.u32(), reader.take(SECRET_SIZE))
        reader.finish()
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        return Writer().raw(MAGIC).u32(self.version).u32(self.features).raw(self.secret).done()


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Open a TEE session with the application ``uuid``. ``login_data`` is the gid for GROUP, else 0."""

    TYPE: ClassVar = FrameType.OPEN_SESSION
    uuid: UUID
    login: int = 0
    login_data: int = 0
    cancel_id: int = 0
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def decode(cls, payload: memoryview) -> "OpenSession":
        """Decode a payload. Raises WireError."""
        reader = Reader(payload)
        uuid = UUID(bytes=reader.take(16))
        login, login_data, cancel_id = reader.u32(), reader.u32(), reader.u32()
        return cls(uuid, login, login_data, cancel_id, decode_parameters(reader.view(reader.remaining)))

    def encode(self) -> bytes:
        """Return the payload."""
        head = Writer().raw(self.uuid.bytes).u32(self.login).u32(self.login_data).u32(self.cancel_id).done()
        return head + encode_parameters(self.parameters)


@dataclass(slots=True)
class Invoke:
    """Run a command in a TEE session."""

    TYPE: ClassVar = FrameType.INVOKE
    session: int
    command: int
    cancel_id: int = 0
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def decode(cls, payload: memoryview) -> "Invoke":
        """Decode a payload. Raises WireError."""
        try:
            session, command, cancel_id = _INVOKE.unpack_from(payload)
        except struct.error:
            raise WireError(f"INVOKE has at least 16 bytes, not {len(payload)}") from None
        return cls(session, command, cancel_id, decode_parameters(payload, _INVOKE.size))

    def encode(self) -> bytes:
        """Return the payload."""
        return _INVOKE.pack(self.session, self.command, self.cancel_id) + encode_parameters(self.parameters)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ask for the end of a request of another channel. ``session`` 0 stands for an OPEN_SESSION."""

    TYPE: ClassVar = FrameType.CANCEL
    session: int
    cancel_id: int

    @classmethod
    def decode(cls, payload: memoryview) -> "Cancel":
        """Decode a payload. Raises WireError."""
        reader = Reader(payload)
        message = cls(reader.u32(), reader.u32())
        reader.finish()
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        return _TWO.pack(self.session, self.cancel_id)


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Close a TEE session."""

    TYPE: ClassVar = FrameType.CLOSE_SESSION
    session: int

    @classmethod
    def decode(cls, payload: memoryview) -> "CloseSession":
        """Decode a payload. Raises WireError."""
        reader = Reader(payload)
        message = cls(reader.u32())
        reader.finish()
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        return Writer().u32(self.session).done()


@dataclass(frozen=True, slots=True)
class HelloReply:
    """The answer to HELLO. ``max_frame`` is the largest frame length taken."""

    TYPE: ClassVar = FrameType.HELLO_REPLY
    result: int
    version: int
    features: int
    max_frame: int
    secret: bytes = field(default=NO_SECRET, repr=False)

    @classmethod
    def decode(cls, payload: memoryview) -> "HelloReply":
        """Decode a payload. Raises WireError."""
        reader = Reader(payload)
        message = cls(reader.u32(), reader.u32(), reader.u32(), reader.u32(), reader.take(SECRET_SIZE))
        reader.finish()
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        head = Writer().u32(self.result).u32(self.version).u32(self.features)
        return head.u32(self.max_frame).raw(self.secret).done()


@dataclass(frozen=True, slots=True)
class OpenSessionReply:
    """The answer to OPEN_SESSION; ``session`` is 0 on failure, ``parameters`` the request's with its answers."""

    TYPE: ClassVar = FrameType.OPEN_SESSION_REPLY
    result: int
    origin: int
    session: int
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def decode(cls, payload: memoryview, parameters: Parameters) -> "OpenSessionReply":
        """Decode a payload and fill its answers into the request's ``parameters``. Raises WireError."""
        reader = Reader(payload)
        message = cls(reader.u32(), reader.u32(), reader.u32(), parameters)
        decode_answers(reader.view(reader.remaining), parameters)
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        return _INVOKE.pack(self.result, self.origin, self.session) + encode_answers(self.parameters)


@dataclass(frozen=True, slots=True)
class InvokeReply:
    """The answer to INVOKE; ``parameters`` is the request's with its answers."""

    TYPE: ClassVar = FrameType.INVOKE_REPLY
    result: int
    origin: int
    parameters: Parameters = field(default_factory=Parameters)

    @classmethod
    def decode(cls, payload: memoryview, parameters: Parameters) -> "InvokeReply":
        """Decode a payload and fill its answers into the request's ``parameters``. Raises WireError."""
        reader = Reader(payload)
        message = cls(reader.u32(), reader.u32(), parameters)
        decode_answers(reader.view(reader.remaining), parameters)
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        return encode_invoke_reply(self.result, self.origin, self.parameters)


def encode_invoke_reply(result: int, origin: int, parameters: Parameters) -> bytes:
    """Return the payload of an InvokeReply that need not be made: every call would."""
    return _TWO.pack(result, origin) + encode_answers(parameters)


@dataclass(frozen=True, slots=True)
class ResultReply:
    """The answer to CANCEL and to CLOSE_SESSION: nothing but a result."""

    result: int

    @classmethod
    def decode(cls, payload: memoryview) -> "ResultReply":
        """Decode a payload. Raises WireError."""
        reader = Reader(payload)
        message = cls(reader.u32())
        reader.finish()
        return message

    def encode(self) -> bytes:
        """Return the payload."""
        return Writer().u32(self.result).done()


Request = Hello | OpenSession | Invoke | Cancel | CloseSession

_REQUESTS: Mapping[FrameType, Callable[[memoryview], Request]] = {
    message.TYPE: message.decode for message in (Hello, OpenSession, Invoke, Cancel, CloseSession)
}

REPLY_OF = {request: FrameType(request | REPLY_BIT) for request in _REQUESTS}
"""Which frame answers which."""


def decode_request(frame: Frame) -> Request:
    """Decode what a client sent.

    Raises:
        WireError: the frame is no request, or its payload is not what its type says.

    """
    decode = _REQUESTS.get(frame.type)
    if decode is None:
        raise WireError(f"{frame.type.name} is not for clients to send")
    return decode(frame.payload)
