# SPDX-License-Identifier: Apache-2.0
"""What the rounds say: medians with their quartiles, and ratios of what was measured in the same round."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from softee.cli.bench.caller import ONE, Callers
from softee.cli.bench.modules import SOFTEE
from softee.cli.bench.rows import Row
from softee.cli.bench.subjects import Sample


@dataclass(frozen=True)
class Spread:
    """A median, and the quartiles around it."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return that of some values, at least one."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        return cls(*quantiles(values, n=4, method="inclusive"))


@dataclass
class Series:
    """The rounds of one subject in one row; none, where it was ``refused``."""

    name: str
    callers: Callers
    samples: list[Sample] = field(default_factory=list)
    refused: str | None = None

    @property
    def rate(self) -> Spread:
        """Calls per second."""
        return Spread.of([sample.rate for sample in self.samples])

    @property
    def caller_cpu(self) -> float:
        """CPU seconds per call of the callers."""
        return median(sample.caller_cpu for sample in self.samples)

    @property
    def server_cpu(self) -> float | None:
        """CPU seconds per call of the processes behind the module."""
        known = [sample.server_cpu for sample in self.samples if sample.server_cpu is not None]
        return median(known) if known else None

    def ratio(self, other: "Series") -> Spread | None:
        """Return how much faster it was than another, round by round."""
        pairs = zip(self.samples, other.samples, strict=False)
        ratios = [ours.rate / theirs.rate for ours, theirs in pairs]
        return Spread.of(ratios) if ratios else None


@dataclass(frozen=True)
class Outcome:
    """All that was measured in a row."""

    row: Row
    series: list[Series]

    def of(self, name: str, callers: Callers) -> Series | None:
        """Return a subject's series, if it took part."""
        return next((one for one in self.series if (one.name, one.callers) == (name, callers)), None)

    def ratio(self, peer: str, callers: Callers) -> Spread | None:
        """Return softee's ratio to a peer."""
        ours, theirs = self.of(SOFTEE, callers), self.of(peer, callers)
        return ours.ratio(theirs) if ours and theirs else None

    def scaling(self, name: str, callers: Callers) -> Spread | None:
        """Return a module's ratio to itself with one caller."""
        many, one = self.of(name, callers), self.of(name, ONE)
        return many.ratio(one) if many and one else None
