# SPDX-License-Identifier: Apache-2.0
"""What is counted, as Prometheus' metrics: one table of them.

A label's value is a name of our tables, or a token's serial number: nothing that a client or a user has chosen.
"""

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.registry import Collector, CollectorRegistry

import softee as package
from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.metrics.counts_seen import Durations, Seen, seen
from softee.daemon.metrics.tallies import BOUNDS
from softee.names import CKR
from softee.pkcs11_ta.counting import Act, name_of_command, name_of_mechanism, name_of_result

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Labels = tuple[str, ...]

_WRONG_PINS: Final = frozenset({CKR.PIN_INCORRECT, CKR.PIN_LOCKED})
_SECOND: Final = 10**9


def _operation(seen: Seen, act: Act) -> Labels:
    slot, command, mechanism, result = act
    return name_of_command(command), name_of_mechanism(mechanism), name_of_result(result), seen.serial(slot)


def _duration(_seen: Seen, act: Act) -> Labels:
    _, command, mechanism, _ = act
    return name_of_command(command), name_of_mechanism(mechanism)


def _summed(seen: Seen, labels: Callable[[Seen, Act], Labels | None]) -> dict[Labels, Durations]:
    """Return the acts' durations, those with the same labels together; ``labels`` leaves some out."""
    summed: dict[Labels, Durations] = {}
    for act, durations in seen.acts.items():
        found = labels(seen, act)
        if found is not None:
            summed.setdefault(found, Durations()).add(durations)
    return summed


def _wrong_pin(seen: Seen, act: Act) -> Labels | None:
    slot, command, _, result = act
    return (name_of_command(command), name_of_result(result), seen.serial(slot)) if result in _WRONG_PINS else None


def _commits(seen: Seen) -> dict[Labels, Durations]:
    return {(outcome,): durations for outcome, durations in seen.commits.items()}


@dataclass(frozen=True)
class _Tallied:
    """A metric of what is tallied by labels: ``family`` makes it, and ``values`` is what it says of each tally."""

    name: str
    text: str
    labels: Labels
    durations: Callable[[Seen], dict[Labels, Durations]]
    family: Callable[..., Any]
    values: Callable[[Durations], tuple[object, ...]]

    def metric(self, seen: Seen) -> Metric:
        family = self.family(self.name, self.text, labels=self.labels)
        for labels, durations in sorted(self.durations(seen).items()):
            family.add_metric(labels, *self.values(durations))
        made: Metric = family
        return made


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    """Return Prometheus' buckets, each with all that is below its bound."""
    bounds = [*(f"{bound / _SECOND:g}" for bound in BOUNDS), "+Inf"]
    below, buckets = 0, []
    for bound, number in zip(bounds, durations.buckets, strict=True):
        below += number
        buckets.append((bound, float(below)))
    return buckets


_counted = partial(_Tallied, family=CounterMetricFamily, values=lambda durations: (durations.count,))
_timed = partial(
    _Tallied, family=HistogramMetricFamily, values=lambda durations: (_buckets(durations), durations.total / _SECOND)
)


@dataclass(frozen=True)
class _Number:
    """A metric of one number."""

    name: str
    text: str
    number: Callable[[Seen], float]
    family: Callable[..., Metric] = GaugeMetricFamily

    def metric(self, seen: Seen) -> Metric:
        return self.family(self.name, self.text, value=self.number(seen))


@dataclass(frozen=True)
class _Build:
    """What runs."""

    name: str = "softee_build"
    text: str = "Versions of what runs."

    def metric(self, _: Seen) -> Metric:
        versions = {"version": package.__version__, "python": platform.python_version()}
        return InfoMetricFamily(self.name, self.text, value=versions | {"cryptography": version("cryptography")})


METRICS: Final[tuple[_Tallied | _Number | _Build, ...]] = (
    _Build(),
    _Number("softee_workers", "Processes that serve clients.", lambda seen: sum(one.since > 0 for one in seen.workers)),
    _Number("softee_workers_expected", "Processes that should.", lambda seen: len(seen.workers)),
    _Number(
        "softee_worker_deaths",
        "Processes that have died while they served.",
        lambda seen: sum(one.deaths for one in seen.workers),
        CounterMetricFamily,
    ),
    _Number(
        "softee_clients",
        "Applications that use the PKCS#11 application now.",
        lambda seen: sum(one.clients for one in seen.workers),
    ),
    _Number(
        "softee_sessions",
        "PKCS#11 sessions that they have open.",
        lambda seen: sum(one.sessions for one in seen.clients),
    ),
    _counted(
        "softee_operations",
        "Functions that were called, by the mechanism, the return value, and the token's serial number.",
        ("function", "mechanism", "result", "token"),
        partial(_summed, labels=_operation),
    ),
    _timed(
        "softee_operation_seconds",
        "How long they take in the secure world, without the way there and back.",
        ("function", "mechanism"),
        partial(_summed, labels=_duration),
    ),
    _counted(
        "softee_pin_failures",
        "Calls that were refused for a wrong PIN, or one that is locked.",
        ("function", "result", "token"),
        partial(_summed, labels=_wrong_pin),
    ),
    _counted("softee_store_commits", "Changes that the store was given.", ("result",), _commits),
    _timed("softee_store_commit_seconds", "How long they take.", ("result",), _commits),
    _Number("softee_audit_line", "The number of the audit log's newest line; 0: none.", lambda seen: seen.audit_line),
    _Number("softee_audit_left_out", "Events that it lacks since that line.", lambda seen: seen.audit_left_out),
)
"""All metrics, in the order in which they are shown. Prometheus puts _total after a counter's name."""


class _Counts(Collector):
    """Makes the metrics of what is counted when they are asked for."""

    def __init__(self, counts: SharedCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        now = seen(self._counts)
        return [row.metric(now) for row in METRICS]


def metrics_application(counts: SharedCounts) -> "WSGIApplication":
    """Return the application that answers with all metrics, in each of Prometheus' formats."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts(counts))
    return make_wsgi_app(registry)
