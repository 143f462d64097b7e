# SPDX-License-Identifier: Apache-2.0
"""Write tools/fuzz_executions.json: what the fuzzers themselves report, by target, added up over all their reports.

``python tools/fuzz_reports.py [DIRECTORY]`` reads what ``make fuzz`` has left in a directory (default:
build/fuzz/reports); each report is named for its target and a number. A run that found something has no part in it.
"""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "fuzz" / "reports"
EXECUTIONS = ROOT / "tools" / "fuzz_executions.json"

_DONE = re.compile(r"^Done (\d+) runs in (\d+) second\(s\)$", re.MULTILINE)
_EXECUTED = re.compile(r"^stat::number_of_executed_units: +(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Executions:
    """What was run of a target: how often, for how many seconds, in how many runs of its fuzzer."""

    executions: int
    seconds: int
    runs: int

    def __add__(self, other: "Executions") -> "Executions":
        return Executions(self.executions + other.executions, self.seconds + other.seconds, self.runs + other.runs)


NONE = Executions(0, 0, 0)


def executions_in(report: str) -> Executions | None:
    """Return what libFuzzer, or atheris, says at its end; None where it has not come to a good one."""
    done, executed = _DONE.search(report), _EXECUTED.search(report)
    if done is None or executed is None:
        return None
    return Executions(int(executed[1]), int(done[2]), 1)


def added_up(reports: Iterable[Path]) -> dict[str, Executions]:
    """Return what was run of each target."""
    total: dict[str, Executions] = {}
    for report in sorted(reports):
        said = executions_in(report.read_text(errors="replace"))
        if said is not None:
            target = report.stem.rpartition("-")[0]
            total[target] = total.get(target, NONE) + said
    return total


def load() -> dict[str, Executions]:
    """Return what was written last."""
    return {target: Executions(**row) for target, row in json.loads(EXECUTIONS.read_text()).items()}


def main(directory: str = str(REPORTS)) -> None:
    """Read the reports and write the file."""
    total = added_up(Path(directory).glob("*.log"))
    rows = {target: asdict(row) for target, row in sorted(total.items())}
    EXECUTIONS.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"{sum(row.executions for row in total.values()):,} executions of {len(total)} targets")


if __name__ == "__main__":
    main(*sys.argv[1:])
