# SPDX-License-Identifier: Apache-2.0
"""What is counted, as whoever shows it sees it: the parts of all workers together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from softee.daemon.metrics.counts import (
    ALIVE,
    AUDIT_LEFT_OUT,
    AUDIT_LINE,
    CLIENTS,
    DEATHS,
    FIRST_PLACE,
    OUTCOMES,
    PLACE,
    SERIALS,
    TALLY,
    SharedCounts,
)
from softee.daemon.metrics.tallies import BOUNDS, Key, rows
from softee.pkcs11_ta.counting import Act


@dataclass(slots=True)
class Durations:
    """How often something happened, by how long it took, and how long in all, in nanoseconds."""

    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    total: int = 0

    @property
    def count(self) -> int:
        """How often."""
        return sum(self.buckets)

    def add(self, other: "Durations") -> None:
        """Add others."""
        self.buckets = tuple(map(int.__add__, self.buckets, other.buckets))
        self.total += other.total


@dataclass(frozen=True, slots=True)
class ClientSeen:
    """A client: one that has opened the PKCS#11 application, since when (in seconds), and how much it has done."""

    worker: int
    pid: int
    uid: int
    since: int
    sessions: int
    acts: int


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker: when it began (0: it is not there), how many before it have died, how many clients it has."""

    since: int
    deaths: int
    clients: int


@dataclass(slots=True)
class Seen:
    """All counts at a moment."""

    serials: Sequence[str]
    """The serial numbers of the tokens, by slot."""
    workers: list[WorkerSeen]
    clients: list[ClientSeen]
    acts: dict[Act, Durations] = field(default_factory=dict)
    commits: dict[str, Durations] = field(default_factory=dict)
    audit_line: int = 0
    """The number of the audit log's newest line; 0: there is none."""
    audit_left_out: int = 0
    """How many events it lacks since."""

    def serial(self, slot: int) -> str:
        """Return the serial number of a slot's token; "" for none."""
        return self.serials[slot] if slot < len(self.serials) else ""


def seen(counts: SharedCounts) -> Seen:
    """Return all counts as they are now."""
    serials = [f"{number:016x}" for number in counts.numbers[SERIALS : SERIALS + counts.slots]]
    parts = [counts.part(worker + 1) for worker in range(counts.workers)]
    workers = [WorkerSeen(part[ALIVE], part[DEATHS], part[CLIENTS]) for part in parts]
    found = Seen(serials, workers, [one for worker, part in enumerate(parts) for one in _clients(worker, part)])
    found.audit_line, found.audit_left_out = counts.numbers[AUDIT_LINE], counts.numbers[AUDIT_LEFT_OUT]
    for part in parts:
        for act, durations in read_tally(part[TALLY:]):
            found.acts.setdefault(act, Durations()).add(durations)
    for (outcome, *_), durations in read_tally(counts.part(0)[TALLY:]):
        found.commits[_OUTCOMES[outcome]] = durations
    return found


def read_tally(numbers: "memoryview[int]") -> Iterator[tuple[Key, Durations]]:
    """Give what a tally has counted."""
    for key, (total, *buckets) in rows(numbers):
        yield key, Durations(tuple(buckets), total)


def _clients(worker: int, part: "memoryview[int]") -> Iterator[ClientSeen]:
    numbers = part[FIRST_PLACE:TALLY].tolist()
    for at in range(0, len(numbers), PLACE):
        who, since, sessions, acts = numbers[at : at + PLACE]
        if since:
            yield ClientSeen(worker, who & 0xFFFFFFFF, who >> 32, since, sessions, acts)


_OUTCOMES = ("success", *(name for _, name in OUTCOMES))
