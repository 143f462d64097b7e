# SPDX-License-Identifier: Apache-2.0
"""Starts daemons that are going to be killed (doomed_daemon.py), and tells what became of them."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

import softee
from support.crashes import doomed_daemon, observer
from support.crashes.doomed_daemon import Life
from support.secure_world import settings_for_coverage, short_directory
from support.token_world import ROOT_KEY

WITHIN = 60.0
"""Seconds that a daemon has to begin, or to end."""
SETTINGS = 'workers = 2\nlog_level = "error"\n[pkcs11]\nslots = 1\nprofile = "optee"\n'
"""In the profile optee nobody waits after a wrong PIN."""
_PATHS = (str(Path(softee.__path__[0]).parent), str(Path(__file__).parents[2]))


@dataclass
class Nursery:
    """One state, and one daemon for it at a time."""

    life: Life
    program: "subprocess.Popen[bytes]"
    pid: int = 0
    is_doomed: bool = False
    """The daemon may be killed, at its end too."""

    @property
    def state(self) -> Path:
        return Path(self.life.state)

    @property
    def socket(self) -> Path:
        return Path(self.life.socket)

    def start(self, kill: str = "", at: int = 0, record: str = "") -> bool:
        """Start a daemon; tell whether it came to serve, before it was killed."""
        life = replace(self.life, kill=kill, at=at, record=record)
        self.is_doomed = bool(kill)
        _file(self.program.stdin).write(json.dumps(asdict(life)).encode() + b"\n")
        self.pid = int(self._line())
        if (said := self._line()) == b"\n":
            return True
        assert int(said) == -signal.SIGKILL, f"the daemon did not start: {said!r}"
        return False

    def is_killed(self) -> None:
        """Wait until the daemon has died, of nothing but a kill."""
        assert int(self._line()) == -signal.SIGKILL

    def kill(self) -> None:
        """Kill the daemon."""
        os.kill(self.pid, signal.SIGKILL)
        self.is_killed()

    def stop(self) -> bool:
        """Stop the daemon as a service manager does; tell whether it came so far, before it was killed."""
        os.kill(self.pid, signal.SIGTERM)
        status = int(self._line())
        assert status == 0 or (self.is_doomed and status == -signal.SIGKILL), status
        return status == 0

    def _line(self) -> bytes:
        answers = _file(self.program.stdout)
        ready, _, _ = select.select([answers], [], [], WITHIN)
        assert ready, "the daemon neither began nor ended"
        return answers.readline()


def _file(file: IO[bytes] | None) -> IO[bytes]:
    assert file is not None
    return file


@contextmanager
def nursery(directory: Path) -> Iterator[Nursery]:
    """Make a place for daemons; nothing is in their state yet."""
    config, root_key = directory / "softee.toml", directory / "root.key"
    config.write_text(SETTINGS + settings_for_coverage())
    root_key.write_bytes(ROOT_KEY)
    root_key.chmod(0o600)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(_PATHS),
        "LD_PRELOAD": str(observer.build(directory)),
    }
    with short_directory() as short, (directory / "daemons.log").open("wb") as log:
        life = Life(str(config), str(directory / "state"), str(root_key), str(short / "tee.sock"))
        command = [sys.executable, doomed_daemon.__file__]
        pipe = subprocess.PIPE
        # Unbuffered, so that select sees each line.
        with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=log, bufsize=0) as program:
            try:
                yield Nursery(life, program)
            finally:
                program.kill()
