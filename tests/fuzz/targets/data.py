# SPDX-License-Identifier: Apache-2.0
"""The bytes of one fuzzing run, taken piece by piece; when they are used up, zeros. As native/fuzz/input.h has it."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Data:
    """What is left of a run's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return max(len(self._data) - self._at, 0)

    def take(self, size: int) -> bytes:
        """Return the next bytes, fewer where fewer are left."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def rest(self) -> bytes:
        return self.take(self.left)

    def number(self, size: int = 1) -> int:
        """Return the next number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def below(self, limit: int) -> int:
        return self.number() % limit

    def chance(self, odds: int) -> bool:
        """Tell whether what happens once in so many times happens."""
        return self.number() % odds == odds - 1

    def choose(self, choices: Sequence[T]) -> T:
        return choices[self.number(2) % len(choices)]

    def blob(self) -> bytes:
        """Return up to 255 bytes."""
        return self.take(self.number())
