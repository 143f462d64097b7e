# SPDX-License-Identifier: Apache-2.0
"""Counts the changes of a token's objects, where clients may look at the count without asking.

As long as it stands, C_*Init gives what it gave before, as far as others could change that:
logins are each client's own.
"""

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Counters(Protocol):
    """Numbers of 64 bits, each written as a whole."""

    def __getitem__(self, place: int, /) -> int:
        """Return a number."""
        ...

    def __setitem__(self, place: int, value: int, /) -> None:
        """Replace a number."""
        ...


class ChangeCount:
    """The count of one token, at its place among the counters. It only rises; one change is made at a time."""

    def __init__(self, counters: Counters, place: int) -> None:
        self.place = place
        self._counters = counters

    @property
    def value(self) -> int:
        """How far it is."""
        return self._counters[self.place]

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Count a change twice, before it is seen and after.

        So whoever has seen the old objects beside the new count, in between, finds another one later.
        """
        self._counters[self.place] += 1
        try:
            yield
        finally:
            self._counters[self.place] += 1
