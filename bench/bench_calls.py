# SPDX-License-Identifier: Apache-2.0
"""Signs per second through the module, beside SoftHSM2 in the same run.

Two processes sign in turn, in short rounds, so that what else the machine does falls on both. What counts is the ratio;
the rates are this machine's. SoftHSM2 signs inside the application's process, so it pays for no round trip.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench.signer import KINDS
from rich.console import Console
from rich.table import Table

from softee.cli import secure_world
from softee.cli.library import module_path

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
ROUNDS = 7
SECONDS = 0.4


class Signer:
    """A signing process."""

    def __init__(self, module: Path, variables: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.signer", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
            env=os.environ | dict(variables),
        )

    def rate(self, kind: str) -> float:
        """Let it sign for a moment and return its signs per second."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{kind} {SECONDS}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


@contextmanager
def softee_signer(directory: Path) -> Iterator[Signer]:
    """Sign through softee, with a secure world of its own."""
    place = secure_world.Place(directory / "state", directory / "root.key", directory / "softee.log")
    with secure_world.running(place) as socket:
        signer = Signer(module_path(), {"SOFTEE_SOCKET": str(socket)})
        with signer.process:
            yield signer


@contextmanager
def softhsm_signer(directory: Path) -> Iterator[Signer]:
    """Sign through SoftHSM2."""
    tokens, conf = directory / "tokens", directory / "softhsm2.conf"
    tokens.mkdir()
    conf.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    signer = Signer(SOFTHSM, {"SOFTHSM2_CONF": str(conf)})
    with signer.process:
        yield signer


def main() -> None:
    """Measure, and print the table."""
    table = Table("signature", title="signs per second, one thread (median of rounds)")
    for column in ("softee", "SoftHSM2", "softee : SoftHSM2"):
        table.add_column(column, justify="right")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(softee_signer(directory))
        theirs = stack.enter_context(softhsm_signer(directory))
        for kind in KINDS:
            pairs = [(ours.rate(kind), theirs.rate(kind)) for _ in range(ROUNDS)]
            ratio = median(one / other for one, other in pairs)
            mine, others = (median(column) for column in zip(*pairs, strict=True))
            table.add_row(kind, f"{mine:.0f}", f"{others:.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
