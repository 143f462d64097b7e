# SPDX-License-Identifier: Apache-2.0
"""Calls per second through the module, beside SoftHSM2 in the same run.

Two processes call in turn, in short rounds, so that what else the machine does falls on both. What counts is the ratio;
the rates are this machine's. SoftHSM2 works inside the application's process, so it pays for no round trip.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench.caller import KINDS
from rich.console import Console
from rich.table import Table

from softee.cli import secure_world
from softee.cli.library import module_path

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
ROUNDS = 7
SECONDS = 0.4


class Caller:
    """A calling process."""

    def __init__(self, module: Path, variables: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.caller", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
            env=os.environ | dict(variables),
        )

    def rate(self, kind: str) -> float:
        """Let it call for a moment and return how often it did in a second."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{kind} {SECONDS}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


@contextmanager
def softee_caller(directory: Path) -> Iterator[Caller]:
    """Call softee, with a secure world of its own."""
    place = secure_world.StartPaths(directory / "state", directory / "root.key", directory / "softee.log")
    with secure_world.running(place) as socket:
        caller = Caller(module_path(), {"SOFTEE_SOCKET": str(socket)})
        with caller.process:
            yield caller


@contextmanager
def softhsm_caller(directory: Path) -> Iterator[Caller]:
    """Call SoftHSM2."""
    tokens, conf = directory / "tokens", directory / "softhsm2.conf"
    tokens.mkdir()
    conf.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    caller = Caller(SOFTHSM, {"SOFTHSM2_CONF": str(conf)})
    with caller.process:
        yield caller


def main() -> None:
    """Measure, and print the table."""
    table = Table("call", title="calls per second, one thread (median of rounds)")
    for column in ("softee", "SoftHSM2", "softee : SoftHSM2"):
        table.add_column(column, justify="right")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(softee_caller(directory))
        theirs = stack.enter_context(softhsm_caller(directory))
        for kind in KINDS:
            pairs = [(ours.rate(kind), theirs.rate(kind)) for _ in range(ROUNDS)]
            ratio = median(one / other for one, other in pairs)
            mine, others = (median(column) for column in zip(*pairs, strict=True))
            table.add_row(kind, f"{mine:.0f}", f"{others:.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
