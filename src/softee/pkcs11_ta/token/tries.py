# SPDX-License-Identifier: Apache-2.0
"""Who has tried wrong PINs: a count for each uid, so that nobody locks others out, or guesses beside one who knows.

A try is pending while its PIN is checked; one that a crash cut off stays pending, until the same uid's next right PIN
clears it, or its next wrong one counts it. A right PIN clears its own uid's failures and nobody else's. A uid is locked
out by its seventh failure, all are by the twenty-eighth of all together.

On tokens that are as OP-TEE's all clients are one: EVERYBODY.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from softee.wire.codec import Reader, WireError, Writer

MAX_TRIES: Final = 7
"""Wrong PINs in a row that lock a uid out, or everybody where all are one, as in OP-TEE."""
MOST_TRIES: Final = 28
"""Standing failures of all uids together that lock the PIN for all."""
KEPT: Final = 64
"""How many uids have a count of their own; the rest have one together."""

EVERYBODY: Final = 0xFFFFFFFF
OTHERS: Final = 0xFFFFFFFE
"""No uids: the kernel has none of these."""

_LARGEST: Final = 0xFFFF
_WAITS: Final = {2: 1.0, 3: 2.0}
_LONGEST_WAIT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """What stands against one uid."""

    failures: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Tries:
    """All that stands against a PIN, by uid."""

    rows: tuple[tuple[int, Row], ...] = ()

    def failures(self, uid: int) -> int:
        """Return how many failures stand against a uid: at least as many as lock it, where all are locked out."""
        own = self._row(uid).failures
        return max(own, MAX_TRIES) if self._locks_all() else own

    def fewest_left(self) -> int:
        """Return how many more wrong PINs lock out the uid that has given the most: 0 where it is, or all are."""
        return max(0, MAX_TRIES - max((self.failures(uid) for uid, _ in self.rows), default=0))

    def is_locked(self, uid: int) -> bool:
        """Say whether no PIN is checked for a uid any more."""
        return self.failures(uid) >= MAX_TRIES

    def wait(self, uid: int) -> float:
        """Return for how many seconds a uid's next check has to wait."""
        failures = self._row(uid).failures
        return 0.0 if failures < min(_WAITS) or uid == EVERYBODY else _WAITS.get(failures, _LONGEST_WAIT)

    def begun(self, uid: int) -> "Tries":
        """Return what stands while a uid's PIN is checked."""
        row = self._row(uid)
        return self._with(uid, Row(row.failures, min(row.pending + 1, _LARGEST)))

    def failed(self, uid: int) -> "Tries":
        """Return what stands after that PIN was wrong."""
        row = self._row(uid)
        return self._with(uid, Row(min(row.failures + row.pending, _LARGEST)))

    def succeeded(self, uid: int) -> "Tries":
        """Return what stands after it was right."""
        return self._with(uid, Row())

    def write(self, writer: Writer) -> None:
        """Write them as a token's state has them."""
        writer.u32(len(self.rows))
        for uid, row in self.rows:
            writer.u32(uid).u32(row.failures).u32(row.pending)

    def _locks_all(self) -> bool:
        every = sum(row.failures for _, row in self.rows)
        return every >= MOST_TRIES or self._row(EVERYBODY).failures >= MAX_TRIES

    def _name(self, uid: int) -> int:
        """Return under whose name a uid's failures stand."""
        names = [name for name, _ in self.rows]
        is_full = sum(name < OTHERS for name in names) >= KEPT
        return OTHERS if is_full and uid not in names and uid != EVERYBODY else uid

    def _row(self, uid: int) -> Row:
        name = self._name(uid)
        return next((row for its, row in self.rows if its == name), Row())

    def _with(self, uid: int, row: Row) -> "Tries":
        name = self._name(uid)
        rows = [(its, other) for its, other in self.rows if its != name]
        return Tries(tuple(rows if row == Row() else sorted([*rows, (name, row)], key=_first)))


def _first(entry: tuple[int, Row]) -> int:
    return entry[0]


NO_TRIES: Final = Tries()


def tries_of_everybody(failures: int) -> Tries:
    """Return so many failures of nobody in particular, as states of format 1 have them."""
    return Tries(((EVERYBODY, Row(failures)),)) if failures else NO_TRIES


def read_tries(reader: Reader) -> Tries:
    """Read what ``write`` has written. Raises WireError where it is nothing that it writes."""
    rows = tuple(_rows(reader))
    uids = [uid for uid, _ in rows]
    if uids != sorted(set(uids)):
        raise WireError("failures are not in the order of their uids")
    return Tries(rows)


def _rows(reader: Reader) -> Iterator[tuple[int, Row]]:
    count = reader.u32()
    if count > KEPT + 2:
        raise WireError(f"failures of {count} uids")
    for _ in range(count):
        uid, row = reader.u32(), Row(reader.u32(), reader.u32())
        if row == Row():
            raise WireError("nothing stands against a uid")
        yield uid, row
