# SPDX-License-Identifier: Apache-2.0
"""The outcome as a JSON document: every round of every subject, and the medians that the table shows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from softee.cli.bench.caller import Callers
from softee.cli.bench.figures import Outcome, Series, Spread
from softee.cli.bench.machine import Machine
from softee.cli.bench.modules import SOFTEE

FORMAT = 1


def as_document(
    machine: Machine, libraries: Mapping[str, Mapping[str, str]], outcomes: Sequence[Outcome]
) -> dict[str, object]:
    """Return the document; ``libraries`` are the modules' descriptions of themselves, by name."""
    return {
        "format": FORMAT,
        "machine": dict(machine),
        "modules": dict(libraries),
        "rows": [
            {
                "row": outcome.row.name,
                "text": outcome.row.text,
                "series": [_series(outcome, one) for one in outcome.series],
            }
            for outcome in outcomes
        ],
    }


def _series(outcome: Outcome, one: Series) -> dict[str, object]:
    head: dict[str, object] = {"module": one.name, **_callers(one.callers)}
    if one.refused is not None:
        return head | {"refused": one.refused}
    ratio = None if one.name == SOFTEE else outcome.ratio(one.name, one.callers)
    return head | {
        "rate": _spread(one.rate),
        "caller_cpu": one.caller_cpu,
        "server_cpu": one.server_cpu,
        "softee_to_it": _spread(ratio),
        "to_one_caller": _spread(outcome.scaling(one.name, one.callers)),
        "rounds": [asdict(sample) for sample in one.samples],
    }


def _callers(callers: Callers) -> dict[str, object]:
    return {"processes": callers.processes, "threads": callers.threads}


def _spread(spread: Spread | None) -> dict[str, float] | None:
    return asdict(spread) if spread else None
