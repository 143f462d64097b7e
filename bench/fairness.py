# SPDX-License-Identifier: Apache-2.0
"""How fair the secure world is: 1,000 clients are connected, 64 of them ask as fast as they are answered.

``python -m bench.fairness`` starts the real daemon and prints, for each sort of call, the medians of the fastest and of
the slowest client. All clients are connections of this process, which asks for each in the order of their answers: what
the system does to 64 processes on a few CPUs is not measured.
"""

import argparse
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.many import P256, Token
from rich.console import Console
from rich.table import Table

from softee.cli import secure_world
from softee.client.channel import ClientChannel
from softee.client.connection import connect
from softee.names import CKA, CKM, CKR, PKCS11_APPLICATION, LoginMethod, ParamType
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import keys, random, resuming, signatures
from softee.pkcs11_ta.abi.messages import InSession
from softee.wire.frames import HEADER_SIZE, FrameType, decode_frame, encode_frame, frame_size
from softee.wire.messages import Hello, Invoke, InvokeReply, OpenSession, OpenSessionReply
from softee.wire.parameters import NO_PARAMETERS, Parameters
from softee.wire.values import Memref, Params

CONNECTED = 1000
BUSY = 64
SECONDS = 5.0
GOAL = 3.0
"""The slowest client's median to the fastest one's."""
SILENCE = 10.0
SERIAL = 1


class Client:
    """A client of the secure world; ``times`` are those that its calls have taken, in seconds."""

    def __init__(self, path: Path) -> None:
        self.connection = connect(path, SILENCE)
        self.times: list[float] = []
        self._channel = ClientChannel(self.connection)
        self._channel.request(Hello.TYPE, Hello().encode())
        wanted = OpenSession(PKCS11_APPLICATION, LoginMethod.PUBLIC, 0, 0, NO_PARAMETERS)
        reply = self._channel.request(OpenSession.TYPE, wanted.encode())
        self.session = OpenSessionReply.decode(reply, NO_PARAMETERS).session
        self._parameters = NO_PARAMETERS
        self._request, self._sent, self._received = b"", 0.0, bytearray()

    def invoke(self, command: int, params: Params) -> int:
        """Run a command; answers go into ``params``."""
        parameters = Parameters(params)
        reply = self._channel.request(Invoke.TYPE, Invoke(self.session, command, 0, parameters).encode())
        return InvokeReply.decode(reply, parameters).result

    def repeat(self, command: Command[InSession], handle: int) -> None:
        """Ask for the same again and again from now on."""
        self._parameters = Parameters(_one(command, handle))
        payload = Invoke(self.session, command.number, 0, self._parameters).encode()
        self._request = encode_frame(Invoke.TYPE, SERIAL, payload)
        self.times.clear()
        self.send()

    def send(self) -> None:
        """Send the request."""
        self._sent = time.perf_counter()
        self.connection.sendall(self._request)

    def receive(self) -> bool:
        """Take what has come. True: the answer is all there, and says that all went well."""
        reply = self.take()
        if reply is None:
            return False
        InvokeReply.decode(reply, self._parameters)
        assert _rv(self._parameters.params) == CKR.OK
        self.times.append(time.perf_counter() - self._sent)
        return True

    def take(self) -> memoryview | None:
        """Take what has come. Return the answer, when it is all there; keep-alives are passed over."""
        self._received += self.connection.recv(1 << 16)
        while len(self._received) >= HEADER_SIZE and len(self._received) >= (size := frame_size(self._received)):
            frame = decode_frame(memoryview(bytes(self._received[:size])))
            del self._received[:size]
            if frame.type is not FrameType.KEEP_ALIVE:
                return frame.payload
        return None


def _one(command: Command[InSession], handle: int) -> Params:
    control = bytearray(command.encode(InSession(handle)))
    return (Memref(ParamType.MEMREF_INOUT, control, 4), None, Memref(ParamType.MEMREF_OUTPUT, capacity=256), None)


class Row(NamedTuple):
    """A sort of call: what each client does once, and then again and again."""

    prepare: Callable[[Client, Token], None]
    command: Command[InSession]


def _signing(mechanism: CKM, label: bytes) -> Row:
    def prepare(client: Client, token: Token) -> None:
        (key,) = token.find((CKA.LABEL, label), (CKA.SIGN, b"\1"))
        token.ask(resuming.SIGN_START, token.handle, key, mechanism, b"")
        params = _one(signatures.SIGN_ONESHOT, token.handle)
        client.invoke(signatures.SIGN_ONESHOT.number, params)
        assert _rv(params) == CKR.OK

    return Row(prepare, resuming.SIGN_AGAIN)


ROWS: Mapping[str, Row] = {
    "random": Row(lambda _client, _token: None, random.GENERATE_RANDOM),
    "sign P-256": _signing(CKM.ECDSA_SHA256, b"P-256"),
    "sign RSA-2048": _signing(CKM.SHA256_RSA_PKCS, b"RSA"),
}


def _rv(params: Params) -> int:
    control = params[0]
    assert isinstance(control, Memref)
    return int.from_bytes(control.out[:4], "little")


def build(path: Path) -> None:
    """Make a token with the keys that all clients use."""
    token = Token(Client(path))
    token.set_up(b"fair")
    for mechanism, label, part in (
        (CKM.EC_KEY_PAIR_GEN, b"P-256", (CKA.EC_PARAMS, P256)),
        (CKM.RSA_PKCS_KEY_PAIR_GEN, b"RSA", (CKA.MODULUS_BITS, (2048).to_bytes(4, "little"))),
    ):
        common = ((CKA.TOKEN, b"\1"), (CKA.LABEL, label), (CKA.PRIVATE, b"\0"))
        private = (*common, (CKA.SIGN, b"\1"))
        token.ask(keys.GENERATE_KEY_PAIR, token.handle, mechanism, b"", (*common, part), private)


def drive(busy: Sequence[Client], seconds: float) -> None:
    """Ask for each client as fast as it is answered."""
    by_descriptor = {client.connection.fileno(): client for client in busy}
    with select.epoll() as epoll:
        for descriptor in by_descriptor:
            epoll.register(descriptor, select.EPOLLIN)
        end = time.perf_counter() + seconds
        left = set(by_descriptor)
        while left:
            for descriptor, _ in epoll.poll():
                client = by_descriptor[descriptor]
                if not client.receive():
                    continue
                if time.perf_counter() < end:
                    client.send()
                else:
                    left.discard(descriptor)


class Figures(NamedTuple):
    """Of a sort of call: medians of the fastest and the slowest client, in seconds, and the calls of all per second."""

    name: str
    fastest: float
    slowest: float
    rate: float


def measure(name: str, row: Row, clients: Sequence[Client], tokens: Sequence[Token], seconds: float) -> Figures:
    """Measure a sort of call."""
    for client, token in zip(clients, tokens, strict=True):
        row.prepare(client, token)
    for client, token in zip(clients, tokens, strict=True):
        client.repeat(row.command, token.handle)
    drive(clients, seconds)
    medians = [statistics.median(client.times) for client in clients]
    return Figures(name, min(medians), max(medians), sum(len(client.times) for client in clients) / seconds)


@contextmanager
def connected(path: Path, count: int) -> Iterator[list[Client]]:
    """Connect so many clients."""
    with ExitStack() as stack:
        clients = [Client(path) for _ in range(count)]
        for client in clients:
            stack.callback(client.connection.close)
        yield clients


@contextmanager
def serving(workers: int) -> Iterator[Path]:
    """Start the daemon, with a token that has the keys, and yield its socket."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        places = secure_world.StartPaths(directory / "state", directory / "root.key", directory / "softee.log")
        settings = directory / "softee.toml"
        settings.write_text(f"workers = {workers}\n")
        with secure_world.running(places, ["--config", str(settings)]) as path:
            build(path)
            yield path


def as_table(figures: Sequence[Figures], busy: int, count: int) -> Table:
    """Return what is shown."""
    table = Table(
        "", title=f"{busy} of {count:,} clients, each asking as fast as it is answered: medians of their calls"
    )
    for heading in ("fastest client", "slowest client", "ratio", "calls per second"):
        table.add_column(heading, justify="right")
    for name, fastest, slowest, rate in figures:
        row = (f"{fastest * 1e3:.2f} ms", f"{slowest * 1e3:.2f} ms", f"{slowest / fastest:.2f}", f"{rate:,.0f}")
        table.add_row(name, *row)
    return table


def main() -> None:
    """Connect, measure, print; the status is 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=0, help="worker processes; 0: one for each CPU")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each sort of call is asked for")
    arguments = parser.parse_args()
    with serving(arguments.workers) as path, connected(path, CONNECTED) as clients:
        busy = clients[:: len(clients) // BUSY][:BUSY]
        tokens = [Token(client) for client in busy]
        for token in tokens:
            token.open()
        figures = [measure(name, row, busy, tokens, arguments.seconds) for name, row in ROWS.items()]
    Console().print(as_table(figures, BUSY, CONNECTED))
    sys.exit(any(each.slowest > GOAL * each.fastest for each in figures))


if __name__ == "__main__":
    main()
