# SPDX-License-Identifier: Apache-2.0
"""kill -9 and power cuts: what was acknowledged is there; what was not is there whole or not at all.

SOFTEE_SOAK=1 in the environment makes the first test run for minutes.
"""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import softee
from softee.stores.sqlite import SqliteStore
from support import writer
from support.stores import open_storage

KILLS = 300 if os.environ.get("SOFTEE_SOAK") else 5
PYTHONPATH = os.pathsep.join([str(Path(softee.__path__[0]).parent), str(Path(writer.__file__).parents[1])])


def write_and_be_killed(path: Path, acknowledgements: int) -> int:
    """Run the writer, kill it after so many acknowledgements, and return the last step that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, writer.__file__, str(path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": PYTHONPATH},
    ) as process:
        assert process.stdout is not None
        steps = [process.stdout.readline() for _ in range(acknowledgements)]
        process.kill()
        steps += process.stdout.readlines()
    assert process.returncode == -9
    return int([step for step in steps if step.endswith(b"\n")][-1])


def check_after_restart(path: Path) -> int:
    with closing(SqliteStore(path)) as store:
        return writer.check(open_storage(store).vault(writer.VAULT))


def test_acknowledged_changes_survive_kill_9_at_any_instant(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    random = Random(os.urandom(8))  # noqa: S311 - when to kill, no secret
    for _ in range(KILLS):
        acknowledged = write_and_be_killed(path, random.randint(1, 60))
        assert check_after_restart(path) in (acknowledged, acknowledged + 1)


def test_a_log_that_a_power_cut_left_short_gives_a_committed_state(tmp_path: Path) -> None:
    """The log is cut at many places, mostly inside a transaction: each leaves the state after the last whole one."""
    path, cut = tmp_path / "store.db", tmp_path / "cut" / "store.db"
    cut.parent.mkdir()
    with closing(SqliteStore(path)) as store:
        vault = open_storage(store).vault(writer.VAULT)
        for _ in range(12):
            writer.take_step(vault)
        database, log = path.read_bytes(), path.with_name("store.db-wal").read_bytes()
    steps = []
    for length in [*range(0, len(log), 1237), len(log)]:
        cut.write_bytes(database)
        cut.with_name("store.db-wal").write_bytes(log[:length])
        steps.append(check_after_restart(cut))
    assert steps == sorted(steps)
    assert set(steps) == set(range(13))
