# SPDX-License-Identifier: Apache-2.0
"""A token of 100,000 objects: what opening it, logging in, finding one and creating one cost the secure world.

``python -m bench.many [OBJECTS]`` builds the token in a directory of its own, starts the real daemon over it and prints
a table. Times are the daemon's CPU time, which what else the machine does hardly moves; of several, the least.
"""

import argparse
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from rich.console import Console
from rich.table import Table

from softee.cli import secure_world
from softee.cli.settings import settings_from
from softee.client import TeeClient
from softee.client.connection import connect
from softee.daemon.store import open_store
from softee.names import CKA, CKM, CKO, CKR, CKU, PKCS11_APPLICATION, LoginMethod, ParamType
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import keys, objects, sessions, slots
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.tee.application import ClientIdentity
from softee.tee.secure_storage import SecureStorage
from softee.wire.values import NO_PARAMS, Memref, Params

OBJECTS = 100_000
BATCH = 10_000
"""Objects that are put on the token in one transaction."""
PIN = b"1234567890"
P256 = bytes.fromhex("06082a8648ce3d030107")
STARTS = 3
ROUNDS = 5
CALLS = 50
"""Searches, or creations, in a round."""
ROOM = 64
"""Bytes for an answer: 16 handles."""
A_PRIME = 7919
"""So that searches go all over the token."""
PRIVATE_KEYS = (CKA.CLASS, CKO.PRIVATE_KEY.to_bytes(4, "little"))
GOALS = {"open": 1.0, "login": 1.0, "find by label": 1e-3, "find by id": 1e-3, "create": 2e-3, "memory": 300.0}
"""Seconds, and MiB."""


class Session(Protocol):
    """A session with the application, in this process or through the daemon."""

    def invoke(self, command: int, params: Params) -> int:
        """Run a command; answers go into ``params``."""
        ...


class Token:
    """The commands that are measured, on the token in slot 0."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.handle = 0

    def ask(self, command: Command[Any], *fields: object) -> bytes:
        """Run a command that must succeed; return what it gives."""
        control = bytearray(command.encode(command.request(*fields)))
        answer = Memref(ParamType.MEMREF_INOUT, control, max(len(control), 4))
        room = command.output_size or ROOM
        output = Memref(ParamType.MEMREF_OUTPUT, capacity=room) if command.writes else None
        self._session.invoke(command.number, (answer, None, output, None))
        rv = int.from_bytes(answer.out[:4], "little")
        assert rv == CKR.OK, f"{command.name}: {rv:#x}"
        return bytes(output.out) if output else b""

    def open(self) -> None:
        """C_OpenSession."""
        self.handle = int.from_bytes(self.ask(sessions.OPEN_SESSION, 0, 6), "little")

    def login(self, user: CKU = CKU.USER) -> None:
        """C_Login."""
        self.ask(sessions.LOGIN, self.handle, user, len(PIN), bytearray(PIN))

    def set_up(self, label: bytes) -> None:
        """Initialize the token, and log in."""
        self.ask(slots.INIT_TOKEN, 0, len(PIN), label.ljust(32), bytearray(PIN))
        self.open()
        self.login(CKU.SO)
        self.ask(slots.INIT_PIN, self.handle, len(PIN), bytearray(PIN))
        self.logout()
        self.login()

    def logout(self) -> None:
        """C_Logout."""
        self.ask(sessions.LOGOUT, self.handle)

    def find(self, *template: tuple[int, bytes]) -> list[int]:
        """C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal: at most 16 handles."""
        self.ask(objects.FIND_OBJECTS_INIT, self.handle, template)
        found = self.ask(objects.FIND_OBJECTS, self.handle)
        self.ask(objects.FIND_OBJECTS_FINAL, self.handle)
        return [handle for (handle,) in struct.iter_unpack("<I", found)]

    def make_pair(self, label: bytes, identifier: bytes) -> None:
        """Make a P-256 key pair on the token, the private key private."""
        common = ((CKA.TOKEN, b"\1"), (CKA.LABEL, label), (CKA.ID, identifier))
        public = (*common, (CKA.EC_PARAMS, P256), (CKA.VERIFY, b"\1"))
        private = (*common, (CKA.PRIVATE, b"\1"), (CKA.SIGN, b"\1"))
        self.ask(keys.GENERATE_KEY_PAIR, self.handle, CKM.EC_KEY_PAIR_GEN, b"", public, private)

    def create(self, label: bytes) -> None:
        """Put a small data object on the token."""
        template = ((CKA.CLASS, CKO.DATA.to_bytes(4, "little")), (CKA.TOKEN, b"\1"), (CKA.LABEL, label))
        self.ask(objects.CREATE_OBJECT, self.handle, template)


def build(places: secure_world.StartPaths, key: Path, count: int) -> None:
    """Make the token: pairs of P-256 keys, each with a label and an identifier of its own."""
    settings = settings_from(state=places.state, root_key=key)
    root_key = key.read_bytes()
    with open_store(settings) as store:
        storage = SecureStorage(store, root_key, PKCS11_APPLICATION, vaults(3))
        application = Pkcs11Application(storage, clock=lambda: datetime.now(UTC))
        token = Token(application.open_session(ClientIdentity(1, 0, 0, LoginMethod.PUBLIC, UUID(int=0)), NO_PARAMS))
        token.set_up(b"many")
        token.make_pair(b"the model", b"model")
        on_token = application.slots.token(0).objects
        models = [on_token.get(number, private=True).attributes for number in on_token.find({}, private=True)]
        made = [
            {**model, **names(number), CKA.UNIQUE_ID: b"%032x" % (2 * number + which)}
            for number in range(count // 2)
            for which, model in enumerate(models)
        ]
        for first in range(0, len(made), BATCH):
            on_token.create(*made[first : first + BATCH])


def names(number: int) -> dict[int, bytes]:
    """Return the label and the identifier of a pair."""
    return {CKA.LABEL: b"key of customer %d" % number, CKA.ID: b"id" + number.to_bytes(8, "big")}


@contextmanager
def daemon(places: secure_world.StartPaths) -> Iterator[tuple[Token, int]]:
    """Run the secure world; yield its token and its process id."""
    with secure_world.running(places) as path:
        with closing(connect(path, 10)) as connection:
            pid, _, _ = struct.unpack("=iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        with TeeClient(path) as client, client.open_session(PKCS11_APPLICATION) as session:
            yield Token(session), pid


def cpu(pid: int) -> float:
    """Return the CPU time of a process, all its threads, ended ones too, in seconds (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid: int) -> float:
    """Return the most memory that a process has had, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def least(pid: int, act: Callable[[int], object], calls: int = CALLS) -> float:
    """Return the CPU time of one call, over the cheapest of several rounds."""
    rounds = []
    for first in range(0, ROUNDS * calls, calls):
        started = cpu(pid)
        for number in range(first, first + calls):
            act(number)
        rounds.append((cpu(pid) - started) / calls)
    return min(rounds)


def measure(places: secure_world.StartPaths, count: int) -> dict[str, float]:
    """Return the figures by the names of ``GOALS``: seconds, and MiB."""
    starts = [measure_reading(places, count) for _ in range(STARTS)]
    figures = {name: min(start[name] for start in starts) for name in starts[0]}
    with daemon(places) as (token, pid):
        token.open()
        token.login()
        figures["create"] = least(pid, lambda number: token.create(b"new %d" % number))
        figures["memory"] = max(memory(pid), *(start["memory"] for start in starts))
    return figures


def measure_reading(places: secure_world.StartPaths, count: int) -> dict[str, float]:
    """Start a daemon and return what everything but a change costs it."""
    with daemon(places) as (token, pid):

        def find(attribute: CKA, number: int) -> None:
            pair = names(number * A_PRIME % (count // 2))
            found = token.find((attribute, pair[attribute]), PRIVATE_KEYS)
            assert len(found) == 1, found

        token.open()
        opened = cpu(pid)
        token.login()
        return {
            "open": opened,
            "login": cpu(pid) - opened,
            "find by label": least(pid, partial(find, CKA.LABEL)),
            "find by id": least(pid, partial(find, CKA.ID)),
            "find all private keys": least(pid, lambda _: token.find(PRIVATE_KEYS), calls=1),
            "memory": memory(pid),
        }


def as_table(figures: dict[str, float], count: int) -> Table:
    """Return what is shown."""
    table = Table("", title=f"{count:,} token objects: CPU time and memory of the secure world")
    table.add_column("measured", justify="right")
    table.add_column("goal", justify="right")
    for name, figure in figures.items():
        shown = "{:.0f} MiB".format if name == "memory" else lambda seconds: f"{seconds * 1000:.3g} ms"
        table.add_row(name, shown(figure), shown(GOALS[name]) if name in GOALS else "")
    return table


def main() -> None:
    """Build, measure, print; the status is 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("objects", nargs="?", type=int, default=OBJECTS)
    parser.add_argument("--state", type=Path, help="where the token is, or is to be kept, for another run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = arguments.state or Path(temporary)
        key = directory / "root.key"
        places = secure_world.StartPaths(directory / "state", key, directory / "softee.log")
        if not key.exists():
            with daemon(places):
                pass
            started = time.process_time()
            build(places, key, arguments.objects)
            print(f"built in {time.process_time() - started:.1f} s", file=sys.stderr)
        figures = measure(places, arguments.objects)
    Console().print(as_table(figures, arguments.objects))
    sys.exit(any(figures[name] >= goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    main()
