# SPDX-License-Identifier: Apache-2.0
"""What encrypt and decrypt operations have in common: knowing beforehand how many bytes they will give."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from softee.pkcs11_ta.mechanisms.shapes.held import Held


class Stream(ABC):
    """A cipher that gives bytes as it takes them.

    A mode says in :meth:`given` how many bytes are out after ``taken`` bytes are in; from that follows what every
    update returns, however the input is cut.
    """

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken = 0

    @abstractmethod
    def given(self, taken: int) -> int:
        """Return how many bytes all updates have returned together once ``taken`` bytes have come in."""

    def update_size(self, count: int) -> int:
        """Return exactly how many bytes ``update`` would return for a part of ``count`` bytes."""
        return self.given(self._taken + count) - self.given(self._taken)

    def one_shot_size(self, count: int) -> int:
        """Return the most that ``count`` bytes can become. Modes that pad say more."""
        return count


class BufferedCipher:
    """A cipher that acts on all of its input at once, which it holds until the end."""

    __slots__ = ("_act", "_held", "_largest")

    def __init__(self, act: Callable[[bytes], bytes], largest: Callable[[int], int], *, limit: int | None) -> None:
        """Make an operation that gives ``act`` of the input.

        Args:
            act: what it does.
            largest: the most bytes that an input of so many bytes can become.
            limit: as in Held.

        """
        self._act = act
        self._largest = largest
        self._held = Held(limit)

    def update_size(self, count: int) -> int:  # noqa: ARG002 - the Protocol's; nothing is given before the end
        """Return 0: everything comes from ``finish``."""
        return 0

    def one_shot_size(self, count: int) -> int:
        """Return the most that ``count`` bytes can become."""
        return self._largest(count)

    def update(self, part: bytes) -> bytes:
        """Take a part of the data. Raises CKR_DEVICE_MEMORY."""
        self._held.add(part)
        return b""

    def finish(self) -> bytes:
        """Return the result."""
        return self._act(self._held.all())
