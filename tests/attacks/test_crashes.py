# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the real daemon, or of a worker of it, at any call on the disk of a long random workload.

SOFTEE_SOAK=1 in the environment makes it kill ten thousand times.
"""

import contextlib
import os
from pathlib import Path
from random import Random

import pytest

from softee.client import ClientError
from support.crashes.doomed_daemon import KILLS
from support.crashes.nursery import Nursery, nursery
from support.crashes.view import View, look
from support.crashes.workload import StoreGoneError, Workload, connected

SOAK = bool(os.environ.get("SOFTEE_SOAK"))
SHARES, TIMES = (4, 2500) if SOAK else (1, 25)
"""How many states, and how often the daemon of each is killed."""
CALLS = 80
"""A daemon is killed at one of its first calls on the disk; about eleven make one change, and a start takes as many."""
STEPS = 12
"""What is done with a daemon that outlives it, before it is stopped."""
PATIENCE = 1000
"""How often a client tries to be served while the supervisor buries a worker."""


def live_and_die(nursery: Nursery, workload: Workload, random: Random) -> bool:
    """Let a daemon serve until it is killed, or has done its work; return whether something was killed."""
    kill = random.choice(KILLS)
    if not nursery.start(kill, random.randint(1, CALLS)):
        return True
    try:
        workload.work(nursery.socket, STEPS)
    except ClientError as error:
        if kill == "worker" and not isinstance(error, StoreGoneError):
            go_on_without_the_worker(nursery, workload)
            return True
        nursery.is_killed()
        return True
    return not nursery.stop()


def go_on_without_the_worker(nursery: Nursery, workload: Workload) -> None:
    """Go on with another worker; once that serves, the supervisor has answered all that the dead one has asked."""
    for _ in range(PATIENCE):
        with contextlib.suppress(ClientError), connected(nursery.socket):
            break
    workload.resume(look(nursery.state))
    workload.work(nursery.socket, STEPS)
    nursery.stop()


@pytest.mark.timeout(0 if SOAK else 120)
@pytest.mark.parametrize("_", range(SHARES))
def test_after_kill_9_at_any_call_on_the_disk_it_holds_what_it_acknowledged(tmp_path: Path, _: int) -> None:
    random = Random(os.urandom(8))  # noqa: S311 - what to do and when to kill, no secret
    workload = Workload(random, View())
    kills = 0
    with nursery(tmp_path) as daemons:
        while kills < TIMES:
            kills += live_and_die(daemons, workload, random)
            workload.resume(look(daemons.state))
