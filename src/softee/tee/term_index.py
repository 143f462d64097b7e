# SPDX-License-Identifier: Apache-2.0
"""The blind index in memory: which objects have a term. Built when a vault is opened, kept in step with it.

One thread changes it at a time. ``find`` may run meanwhile: an object that keeps a term is never missed.
"""

from collections.abc import Collection, Iterable

from softee.tee.pages import Entry, split_terms


class TermIndex:
    """Object numbers by term."""

    __slots__ = ("_numbers",)

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._numbers: dict[bytes, set[int]] = {}
        for entry in entries:
            self.replace(entry.number, b"", entry.packed_terms)

    def replace(self, number: int, before: bytes, after: bytes) -> None:
        """Exchange an object's packed terms (b"": it had none, or has none any more)."""
        old, new = split_terms(before), split_terms(after)
        for term in new:
            self._numbers.setdefault(term, set()).add(number)
        for term in set(old).difference(new):
            numbers = self._numbers[term]
            numbers.discard(number)
            if not numbers:
                del self._numbers[term]

    def find(self, terms: Collection[bytes]) -> list[int]:
        """Return the numbers of the objects that have all ``terms`` (at least one), in rising order."""
        sets = sorted((self._numbers.get(term, set()) for term in terms), key=len)
        return sorted(sets[0].intersection(*sets[1:]))
