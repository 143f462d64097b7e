# SPDX-License-Identifier: Apache-2.0
"""What is measured in turn: a module with its callers, or the floor."""

import time
from dataclasses import dataclass
from typing import Protocol

from softee.cli.bench.caller import NOBODY, ONE, Callers, CallingProgram, RefusedError
from softee.cli.bench.modules import Module
from softee.cli.bench.rows import Row
from softee.cli.bench.work import nothing

FLOOR = "floor"
_ECHO = "row echo echo"


@dataclass(frozen=True)
class Sample:
    """A round: calls per second, and CPU seconds per call of the callers and of the processes behind the module."""

    rate: float
    caller_cpu: float
    server_cpu: float | None


class Subject(Protocol):
    """Something that does a row's operation. Both methods raise RefusedError where it cannot."""

    name: str
    callers: Callers

    def prepare(self, row: Row) -> None:
        """Make ready for a row."""

    def measure(self, seconds: float) -> Sample:
        """Do the operation for so long."""

    def end(self) -> None:
        """Stop what was started."""


class CalledModule:
    """A module and its callers. One of those at a module ``fills`` its token."""

    def __init__(self, module: Module, callers: Callers, *, fills: bool) -> None:
        self.name, self.callers = module.name, callers
        self._module, self._fills = module, fills
        self._program = CallingProgram(module.path, callers, module.environment)
        self.library = self._program.library

    def prepare(self, row: Row) -> None:
        """Make ready for a row."""
        if row.alone and self.callers != ONE:
            raise RefusedError("one caller only")
        self._program.prepare(row.line(fills=self._fills))

    def measure(self, seconds: float) -> Sample:
        """Have the callers call."""
        before = self._server_cpu()
        done = self._program.call_for(seconds)
        after = self._server_cpu()
        server = max(0.0, after - before) / done.calls if before is not None and after is not None else None
        return Sample(done.rate, done.cpu / done.calls, server)

    def end(self) -> None:
        """Stop the callers; a token that stays is tidied up."""
        self._program.end(tidy=not self._module.throw_away)

    def _server_cpu(self) -> float | None:
        return self._module.server_cpu() if self._module.server_cpu else None


class Floor:
    """What a token in another process can reach: the operation by ``cryptography``, and one empty round trip.

    The operation is called in this process, from Python. The round trip is 64 bytes to another process and back, over a
    Unix socket at which neither sleeps. Both are measured in each round, and their times are added.
    """

    name, callers = FLOOR, ONE

    def __init__(self) -> None:
        self._program = CallingProgram(None, NOBODY, {})
        self._program.prepare(_ECHO)
        self._once = nothing()

    def prepare(self, row: Row) -> None:
        """Make ready for a row."""
        if row.work is None:
            raise RefusedError("no floor")
        self._once = row.work()
        self._once()

    def measure(self, seconds: float) -> Sample:
        """Do the operation for half of the time, and send bytes to and fro for the other half."""
        work, cpu = self._work(seconds / 2)
        echo = self._program.call_for(seconds / 2)
        return Sample(1 / (work + 1 / echo.rate), cpu + echo.cpu / echo.calls, None)

    def end(self) -> None:
        """Stop the program."""
        self._program.end(tidy=False)

    def _work(self, seconds: float) -> tuple[float, float]:
        """Return seconds and CPU seconds of the operation."""
        done, start, cpu = 0, time.perf_counter(), time.thread_time()
        while not done or time.perf_counter() - start < seconds:
            self._once()
            done += 1
        return (time.perf_counter() - start) / done, (time.thread_time() - cpu) / done
