# SPDX-License-Identifier: Apache-2.0
"""The other secure worlds that serve the same tokens, as far as a token must reckon with them.

What they change of a token's objects and state comes through its vault. Here is the rest: whose turn it is to check a
PIN, and who has sessions, which keeps C_InitToken away.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class SessionCount(NamedTuple):
    """How many sessions are open with a token, and how many of these are read-write."""

    all: int = 0
    read_write: int = 0

    def plus(self, other: "SessionCount") -> "SessionCount":
        """Return both together."""
        return SessionCount(self.all + other.all, self.read_write + other.read_write)


class Neighbours(Protocol):
    """What a token asks of them. Slots are numbered from 0; the token's own lock is held, but for ``turn``."""

    def turn(self, slot: int) -> AbstractContextManager[None]:
        """Wait until no other world checks a PIN of a slot's token, and have them wait meanwhile."""
        ...

    def tell(self, slot: int, count: SessionCount) -> None:
        """Tell them how many sessions there are here. The first one waits while another world initializes the token."""
        ...

    def elsewhere(self, slot: int) -> SessionCount:
        """Return how many sessions the others have together."""
        ...

    def alone(self, slot: int) -> AbstractContextManager[bool]:
        """Whether no other world has a session with a slot's token; meanwhile none gets its first one.

        Called where there is none here.
        """
        ...

    def shut(self, slot: int, times: int) -> None:
        """Note how many operators here keep a slot's token shut. Where one does, the others end their sessions soon."""
        ...

    def is_shut(self, slot: int) -> bool:
        """Whether another world keeps a slot's token shut."""
        ...


class NoNeighbours:
    """A secure world that has its tokens for itself."""

    @contextlib.contextmanager
    def turn(self, slot: int) -> Iterator[None]:  # noqa: ARG002 - the Protocol's
        """Return at once."""
        yield

    def tell(self, slot: int, count: SessionCount) -> None:
        """Tell nobody."""

    def elsewhere(self, slot: int) -> SessionCount:  # noqa: ARG002 - the Protocol's
        """Return none."""
        return SessionCount()

    @contextlib.contextmanager
    def alone(self, slot: int) -> Iterator[bool]:  # noqa: ARG002 - the Protocol's
        """Say so."""
        yield True

    def shut(self, slot: int, times: int) -> None:
        """Tell nobody."""

    def is_shut(self, slot: int) -> bool:  # noqa: ARG002 - the Protocol's
        """Say no."""
        return False


NOBODY = NoNeighbours()
