# SPDX-License-Identifier: Apache-2.0
"""Counts in memory that several processes see: how often each thing happened, and how long it took.

A tally has one process that writes it, and stays when that dies: who takes its place counts on. It has room for so many
different things and no more, whatever clients do; what is above that is counted together.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

_MICRO, _MILLI, _SECOND = 10**3, 10**6, 10**9
BOUNDS: Final = (
    *(number * _MICRO for number in (25, 50, 100, 250, 500, 1000, 2500)),
    *(number * _MILLI for number in (5, 10, 25, 50, 100, 250, 500)),
    *(number * _SECOND for number in (1, 5)),
)
"""The upper bounds of a duration's buckets, in nanoseconds; the last bucket has none."""

Key = tuple[int, int, int, int]
"""What is counted: numbers of 32 bits, whose meaning is the tally's owner's."""

OTHERS: Final[Key] = (0xFFFFFFFF,) * 4
"""What there was no room for."""

_KEY: Final = 4
SUM: Final = _KEY
FIRST_BUCKET: Final = SUM + 1
_ROW: Final = FIRST_BUCKET + len(BOUNDS) + 1
ROWS: Final = 2048
"""How many different things a tally counts apart."""
NUMBERS: Final = 1 + ROWS * _ROW
"""How many numbers of 64 bits a tally takes."""


class Tally:
    """One process' counts, over ``NUMBERS`` numbers that begin as zeros: how many rows are used, then the rows.

    Used by one thread at a time.
    """

    def __init__(self, numbers: "memoryview[int]") -> None:
        """Go on with what is there."""
        self.numbers = numbers
        self.rows = {key: 1 + place * _ROW for place, (key, _) in enumerate(rows(numbers))}
        """The places of what has been counted before."""

    def note(self, key: Key, took: int) -> None:
        """Count something that took so many nanoseconds."""
        numbers = self.numbers
        row = self.rows.get(key) or self.add(key)
        numbers[row + SUM] += took
        numbers[row + FIRST_BUCKET + bisect_left(BOUNDS, took)] += 1

    def add(self, key: Key) -> int:
        """Return a new row's place; the last row is for all others."""
        used = self.numbers[0]
        if used >= ROWS - 1:
            if OTHERS in self.rows:
                return self.rows[OTHERS]
            key = OTHERS
        row = 1 + used * _ROW
        for at, number in enumerate(key):
            self.numbers[row + at] = number
        self.numbers[0] = used + 1  # whoever reads sees a row when its key is there
        self.rows[key] = row
        return row


def rows(numbers: "memoryview[int]") -> Iterator[tuple[Key, list[int]]]:
    """Give what a tally has counted, which may go on meanwhile: its keys, each with its sum and its buckets."""
    for place in range(min(numbers[0], ROWS)):
        row = numbers[1 + place * _ROW : 1 + (place + 1) * _ROW].tolist()
        first, second, third, fourth = row[:_KEY]
        yield (first, second, third, fourth), row[SUM:]
