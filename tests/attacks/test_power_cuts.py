# SPDX-License-Identifier: Apache-2.0
"""Power cuts while the real daemon works: each leaves what was synced, and of the rest nothing, all, or any part.

All calls on the disk are recorded (native/tests/disk_calls.c), and done again up to the cut. SOFTEE_SOAK=1 in the
environment makes it cut after every call, and record more.
"""

import bisect
import json
import os
import tempfile
from pathlib import Path
from random import Random

import pytest

from softee.client import ClientError
from support.crashes.nursery import Nursery, nursery
from support.crashes.observer import Deed, DiskCall
from support.crashes.power import Disk, Survives
from support.crashes.view import View, look
from support.crashes.workload import Workload

SOAK = bool(os.environ.get("SOFTEE_SOAK"))
RECORDINGS = 20 if SOAK else 1
CUTS = 1.0 if SOAK else 0.1
"""After how large a part of the calls the power is cut; each time all of SURVIVAL is tried."""
LIVES, STEPS, CALLS = 3, 12, 150
"""Daemons that work one after the other, what is done with each, and up to which call it may be killed."""

SURVIVAL: dict[str, Survives] = {
    "nothing": lambda: False,
    "all": lambda: True,
    "any": lambda: Random(os.urandom(8)).random() < 0.5,  # noqa: S311 - no secret
}


class Recording:
    """A record of calls on the disk, and what the token could be after each part of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._ends: list[int] = [0]
        self._possible: list[list[View]] = [[View()]]

    def note(self, possible: list[View]) -> None:
        """Note what the token may be from here on."""
        self._ends.append(self.path.stat().st_size)
        self._possible.append(possible)

    def calls(self) -> list[tuple[DiskCall, list[View]]]:
        """Return the calls, and what the token may be after each."""
        found, end = [], 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            end += len(line)
            deed, path, data, number = json.loads(line)
            call = DiskCall(Deed(deed), path, bytes.fromhex(data), number)
            found.append((call, self._possible[bisect.bisect_right(self._ends, end) - 1]))
        return found


def record(daemons: Nursery, recording: Recording, random: Random) -> None:
    """Let daemons work, of which all but the last one may be killed."""
    workload = Workload(random, View(), recording.note)
    for life in range(LIVES):
        last = life == LIVES - 1
        is_ready = daemons.start("" if last else "after", 0 if last else random.randint(1, CALLS), str(recording.path))
        if not is_ready:
            continue
        # What a kill has left unsynced, and a cut until here may take, is on the disk from now on: others see it.
        recording.note([workload.now])
        try:
            workload.work(daemons.socket, STEPS)
        except ClientError:
            daemons.is_killed()
            workload.resume(look(daemons.state))
        else:
            daemons.stop()


def seen_after(disk: Disk, survives: Survives) -> View:
    with tempfile.TemporaryDirectory() as directory:
        disk.cut(survives, Path(directory))
        return look(Path(directory))


@pytest.mark.timeout(0 if SOAK else 120)
@pytest.mark.parametrize("_", range(RECORDINGS))
def test_after_a_power_cut_at_any_call_on_the_disk_it_holds_what_it_acknowledged(tmp_path: Path, _: int) -> None:
    random, recording = Random(os.urandom(8)), Recording(tmp_path / "record")  # noqa: S311 - no secret
    with nursery(tmp_path) as daemons:
        record(daemons, recording, random)
        disk = Disk(daemons.state)
        calls = recording.calls()
        for call, possible in calls:
            disk.do(call)
            if random.random() < CUTS:
                for survives in SURVIVAL.values():
                    assert seen_after(disk, survives) in possible, call
    assert calls


def test_a_power_cut_loses_what_was_not_synced(tmp_path: Path) -> None:
    disk = Disk(Path("/state"))
    first, second = tmp_path / "first", tmp_path / "second"
    for call in (
        DiskCall(Deed.CREATE, "/state/file"),
        DiskCall(Deed.WRITE, "/state/file", b"synced"),
        DiskCall(Deed.SYNC, "/state/file"),
    ):
        disk.do(call)
    first.mkdir()
    disk.cut(SURVIVAL["nothing"], first)
    assert list(first.iterdir()) == []
    disk.do(DiskCall(Deed.SYNC, "/state"))
    disk.do(DiskCall(Deed.WRITE, "/state/file", bytes(1024), 4))
    disk.cut(SURVIVAL["nothing"], first)
    assert (first / "file").read_bytes() == b"synced"
    second.mkdir()
    disk.cut(SURVIVAL["all"], second)
    assert (second / "file").read_bytes() == b"sync" + bytes(1024)
