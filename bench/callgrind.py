# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of a call, in the secure world and in the library, with valgrind's callgrind.

The real daemon and the real library run under callgrind, a CPU each, so that neither waits by looking (they do where a
CPU is spare, for as long as chance has it). The library's part is what the calling program does in ``bench_round``. The
daemon's is what it does between two connections: callgrind writes what it has counted whenever the daemon accepts one.
What does not depend on the number of calls is left out by taking the difference of a short round and a long one; of
each there are several, and the least counts, since chance only adds.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from softee.cli.bench.caller import ONE, CallingProgram
from softee.cli.bench.rows import Row
from softee.cli.ephemeral import initialized_token
from softee.cli.library import module_path
from softee.cli.secure_world import private_directory
from softee.client import TeeClient

_CPUS = sorted(os.sched_getaffinity(0))
_ROUNDS = 2
_SOFTEE = "import gc; gc.disable(); from softee.cli.main import main; main()"
"""The softee command, without the collector of cycles: that runs when it runs, and costs as much as ten calls."""

_VALGRIND = ("valgrind", "--quiet", "--tool=callgrind")


@dataclass(frozen=True)
class Instructions:
    """Of one call."""

    daemon: int
    library: int


class Counter:
    """A daemon and a caller under callgrind, which write into ``directory``."""

    def __init__(self, directory: Path, socket: Path, program: CallingProgram) -> None:
        self._directory, self._socket, self._program = directory, socket, program

    def count(self, row: Row, calls: int) -> Instructions:
        """Count a row's instructions by rounds of so many calls and of three times as many."""
        self._program.prepare(row.line(fills=True))
        self._program.call_times(calls)  # whatever is made once is made now
        few, many = self._least(calls), self._least(3 * calls)
        return Instructions(*((more - less) // (2 * calls) for less, more in zip(few, many, strict=True)))

    def _least(self, calls: int) -> tuple[int, int]:
        daemon, library = zip(*(self._round(calls) for _ in range(_ROUNDS)), strict=True)
        return min(daemon), min(library)

    def _round(self, calls: int) -> tuple[int, int]:
        self._mark()
        self._program.call_times(calls)
        self._mark()
        return self._counted("daemon"), self._counted("library")

    def _mark(self) -> None:
        TeeClient(self._socket).close()

    def _counted(self, name: str) -> int:
        """Return what the last file says that one of the two has written."""
        last = max(self._directory.glob(f"{name}.*.*"), key=lambda path: int(path.suffix[1:]))
        total = next(line for line in last.read_text().splitlines() if line.startswith("totals:"))
        return int(total.partition(":")[2])


@contextmanager
def counting() -> Iterator[Counter]:
    """Start both, with a throw-away token."""
    with tempfile.TemporaryDirectory() as name, private_directory() as private:
        directory, socket = Path(name), private / "tee.sock"
        with _daemon(directory, socket):
            variables = initialized_token(socket)
            wrapper = _callgrind(directory / "library", _CPUS[-1], "--toggle-collect=bench_round")
            environment = variables | {"BENCH_PIN": variables["SOFTEE_PIN"], "SOFTEE_SOCKET": str(socket)}
            program = CallingProgram(module_path(), ONE, environment, [*wrapper, "--dump-after=bench_round"])
            try:
                yield Counter(directory, socket, program)
            finally:
                program.end(tidy=False)


@contextmanager
def _daemon(directory: Path, socket: Path) -> Iterator[None]:
    readable, writable = os.pipe()
    places = {"--state": directory / "state", "--root-key": directory / "key" / "root.key", "--socket": socket}
    options = [str(part) for pair in places.items() for part in pair]
    wrapper = _callgrind(directory / "daemon", _CPUS[0], "--dump-before=accept4")
    serve = [sys.executable, "-P", "-c", _SOFTEE, "serve", *options, "--ready-fd", str(writable)]
    process = subprocess.Popen(
        [*wrapper, *serve],
        pass_fds=[writable],
        env=os.environ | {"PYTHONHASHSEED": "0"},
        stderr=subprocess.DEVNULL,
    )
    os.close(writable)
    try:
        assert os.read(readable, 1), "the daemon did not start under valgrind"
        yield
    finally:
        os.close(readable)
        process.kill()
        process.wait()


def _callgrind(file: Path, cpu: int, *options: str) -> Sequence[str]:
    return ("taskset", "--cpu-list", str(cpu), *_VALGRIND, f"--callgrind-out-file={file}.%p", *options)
