# SPDX-License-Identifier: Apache-2.0
"""One run of the benchmark, from what the command line says to tables and files."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from softee.cli.bench.caller import ONE, Callers
from softee.cli.bench.document import as_document
from softee.cli.bench.figures import Outcome, Series
from softee.cli.bench.machine import describe_machine
from softee.cli.bench.modules import SOFTEE, Module, found_modules
from softee.cli.bench.plot import as_svg
from softee.cli.bench.rounds import measure_row
from softee.cli.bench.rows import Row, chosen
from softee.cli.bench.subjects import CalledModule, Floor, Subject
from softee.cli.bench.table import tables
from softee.cli.failure import CliError

_WIDE = 160


@dataclass(frozen=True)
class Plan:
    """What is to be measured, and for how long."""

    modules: Sequence[Path]
    alone: bool
    rows: Sequence[Row]
    callers: Sequence[Callers]
    rounds: int
    seconds: float

    @classmethod
    def parse(
        cls,
        *,
        modules: Sequence[Path],
        alone: bool,
        rows: Sequence[str],
        callers: Sequence[str],
        rounds: int,
        seconds: float,
        quick: bool,
    ) -> Self:
        """Read what the command line says. Raises CliError."""
        some = list(dict.fromkeys(map(Callers.parse, callers)))
        return cls(modules, alone, chosen(rows, quick=quick), some, rounds, seconds)


def run_bench(plan: Plan, *, json_file: Path | None, plot_file: Path | None) -> None:
    """Measure, print the tables, write the files."""
    console, machine = _console(), describe_machine()
    for name, value in machine.items():
        console.print(f"[bold]{name}[/bold] {escape(value)}", soft_wrap=True)
    with (
        found_modules(plan.modules, alone=plan.alone) as (modules, missing),
        _subjects(modules, plan.callers) as subjects,
    ):
        for sentence in missing:
            console.print(f"[yellow]{escape(sentence)}[/yellow]", soft_wrap=True)
        libraries = {subject.name: subject.library for subject in subjects if isinstance(subject, CalledModule)}
        outcomes = _measure(plan, subjects)
    peers = [name for name in dict.fromkeys(subject.name for subject in subjects) if name != SOFTEE]
    for table in tables(outcomes, peers, plan.callers):
        console.print(table)
    _say_refusals(console, outcomes)
    if json_file:
        _write(json_file, json.dumps(as_document(machine, libraries, outcomes), indent=1) + "\n")
    if plot_file:
        _write(plot_file, as_svg(outcomes, peers, plan.callers[0], machine))


def _console() -> Console:
    """Return a console; what is written to a file is not folded to a terminal's width."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


@contextmanager
def _subjects(modules: Sequence[Module], callers: Sequence[Callers]) -> Iterator[list[Subject]]:
    """Start the callers of every module, and the floor where there is one caller."""
    subjects: list[Subject] = []
    with ExitStack() as stack:
        for module in modules:
            for number, some in enumerate(callers):
                subjects.append(CalledModule(module, some, fills=number == 0))
                stack.callback(subjects[-1].end)
        if ONE in callers:
            subjects.append(Floor())
            stack.callback(subjects[-1].end)
        yield subjects


def _measure(plan: Plan, subjects: Sequence[Subject]) -> list[Outcome]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    outcomes = []
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(plan.rows) * plan.rounds)
        for row in plan.rows:
            progress.update(task, description=f"{row.text:34}")
            outcomes.append(measure_row(row, subjects, plan.rounds, plan.seconds, lambda: progress.advance(task)))
    return outcomes


def _say_refusals(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Say once for each module why it has no figures, but where there can be none."""
    rows: dict[str, list[str]] = {}
    for outcome in outcomes:
        for sentence in dict.fromkeys(f"{one.name}: {one.refused}" for one in outcome.series if _has_refused(one)):
            rows.setdefault(sentence, []).append(outcome.row.name)
    for sentence, names in rows.items():
        console.print(f"{escape(sentence)} ({', '.join(names)})", soft_wrap=True)


def _has_refused(one: Series) -> bool:
    return one.refused is not None and one.refused.startswith("C_")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}.") from None
