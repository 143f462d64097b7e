# SPDX-License-Identifier: Apache-2.0
"""Says when a call has come to cost more instructions: a gate that other people's load does not move.

The figures of ``instructions.json`` hold for one Python, one ``cryptography``, one C compiler, one libc and one set of
CPU flags. Where these are ours, a call that costs more than three in a hundred more than there fails, unless
``--update`` has written new figures, which then show in the change. Elsewhere the figures are told, and nothing fails.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from bench.callgrind import Instructions, counting
from rich.console import Console
from rich.table import Table

from softee.cli.bench.rows import ROWS

FILE = Path(__file__).with_name("instructions.json")
GROWTH = 1.03
CALLS = {
    "info": 100,
    "session": 100,
    "random": 100,
    "sign-p256": 30,
    "sign-ed25519": 30,
    "sign-rsa2048": 8,
    "verify-p256": 30,
    "hmac-sha256": 100,
    "aes-gcm-1k": 100,
    "find-10": 100,
}
"""The operations, with as many calls as tell their instructions to within one in a hundred."""

Figures = Mapping[str, Mapping[str, int]]


def main() -> None:
    """Count, tell, and compare or update."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write what was counted into the file")
    update = parser.parse_args().update
    counted, known, key = count(), json.loads(FILE.read_text()), machine_key()
    Console().print(table(counted, known.get(key, {})))
    if update:
        FILE.write_text(json.dumps(known | {key: counted}, indent=1, sort_keys=True) + "\n")
    elif key not in known:
        print(f"{FILE.name} has no figures for {key}: nothing is compared.")
    elif grown := growth(counted, known[key]):
        sys.exit(f"These cost more instructions than in {FILE.name}: {', '.join(grown)}.")


def count() -> Figures:
    """Return what each operation costs."""
    rows = {row.name: row for row in ROWS}
    with counting() as counter:
        return {name: asdict(_told(name, counter.count(rows[name], calls))) for name, calls in CALLS.items()}


def growth(counted: Figures, known: Figures) -> list[str]:
    """Return which figures have grown, or are new."""
    return [
        f"{name} ({part})"
        for name, parts in counted.items()
        for part, number in parts.items()
        if number > known.get(name, {}).get(part, 0) * GROWTH
    ]


def machine_key() -> str:
    """Return for which machines the figures hold."""
    cpu = next(
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("flags", "Features"))
    )
    flags = hashlib.sha256(" ".join(sorted(cpu.partition(":")[2].split())).encode()).hexdigest()[:12]
    compiler = subprocess.run(["cc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    python, libc = platform.python_version(), " ".join(platform.libc_ver())
    return f"Python {python}, cryptography {version('cryptography')}, cc {compiler}, {libc}, CPU flags {flags}"


def table(counted: Figures, known: Figures) -> Table:
    """Return the figures as a table, with those of the file."""
    shown = Table("operation", title="instructions of a call")
    for part in Instructions.__dataclass_fields__:
        shown.add_column(part, justify="right")
        shown.add_column("to the file's", justify="right")
    for name, parts in counted.items():
        cells = []
        for part, number in parts.items():
            before = known.get(name, {}).get(part)
            cells += [f"{number:,}", f"{number / before:.3f}" if before else "new"]
        shown.add_row(name, *cells)
    return shown


def _told(name: str, counted: Instructions) -> Instructions:
    print(f"{name}: {counted.daemon:,} + {counted.library:,}", file=sys.stderr, flush=True)
    return counted


if __name__ == "__main__":
    main()
