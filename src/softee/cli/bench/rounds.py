# SPDX-License-Identifier: Apache-2.0
"""Has the subjects measured in turn, in short rounds, so that what else the machine does falls on all of them.

Every second round goes backwards: none always comes after the same other one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from softee.cli.bench.caller import RefusedError
from softee.cli.bench.figures import Outcome, Series
from softee.cli.bench.rows import Row
from softee.cli.bench.subjects import Subject

_WARM_UP = 0.25
"""Of a round, which does not count."""


def measure_row(
    row: Row, subjects: Sequence[Subject], rounds: int, seconds: float, step: Callable[[], None]
) -> Outcome:
    """Measure a row. ``step`` is called after each of its rounds."""
    turns = [(subject, Series(subject.name, subject.callers)) for subject in subjects]
    for subject, series in turns:
        with _may_refuse(series):
            subject.prepare(row)
            subject.measure(seconds * _WARM_UP)
    for number in range(rounds):
        for subject, series in turns if number % 2 == 0 else reversed(turns):
            with _may_refuse(series):
                if series.refused is None:
                    series.samples.append(subject.measure(seconds))
        step()
    return Outcome(row, [series for _, series in turns])


@contextmanager
def _may_refuse(series: Series) -> Iterator[None]:
    """Note it where the subject refuses; what it did before in the row does not count then."""
    try:
        yield
    except RefusedError as error:
        series.refused = str(error)
        series.samples.clear()
