# SPDX-License-Identifier: Apache-2.0
"""The outcome as tables: rates with ratios, CPU time, and what more callers give."""

from collections.abc import Iterator, Sequence

from rich.table import Column, Table

from softee.cli.bench.caller import ONE, Callers
from softee.cli.bench.figures import Outcome, Series, Spread
from softee.cli.bench.modules import SOFTEE

NONE = "—"


def tables(outcomes: Sequence[Outcome], peers: Sequence[str], callers: Sequence[Callers]) -> Iterator[Table]:
    """Yield the tables: two for each number of callers, and one for those that are more than one."""
    for some in callers:
        present = [peer for peer in peers if any(outcome.of(peer, some) for outcome in outcomes)]
        yield _rates(outcomes, present, some)
        yield _cpu(outcomes, present, some)
    several = [some for some in callers if some != ONE]
    if several and ONE in callers:
        yield _scaling(outcomes, several)


def _rates(outcomes: Sequence[Outcome], peers: Sequence[str], callers: Callers) -> Table:
    table = Table(
        Column("row", no_wrap=True), title=f"calls per second, {callers}; (softee : the other), median and quartiles"
    )
    for name in (SOFTEE, *peers):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        theirs = (_rate_and_ratio(outcome, peer, callers) for peer in peers)
        table.add_row(outcome.row.text, _rate(outcome.of(SOFTEE, callers)), *theirs)
    return table


def _cpu(outcomes: Sequence[Outcome], peers: Sequence[str], callers: Callers) -> Table:
    table = Table(Column("row", no_wrap=True), title=f"CPU time of a call in µs, {callers}: of the caller + behind it")
    for name in (SOFTEE, *peers):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        table.add_row(outcome.row.text, *(_cpu_of(outcome.of(name, callers)) for name in (SOFTEE, *peers)))
    return table


def _scaling(outcomes: Sequence[Outcome], several: Sequence[Callers]) -> Table:
    table = Table(Column("row", no_wrap=True), title="softee's calls per second, to those of one caller")
    for some in several:
        table.add_column(str(some), justify="right")
    for outcome in outcomes:
        table.add_row(outcome.row.text, *(_ratio(outcome.scaling(SOFTEE, some)) for some in several))
    return table


def _rate_and_ratio(outcome: Outcome, peer: str, callers: Callers) -> str:
    ratio = outcome.ratio(peer, callers)
    rate = _rate(outcome.of(peer, callers))
    return f"{rate} ({_ratio(ratio)})" if ratio else rate


def _rate(series: Series | None) -> str:
    return _number(series.rate.median) if series and series.samples else NONE


def _ratio(spread: Spread | None) -> str:
    return "{}, {} to {}".format(*map(_two_places, (spread.median, spread.low, spread.high))) if spread else NONE


def _two_places(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"


def _cpu_of(series: Series | None) -> str:
    if not series or not series.samples:
        return NONE
    own = _micro(series.caller_cpu)
    return own if series.server_cpu is None else f"{own} + {_micro(series.server_cpu)}"


def _micro(seconds: float) -> str:
    return _number(seconds * 1e6)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
