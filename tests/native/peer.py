# SPDX-License-Identifier: Apache-2.0
"""A secure world that answers by script: docs/wire-protocol.md from the other side, written from that page alone.

``Peer`` runs a script in a thread for each channel. ``python peer.py SOCKET [UID]`` serves ``behave`` in a process of
its own, as another user if root says so.
"""

import array
import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

HELLO, OPEN_SESSION, INVOKE, CANCEL, CLOSE_SESSION, KEEP_ALIVE = 1, 2, 3, 4, 5, 0xFF
REPLY = 0x80

SUCCESS, ACCESS_DENIED, CANCELLED, SHORT_BUFFER = 0, 0xFFFF0001, 0xFFFF0002, 0xFFFF0010
TRUSTED_APP = 4

SECRET = bytes(range(1, 17))
SESSION = 0x51
MAX_FRAME = 1_114_112

# Commands of the scripted trusted application; others do nothing and succeed.
TRANSFORM, WAIT_FOR_CANCEL, RENDEZVOUS = 1, 2, 3


class PeerGoneError(Exception):
    """The client has closed its channel."""


@dataclass
class Frame:
    type: int
    serial: int
    payload: bytes
    files: list[int] = field(default_factory=list)


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def frame(frame_type: int, serial: int, payload: bytes = b"") -> bytes:
    return u32(8 + len(payload), frame_type, serial) + payload


class Channel:
    """One connection, frame by frame."""

    def __init__(self, peer: "Peer", connection: socket.socket) -> None:
        self.peer = peer
        self.connection = connection

    def receive(self) -> Frame:
        header, files = self._receive_exactly(12)
        length, frame_type, serial = struct.unpack("<III", header)
        payload, late_files = self._receive_exactly(length - 8)
        assert not late_files, "a descriptor goes with the frame's first byte"
        return Frame(frame_type, serial, payload, files)

    def _receive_exactly(self, count: int) -> tuple[bytes, list[int]]:
        data = b""
        files: list[int] = []
        while len(data) < count:
            try:
                more, ancillary, _, _ = self.connection.recvmsg(count - len(data), 1024)
            except OSError as error:
                raise PeerGoneError from error
            for _, _, rights in ancillary:
                files += array.array("i", rights)
            if not more:
                raise PeerGoneError
            data += more
        return data, files

    def send(self, data: bytes, files: Sequence[int] = ()) -> None:
        with contextlib.suppress(OSError):
            if files:
                socket.send_fds(self.connection, [data], files)
            else:
                self.connection.sendall(data)

    def answer(self, request: Frame, payload: bytes, files: Sequence[int] = ()) -> None:
        self.send(frame(request.type | REPLY, request.serial, payload), files)

    def greet(
        self, *, features: int = 1, result: int = SUCCESS, max_frame: int = MAX_FRAME, files: Sequence[int] = ()
    ) -> None:
        """Take the hello, whose secret may be zeros or this peer's, and answer it."""
        hello = self.receive()
        magic, version, offered = struct.unpack_from("<4sII", hello.payload)
        secret = hello.payload[12:]
        assert (hello.type, magic, version, offered, len(secret)) == (HELLO, b"STEE", 1, offered, 16)
        if secret not in (bytes(16), self.peer.secret):
            result = ACCESS_DENIED
        self.peer.hellos.append(secret)
        self.answer(hello, u32(result, 1, features, max_frame) + self.peer.secret, files)


Script = Callable[[Channel], None]


class Peer:
    """Listens at ``path``; each channel is answered by ``script`` in a thread, until the ``with`` block ends."""

    def __init__(self, path: Path, script: Script | None = None, *, secret: bytes = SECRET) -> None:
        self.path = path
        self.script = script or behave
        self.secret = secret
        self.hellos: list[bytes] = []
        self.requests: list[Frame] = []
        self.cancelled = threading.Event()
        self.rendezvous = threading.Barrier(1)
        self.failures: list[BaseException] = []
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        if not value:
            assert not self.failures, self.failures

    def stop(self) -> None:
        """End as a killed process does: all connections close, the socket's file stays."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.rendezvous.abort()
        self.cancelled.set()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            channel = Channel(self, connection)
            self._start(lambda channel=channel: self._run(channel))  # type: ignore[misc]  # mypy does not infer it

    def _run(self, channel: Channel) -> None:
        try:
            self.script(channel)
        except (PeerGoneError, threading.BrokenBarrierError):
            pass
        except BaseException as error:  # noqa: BLE001 - reported by the thread that runs the test
            self.failures.append(error)
        finally:
            with contextlib.suppress(OSError):
                channel.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Param:
    """One parameter of a request, its data read wherever it is."""

    type: int
    values: tuple[int, int] = (0, 0)
    where: int = 0
    size: int = 0
    offset: int = 0
    data: bytes = b""


class Params:
    """The parameters of one request and of its reply."""

    def __init__(self, request: Frame, offset: int) -> None:
        self._payload = request.payload
        self._at = offset
        self._file = request.files[0] if request.files else -1
        self.types = self._u32()
        self.list = [self._param(self.types >> (4 * i) & 0xF) for i in range(4)]
        assert self._at == len(self._payload), "leftovers"
        uses_file = any(param.where == 1 for param in self.list)
        assert len(request.files) == int(uses_file), "a descriptor exactly when one is needed"

    def _u32(self) -> int:
        value: int = struct.unpack_from("<I", self._payload, self._at)[0]
        self._at += 4
        return value

    def _param(self, kind: int) -> Param:
        if kind in (1, 3):
            return Param(kind, values=(self._u32(), self._u32()))
        if kind in (0, 2):
            return Param(kind)
        assert kind in (5, 6, 7), kind
        where = self._payload[self._at]
        self._at += 1
        param = Param(kind, where=where, size=self._u32())
        if where == 1:
            param.offset = self._u32() | self._u32() << 32
            assert os.fstat(self._file).st_size >= param.offset + param.size
            param.data = os.pread(self._file, param.size, param.offset) if kind != 6 else b""
        elif kind != 6:
            param.data = self._payload[self._at : self._at + param.size]
            self._at += param.size
        return param

    def reply(self, outputs: dict[int, bytes], values: dict[int, tuple[int, int]]) -> tuple[int, bytes]:
        """The result and the reply's parameters; an output that does not fit is SHORT_BUFFER and its size."""
        result = SUCCESS
        reply = u32(self.types)
        for index, param in enumerate(self.list):
            if param.type in (2, 3):
                reply += u32(*values.get(index, param.values))
            elif param.type in (6, 7):
                data = outputs.get(index, b"")
                reply += u32(len(data))
                if len(data) > param.size:
                    result = SHORT_BUFFER
                elif param.where == 1:
                    os.pwrite(self._file, data, param.offset)
                else:
                    reply += data
        return result, reply


def transform(params: Params) -> tuple[int, bytes]:
    """Outputs are all inputs one after the other; in-out buffers come back reversed, values count up."""
    inputs = b"".join(param.data for param in params.list if param.type == 5)
    outputs = {i: param.data[::-1] if param.type == 7 else inputs for i, param in enumerate(params.list)}
    values = {i: (param.values[0] + 1, param.values[1] + 2) for i, param in enumerate(params.list)}
    return params.reply(outputs, values)


def invoke(channel: Channel, request: Frame) -> None:
    _, command, _ = struct.unpack_from("<III", request.payload)
    params = Params(request, 12)
    result, reply = transform(params) if command == TRANSFORM else params.reply({}, {})
    if command == WAIT_FOR_CANCEL:
        channel.peer.cancelled.wait()
        result = CANCELLED
    if command == RENDEZVOUS:
        channel.peer.rendezvous.wait()
    channel.answer(request, u32(result, TRUSTED_APP) + reply)


def cancel(channel: Channel, request: Frame) -> None:
    channel.peer.cancelled.set()
    channel.answer(request, u32(SUCCESS))


def open_session(channel: Channel, request: Frame) -> None:
    result, reply = Params(request, 28).reply({}, {})
    channel.answer(request, u32(result, TRUSTED_APP, SESSION) + reply)


def close_session(channel: Channel, request: Frame) -> None:
    channel.answer(request, u32(SUCCESS))


ANSWERS: dict[int, Callable[[Channel, Frame], None]] = {
    OPEN_SESSION: open_session,
    INVOKE: invoke,
    CANCEL: cancel,
    CLOSE_SESSION: close_session,
}


def answer_well(channel: Channel) -> None:
    """Answer requests as the scripted trusted application does, until the client goes."""
    while True:
        request = channel.receive()
        channel.peer.requests.append(request)
        try:
            ANSWERS[request.type](channel, request)
        finally:
            for file in request.files:
                os.close(file)


def behave(channel: Channel) -> None:
    channel.greet()
    answer_well(channel)


@contextlib.contextmanager
def serving(path: Path, *user: str) -> Iterator[subprocess.Popen[str]]:
    """The scripted peer in a process of its own."""
    program = [sys.executable, __file__, str(path), *user]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        os.setuid(int(sys.argv[2]))
    with Peer(Path(sys.argv[1])):
        print("ready", flush=True)  # noqa: T201 - tells the test that the socket is there
        sys.stdin.read()
