# SPDX-License-Identifier: Apache-2.0
"""A client that sends whatever it is told to, byte by byte, with any descriptors."""

import array
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from softee.names import ParamType, TeeResult
from softee.wire.frames import Frame, FrameType, decode_frame, encode_frame, frame_size
from softee.wire.messages import (
    FEATURE_MEMORY_FILES,
    NO_SECRET,
    Hello,
    HelloReply,
    Invoke,
    InvokeReply,
    OpenSession,
    OpenSessionReply,
)
from softee.wire.parameters import Parameters, Region
from softee.wire.values import Memref
from support.echo_application import ECHO, ECHO_UUID

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class RawClient:
    """A connection. ``timeout`` is how long it waits for the daemon, in seconds."""

    def __init__(self, path: Path, timeout: float = 20) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        rest = data[self.socket.sendmsg([data], rights) :]
        if rest:
            self.socket.sendall(rest)

    def request(self, frame_type: FrameType, payload: bytes, descriptors: Sequence[int] = (), serial: int = 1) -> Frame:
        """Send a request and return its reply; keep-alives are passed over."""
        self.send(encode_frame(frame_type, serial, payload), descriptors)
        while (frame := self.frame()).type is FrameType.KEEP_ALIVE:
            assert frame.serial == serial
        return frame

    def frame(self) -> Frame:
        header = self._receive(12)
        return decode_frame(memoryview(header + self._receive(frame_size(header) - 12)))

    def hello(self, secret: bytes = NO_SECRET, features: int = FEATURE_MEMORY_FILES) -> HelloReply:
        frame = self.request(FrameType.HELLO, Hello(features=features, secret=secret).encode())
        return HelloReply.decode(frame.payload)

    def open_session(self) -> int:
        frame = self.request(FrameType.OPEN_SESSION, OpenSession(ECHO_UUID).encode())
        reply = OpenSessionReply.decode(frame.payload, Parameters())
        assert reply.result == TeeResult.SUCCESS
        return reply.session

    def invoke(self, session: int, command: int, parameters: Parameters, descriptors: Sequence[int] = ()) -> int:
        """Run a command and return its result."""
        payload = Invoke(session, command, 0, parameters).encode()
        return InvokeReply.decode(self.request(FrameType.INVOKE, payload, descriptors).payload, parameters).result

    def is_closed(self) -> bool:
        """Wait for the daemon to say something, and tell whether that is the end of the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionResetError("the daemon has closed the connection")
            data += part
        return data


@contextmanager
def greeted(path: Path, timeout: float = 20) -> Iterator[tuple[RawClient, int]]:
    """Yield a client that has said hello, and its session with the echo application."""
    with RawClient(path, timeout) as client:
        assert client.hello().result == TeeResult.SUCCESS
        yield client, client.open_session()


@contextmanager
def memory_file(content: bytes, seals: int = SEALS) -> Iterator[int]:
    """Yield the descriptor of a memory file with these seals."""
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(descriptor, content)
        if seals:
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        yield descriptor
    finally:
        os.close(descriptor)


def echo_in_file(size: int, output_at: int) -> Parameters:
    """Return the parameters of an ECHO of the ``size`` bytes at the beginning of a memory file."""
    source, target = Memref(ParamType.MEMREF_INPUT, capacity=size), Memref(ParamType.MEMREF_OUTPUT, capacity=size)
    return Parameters((source, target, None, None), (Region(0, 0), Region(1, output_at)))


def echo_inline(data: bytes) -> Parameters:
    """Return the parameters of an ECHO."""
    source, target = (
        Memref(ParamType.MEMREF_INPUT, bytearray(data), len(data)),
        Memref(ParamType.MEMREF_OUTPUT, capacity=len(data)),
    )
    return Parameters((source, target, None, None))


def echoes(client: RawClient, session: int) -> bool:
    """Tell whether the client is still served."""
    parameters = echo_inline(b"still here?")
    target = parameters.params[1]
    assert isinstance(target, Memref)
    return client.invoke(session, ECHO, parameters) == TeeResult.SUCCESS and target.out == b"still here?"


def u32(*values: int) -> bytes:
    """Return little-endian 32-bit integers."""
    return struct.pack(f"<{len(values)}I", *values)
