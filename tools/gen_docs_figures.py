# SPDX-License-Identifier: Apache-2.0
"""Write docs/security-figures.md from tools/security_figures.toml and what the fuzzers report; --check: is it stale?"""

import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Any

import fuzz_reports
from generation import ROOT, main

NOTE = "<!-- Made by tools/gen_docs_figures.py from tools/security_figures.toml and tools/fuzz_executions.json. -->"
INTRODUCTION = """\
What was done to softee to break its [guarantees](../SECURITY.md#guarantees), how often, and the command that does it
again. Each figure was counted by what stands beside it, and all of it held; what once did not was mended, and is a test
since."""
FUZZED = """\
Fuzzers feed each target with bytes that they change, guided by what each input reaches: libFuzzer those in C, under
AddressSanitizer and UndefinedBehaviorSanitizer (`native/fuzz`), atheris those in Python (`tests/fuzz/targets`). Its
first lines say what must hold. The inputs that reach something of their own are in the repository, with those that have
broken a target once; `make test` runs them all, and changes those in C for some seconds."""
REPEATED = """\
`make fuzz ARGS=--seconds=600` runs each target for so long, and `python tools/fuzz_reports.py` adds up what the fuzzers
say at their ends (`stat::number_of_executed_units`). A run that found something is not counted. The targets in C that
ask the system for nothing are the quickest, and have most of the sum."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((ROOT / "tools" / "security_figures.toml").read_text())


def page() -> str:
    """Return the page."""
    lines = ["# Security in figures", NOTE, "", INTRODUCTION, "", *figures(), "", "## Fuzzing", "", FUZZED, ""]
    return "\n".join([*lines, *fuzzed(), "", REPEATED]) + "\n"


def figures() -> Iterable[str]:
    """Return what was tried, but for the fuzzers' part, of which the sum is told."""
    yield "| tried | figure | again | where |"
    yield "|---|---|---|---|"
    for row in _table()["figure"]:
        where = ", ".join(f"`{test}`" for test in row["tests"])
        yield f"| {row['tried']} | {row['figure']} | {row['command']} | {where} |"
    total = sum(row.executions for row in fuzz_reports.load().values())
    yield f"| inputs of fuzzers, [below](#fuzzing) | {total:,} executions | `make fuzz` | `native/fuzz`, `tests/fuzz` |"


def fuzzed() -> Iterable[str]:
    """Return how often each fuzz target was run."""
    executions = fuzz_reports.load()
    yield "| target | what it is given | executions | seconds |"
    yield "|---|---|---:|---:|"
    for target, given in _table()["fuzz"].items():
        ran = executions.get(target, fuzz_reports.NONE)
        yield f"| `{target}` | {given} | {ran.executions:,} | {ran.seconds:,} |"
    total = sum(executions.values(), fuzz_reports.NONE)
    yield f"| **all** | | **{total.executions:,}** | **{total.seconds:,}** |"


if __name__ == "__main__":
    sys.exit(main(__doc__, {"docs/security-figures.md": page}))
