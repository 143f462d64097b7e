# SPDX-License-Identifier: Apache-2.0
"""The frame of every attack on the channel: a server, and a bystander who must not notice."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from softee.daemon.settings import Limits
from support.echo_application import EchoApplication
from support.raw_client import echoes, greeted
from support.secure_world import running_server

LIMITS = Limits(keep_alive=0.05, clients=300, channels=400)
IMPATIENT = msgspec.structs.replace(LIMITS, frame_timeout=0.5, send_timeout=0.5)
"""For attacks that are over when a time limit is; others must not fail where the machine is slow."""


@dataclass
class Attacked:
    """A secure world under attack."""

    socket: Path
    application: EchoApplication


@contextmanager
def under_attack(limits: Limits = LIMITS) -> Iterator[Attacked]:
    """Run a server for an attack; afterwards a client that was there before and a new one must be served.

    The new one comes when the attacker's channels have ended, so that it finds a place where these had taken all.

    Raises:
        AssertionError: a client was disturbed, or descriptors or sessions of the attacker are still open.

    """
    application = EchoApplication()
    with running_server([application], limits) as path, greeted(path) as (bystander, session):
        before = open_descriptors()
        yield Attacked(path, application)
        assert echoes(bystander, session)
        assert eventually(lambda: channels(path) == 1), "channels of clients that are gone have not ended"
        with greeted(path) as (newcomer, own_session):
            assert echoes(newcomer, own_session)
        assert application.wait_until_open(1), "sessions of clients that are gone are still open"
        assert eventually(lambda: open_descriptors() <= before), "descriptors were leaked"


def eventually(holds: Callable[[], bool], timeout: float = 30.0) -> bool:
    """Wait for what other threads or the kernel do without telling; False where it takes too long."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def channels(path: Path) -> int:
    """Return how many connections of the socket at ``path`` are open, as the kernel counts them at its side."""
    return sum(row[5] == "03" for row in _ends(path))


def listens(path: Path) -> bool:
    """Tell whether somebody listens at the socket, which its file does not say; nobody connects to find out."""
    return any(row[3] == "00010000" for row in _ends(path))


def _ends(path: Path) -> list[list[str]]:
    """Return the kernel's rows of all sockets at ``path``: ..., flags, type, state, inode, path."""
    rows = (line.split() for line in Path("/proc/net/unix").read_text().splitlines())
    return [row for row in rows if row[-1] == str(path)]


def open_descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
