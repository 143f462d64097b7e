# SPDX-License-Identifier: Apache-2.0
"""Drives the program that calls a module (native/bench): one line to it, one line of JSON from it.

The calls are made in C, as an application makes them; a wrapper's own time would hide the module's.
"""

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from softee.cli.failure import CliError
from softee.cli.library import LIBRARIES
from softee.names import CKR

MOST_CALLERS = 1024
"""The C program's (native/bench/stage.h)."""

_SPELLED = re.compile(r"(\d{1,4})(p?)")


class RefusedError(Exception):
    """The module does not do what the row asks for. The text is the function and what it returned."""


@dataclass(frozen=True)
class Callers:
    """Who calls at once: threads of one process, or processes with one thread each."""

    processes: int
    threads: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``8`` (threads) or ``8p`` (processes).

        Raises:
            CliError: it is neither, or too many.

        """
        match = _SPELLED.fullmatch(text)
        count = int(match[1]) if match else 0
        if match is None or not 1 <= count <= MOST_CALLERS:
            raise CliError(f"{text!r} is no number of callers: 8 are threads, 8p processes, {MOST_CALLERS} at most.", 2)
        return cls(count, 1) if match[2] else cls(1, count)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.processes * self.threads

    def __str__(self) -> str:
        if self.count == 1:
            return "1 caller"
        return f"{self.threads} threads" if self.processes == 1 else f"{self.processes} processes"


ONE = Callers(1, 1)
NOBODY = Callers(0, 0)
"""For what the program times without a module."""


@dataclass(frozen=True)
class Round:
    """What came of a round: calls, calls per second of all callers together, and the callers' CPU seconds."""

    calls: int
    rate: float
    cpu: float


class CallingProgram:
    """The program, running. ``library`` is what the module says of itself."""

    def __init__(
        self,
        module: Path | None,
        callers: Callers,
        environment: Mapping[str, str],
        wrapper: Sequence[str] = (),
    ) -> None:
        """Start it.

        Args:
            module: what it loads, or None.
            callers: how many there are.
            environment: variables besides this process'; BENCH_PIN is the token's.
            wrapper: a command that runs it, with its arguments.

        Raises:
            CliError: it is not installed, or the module cannot be used.

        """
        program = LIBRARIES / "bench-caller"
        if not program.exists():
            raise CliError(f"There is no bench-caller in {LIBRARIES}: install the wheel with `pip install .`.")
        arguments = [program, module or "-", str(callers.processes), str(callers.threads)]
        self._process = subprocess.Popen(
            [*wrapper, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environment),
            start_new_session=True,  # an interrupt is ours to deal with
        )
        try:
            self.library = self._answer()
        except RefusedError as error:
            self.end(tidy=False)
            raise CliError(f"{module} cannot be measured: {error}.") from None
        except CliError:
            self.end(tidy=False)
            raise

    def prepare(self, line: str) -> None:
        """Make ready for a row. Raises RefusedError."""
        self._say(line)

    def call_for(self, seconds: float) -> Round:
        """Have it call for so long. Raises RefusedError."""
        return self._round(f"seconds {seconds}")

    def call_times(self, times: int) -> Round:
        """Have each caller call so often. Raises RefusedError."""
        return self._round(f"times {times}")

    def end(self, *, tidy: bool) -> None:
        """Stop it; ``tidy``: it destroys its token objects first."""
        if not tidy:
            self._process.kill()
        self._process.communicate()

    def _round(self, line: str) -> Round:
        answer = self._say(line)
        return Round(int(answer["calls"]), float(answer["rate"]), float(answer["cpu"]))

    def _say(self, line: str) -> dict[str, str]:
        assert self._process.stdin  # noqa: S101 - for mypy: it is a pipe
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, str]:
        assert self._process.stdout  # noqa: S101 - for mypy: it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise CliError(f"The program that calls ended with status {self._process.wait()}.")
        answer: dict[str, str] = json.loads(line)
        if "rv" in answer:
            raise RefusedError(f"{answer['function']} returned {_rv_name(int(answer['rv']))}")
        return answer


def _rv_name(rv: int) -> str:
    return f"CKR_{CKR(rv).name}" if rv in set(CKR) else f"{rv:#x}"
