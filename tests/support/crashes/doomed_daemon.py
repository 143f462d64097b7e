# SPDX-License-Identifier: Apache-2.0
"""The real daemon, again and again: a program that has imported everything, and forks a daemon for each line it reads.

A line is a JSON object, the fields of ``Life``. It answers with the daemon's pid, an empty line when that serves, and
its exit status (of a signal, less than zero), each in a line. native/tests/disk_calls.c is preloaded.
"""

import json
import os
import random
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from softee.daemon import hardening
from softee.daemon.applications import APPLICATIONS, Installed, Surroundings
from softee.daemon.main import serve
from softee.daemon.policies import slot_policies
from softee.daemon.settings import load_settings
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.tee.application import TrustedApplication
from softee.tee.secure_storage import SecureStorage
from support.crashes.observer import Deed, DiskCall, Moment, observe
from support.token_world import CHEAP

KILLS = ("before", "half", "after", "worker")
"""Where the process dies: before a call on the disk, in the middle of a write, after the call. Or a worker dies."""


@dataclass(frozen=True)
class Life:
    """How a daemon lives and dies."""

    config: str
    state: str
    root_key: str
    socket: str
    kill: str = ""
    """One of KILLS; nothing: it is not killed."""
    at: int = 0
    """At which call on the disk that happens; the first is 1."""
    record: str = ""
    """A file into which each call on the disk is written, once it is done."""


class Doom:
    """Kills when it is time, and writes down what is done until then."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._calls = 0
        self._is_half = False
        self._record = os.open(life.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if life.record else -1

    def __call__(self, moment: Moment, call: DiskCall) -> bool:
        if moment is Moment.AFTER:
            self._after(call)
            return False
        self._calls += 1
        if self._calls != self._life.at:
            return False
        if self._life.kill == "worker":
            kill_a_worker()
        if self._life.kill == "before":
            die()
        self._is_half = self._life.kill == "half" and call.deed is Deed.WRITE
        return self._is_half

    def _after(self, call: DiskCall) -> None:
        if self._record >= 0:
            line = json.dumps([call.deed, call.path, call.data.hex(), call.number])
            os.write(self._record, line.encode() + b"\n")
        if self._calls == self._life.at and self._life.kill in {"after", "half"}:
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_a_worker() -> None:
    """Kill any one; there are none while the state is opened."""
    workers = Path("/proc/thread-self/children").read_text().split()
    if workers:
        os.kill(int(random.choice(workers)), signal.SIGKILL)  # noqa: S311 - whom to kill, no secret


def make_with_cheap_pins(around: Surroundings) -> TrustedApplication:
    """Make the PKCS#11 application as the daemon does, but for what a PIN costs."""
    ours = around.settings.pkcs11
    return Pkcs11Application(
        SecureStorage(around.store, around.root_key, PKCS11_APPLICATION, vaults(ours.slots), around.shown),
        clock=lambda: datetime.now(UTC),
        policies=slot_policies(ours),
        pin_cost=CHEAP,
        neighbours=around.neighbours,
        tickets=around.tickets,
    )


def live(life: Life, parent: int) -> int:
    """Be the daemon."""
    hardening.die_with(parent)
    observe(Path(life.state), Doom(life))
    places = {"state": Path(life.state), "root_key": Path(life.root_key), "socket": Path(life.socket)}
    settings = load_settings(Path(life.config), places)
    rows = [Installed(row.uuid, make_with_cheap_pins, row.shared) for row in APPLICATIONS]
    return serve(settings, ready_fd=os.dup(1), applications=rows)


def main() -> None:
    for line in sys.stdin:
        life = Life(**json.loads(line))
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            say(os.getpid())  # before anything else is said of it
            os._exit(live(life, parent))
        _, status = os.waitpid(pid, 0)
        say(os.waitstatus_to_exitcode(status))


def say(number: int) -> None:
    os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    main()
