# SPDX-License-Identifier: Apache-2.0
"""The blind index in memory: which objects have a term. Built when a vault is opened, kept in step with it.

Most terms are one object's alone (its label, its identifier), so a number stands for such an object, and a set only
where there are several: of 100,000 objects that is the difference between a second and a tenth, and 60 MB.

One thread changes it at a time. ``find`` may run meanwhile: an object that keeps a term is never missed.
"""

from collections.abc import Collection, Iterable

from softee.tee.pages import Entry, split_terms


class TermIndex:
    """Object numbers by term."""

    __slots__ = ("_numbers",)

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._numbers: dict[bytes, int | set[int]] = {}
        for entry in entries:
            self._add(entry.number, split_terms(entry.packed_terms))

    def replace(self, number: int, before: bytes, after: bytes) -> None:
        """Exchange an object's packed terms (b"": it had none, or has none any more)."""
        old, new = set(split_terms(before)), set(split_terms(after))
        self._add(number, new - old)
        for term in old - new:
            self._remove(number, term)

    def find(self, terms: Collection[bytes]) -> list[int]:
        """Return the numbers of the objects that have all ``terms`` (at least one), in rising order."""
        sets = sorted((self._objects(term) for term in terms), key=len)
        return sorted(sets[0].intersection(*sets[1:]))

    def _objects(self, term: bytes) -> set[int]:
        found = self._numbers.get(term, set())
        return {found} if isinstance(found, int) else found

    def _add(self, number: int, terms: Iterable[bytes]) -> None:
        numbers = self._numbers
        for term in terms:
            present = numbers.setdefault(term, number)
            if present is number:
                continue  # it is this object's alone, as most are
            if isinstance(present, set):
                present.add(number)
            elif present != number:
                numbers[term] = {present, number}

    def _remove(self, number: int, term: bytes) -> None:
        present = self._numbers[term]
        if isinstance(present, int):
            del self._numbers[term]
            return
        present.discard(number)
        if len(present) == 1:
            (self._numbers[term],) = present  # and the set stays as it is, for a ``find`` that has it
