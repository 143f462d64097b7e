# SPDX-License-Identifier: Apache-2.0
"""What hostile clients cost another one: how long its P-256 signatures take beside them.

``python -m bench.hostile`` starts the real daemon and signs all the time, alone and beside each sort of attackers in
turn, which are processes of their own. It prints the medians, and the ratio to that alone, whose goal is GOAL, and what
99 of 100 signatures take at most. Of several rounds the median counts.
"""

import argparse
import contextlib
import os
import select
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.fairness import ROWS, SERIAL, Client, connected, drive, serving
from bench.many import Token
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console
from rich.table import Table

from softee.names import CKA, CKK, CKO, ParamType
from softee.pkcs11_ta.abi.commands import objects, random
from softee.pkcs11_ta.abi.messages import WithTemplate
from softee.pkcs11_ta.keys.parts import big_endian
from softee.wire.frames import encode_frame
from softee.wire.messages import Invoke
from softee.wire.parameters import Parameters
from softee.wire.values import Memref

GOAL = 2.0
"""A signature's median beside attackers to that alone."""
SECONDS = 3.0
ROUNDS = 3
SETTLE = 3.0
"""Seconds until what the attackers of before had queued is done."""
ATTACKERS = 4
"""Processes of each sort."""
CHANNELS = 16
"""Connections of each of them."""
READY = b"."

Attack = Callable[[Path], None]
"""What an attacker does: it says READY when it has begun, and never returns, or stops itself."""


def _begun() -> None:
    os.write(1, READY)


def _never_reads(path: Path) -> None:
    """Ask for random bytes on all channels until nothing more can be sent, and leave the answers where they are."""
    with connected(path, CHANNELS) as clients:
        for client in clients:
            token = Token(client)
            token.open()
            client.repeat(random.GENERATE_RANDOM, token.handle)
            client.connection.settimeout(0)
        _begun()
        while True:
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send()
            time.sleep(0.001)


def _never_writes_on(path: Path) -> None:
    """Send half a frame on all channels, and anew when the secure world has had enough."""
    half = encode_frame(Invoke.TYPE, SERIAL, Invoke(1, random.GENERATE_RANDOM.number).encode())[:13]
    while True:
        with connected(path, CHANNELS) as clients:
            for client in clients:
                client.connection.sendall(half)
            _begun()
            for client in clients:
                with contextlib.suppress(OSError):
                    client.connection.recv(1)


def _stops(path: Path) -> None:
    """Ask on all channels for what makes the socket full, and be stopped."""
    with connected(path, CHANNELS) as clients:
        for client in clients:
            token = Token(client)
            token.open()
            client.repeat(random.GENERATE_RANDOM, token.handle)
        _begun()
        os.kill(os.getpid(), signal.SIGSTOP)


def _imports(path: Path) -> None:
    """Import RSA keys of 4096 bits without their primes, on all channels, as fast as it is answered.

    The CKA_PUBLIC_KEY_INFO is wrong, which is found at last: so no key stays, and nothing fills up.
    """
    key = rsa.generate_private_key(65537, 4096).private_numbers()
    public = key.public_numbers
    numbers = ((CKA.MODULUS, public.n), (CKA.PUBLIC_EXPONENT, public.e), (CKA.PRIVATE_EXPONENT, key.d))
    template = (
        (CKA.CLASS, CKO.PRIVATE_KEY.to_bytes(4, "little")),
        (CKA.KEY_TYPE, CKK.RSA.to_bytes(4, "little")),
        (CKA.PRIVATE, b"\0"),
        (CKA.PUBLIC_KEY_INFO, b"wrong"),
        *((part, bytes(big_endian(number))) for part, number in numbers),
    )
    with connected(path, CHANNELS) as clients, select.epoll() as epoll:
        requests = {}
        for client in clients:
            token = Token(client)
            token.open()
            control = bytearray(objects.CREATE_OBJECT.encode(WithTemplate(token.handle, template)))
            output = Memref(ParamType.MEMREF_OUTPUT, capacity=4)
            params = (Memref(ParamType.MEMREF_INOUT, control, len(control)), None, output, None)
            invoke = Invoke(client.session, objects.CREATE_OBJECT.number, 0, Parameters(params))
            requests[client.connection.fileno()] = client, encode_frame(Invoke.TYPE, SERIAL, invoke.encode())
            epoll.register(client.connection, select.EPOLLIN)
        for client, request in requests.values():
            client.connection.sendall(request)
        _begun()
        while True:
            for descriptor, _ in epoll.poll():
                client, request = requests[descriptor]
                if client.take():
                    client.connection.sendall(request)


def _computes(_: Path) -> None:
    """Take what CPU there is, and ask the secure world for nothing."""
    _begun()
    while True:
        pass


CONTROL = "only compute, elsewhere"
"""What any program may do; for comparison, and without a goal."""
ATTACKS: Mapping[str, Attack] = {
    "never read": _never_reads,
    "never write on": _never_writes_on,
    "are stopped": _stops,
    "import RSA-4096": _imports,
    CONTROL: _computes,
}


@contextmanager
def attacked(name: str, path: Path) -> Iterator[None]:
    """Have attackers at work meanwhile."""
    with ExitStack() as stack:
        for _ in range(ATTACKERS):
            command = [sys.executable, "-m", "bench.hostile", "--attack", name, "--socket", str(path)]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.read(1) == READY
        yield


class Signing(NamedTuple):
    """Times of signatures, in seconds."""

    median: float
    most: float
    """What 99 of 100 take at most."""


def signing(client: Client, seconds: float) -> Signing:
    """Sign for so long."""
    client.times.clear()
    client.send()
    drive([client], seconds)
    return Signing(statistics.median(client.times), statistics.quantiles(client.times, n=100)[-1])


class Figures(NamedTuple):
    """Signatures alone, and beside attackers."""

    name: str
    alone: Signing
    beside: Signing

    @property
    def ratio(self) -> float:
        """How much longer one takes beside them."""
        return self.beside.median / self.alone.median


def measure(name: str, path: Path, victim: Client, seconds: float) -> Figures:
    """Sign by turns alone and beside attackers."""
    alone, beside = [], []
    for _ in range(ROUNDS):
        time.sleep(SETTLE)
        alone.append(signing(victim, seconds))
        with attacked(name, path):
            beside.append(signing(victim, seconds))
    return Figures(name, _median(alone), _median(beside))


def _median(rounds: Sequence[Signing]) -> Signing:
    return Signing(*(statistics.median(times) for times in zip(*rounds, strict=True)))


def as_table(figures: Iterable[Figures]) -> Table:
    """Return what is shown."""
    title = f"a P-256 signature, and {ATTACKERS} hostile processes with {CHANNELS} connections each"
    table = Table("attackers that", title=title)
    for heading in ("alone", "beside them", "ratio", "99 % alone", "beside them"):
        table.add_column(heading, justify="right")
    for each in figures:
        medians = (f"{one.median * 1e6:,.0f} µs" for one in (each.alone, each.beside))
        most = (f"{one.most * 1e3:,.1f} ms" for one in (each.alone, each.beside))
        table.add_row(each.name, *medians, f"{each.ratio:.2f}", *most)
    return table


def main() -> None:
    """Attack, or measure and print; the status is 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=0, help="worker processes; 0: one for each CPU")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long it is signed, each time")
    parser.add_argument("--attack", choices=ATTACKS, help=argparse.SUPPRESS)
    parser.add_argument("--socket", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack:
        ATTACKS[arguments.attack](arguments.socket)
        return
    with serving(arguments.workers) as path, connected(path, 1) as (victim,):
        row, token = ROWS["sign P-256"], Token(victim)
        token.open()
        row.prepare(victim, token)
        victim.repeat(row.command, token.handle)
        drive([victim], 0)
        figures = [measure(name, path, victim, arguments.seconds) for name in ATTACKS]
    Console().print(as_table(figures))
    sys.exit(any(each.ratio > GOAL for each in figures if each.name != CONTROL))


if __name__ == "__main__":
    main()
