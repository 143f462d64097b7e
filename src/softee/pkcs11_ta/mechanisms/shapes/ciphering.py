# SPDX-License-Identifier: Apache-2.0
"""What encrypt and decrypt operations have in common: knowing beforehand how many bytes they will give."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.shapes.held import Held
from softee.pkcs11_ta.mechanisms.shapes.slices import in_slices


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

    def whole(self, data: bytes | bytearray) -> bytes | bytearray:
        """Take all of the data and return all of the output."""
        return self.update(data) + self.finish()

    @abstractmethod
    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data and return what can be given already."""

    @abstractmethod
    def finish(self) -> bytes:
        """Return the rest."""


class ByteStream(Stream):
    """A cipher that gives a byte for each that it takes, at once, and a tag at the end where it has one."""

    __slots__ = ("_act", "_end", "_longest", "_tag_size")

    def __init__(
        self,
        act: Callable[[bytes | bytearray], bytes],
        end: Callable[[], bytes] = bytes,
        *,
        longest: int | None = None,
        tag_size: int = 0,
    ) -> None:
        """Make an operation.

        Args:
            act: what it does with a part.
            end: what makes the last bytes, the tag of ``tag_size``; without it there are none.
            longest: the most bytes that the counter has room for.
            tag_size: how many come at the end.

        """
        super().__init__()
        self._act = act
        self._end = end
        self._longest = longest
        self._tag_size = tag_size

    def given(self, taken: int) -> int:
        """Return that every byte comes out at once."""
        return taken

    def one_shot_size(self, count: int) -> int:
        """Return ``count`` and the tag."""
        return count + self._tag_size

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data and return it processed. Raises CKR_DATA_LEN_RANGE where the counter would wrap."""
        self._taken += len(part)
        if self._longest is not None and self._taken > self._longest:
            raise wrong_length(CKR.DATA_LEN_RANGE, self._taken, f"at most {self._longest} (the counter would wrap)")
        return in_slices(self._act, part)

    def finish(self) -> bytes:
        """Return the tag, or nothing more."""
        return self._end()


class BufferedCipher:
    """A cipher that acts on all of its input at once; where that comes in parts, they are held until the end."""

    __slots__ = ("_act", "_held", "_largest")

    def __init__(
        self, act: Callable[[memoryview], bytes | bytearray], largest: Callable[[int], int], *, limit: int | None
    ) -> None:
        """Make an operation that gives ``act`` of the input.

        Args:
            act: what it does.
            largest: the most bytes that an input of so many bytes can become.
            limit: as in Held; what comes as a whole is not held, and is only as large as a request.

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

    def whole(self, data: bytes | bytearray) -> bytes | bytearray:
        """Return the result for all of the data, which may be more than are held."""
        return self._act(memoryview(data))

    def update(self, part: bytes | bytearray) -> bytes:
        """Take a part of the data. Raises CKR_DEVICE_MEMORY."""
        self._held.add(part)
        return b""

    def finish(self) -> bytes:
        """Return the result."""
        return bytes(self._act(memoryview(self._held.all())))


def on_bytes(act: Callable[[bytes], bytes]) -> Callable[[memoryview], bytes]:
    """Let a function of bytes be what a BufferedCipher does: of a block, or of a key, which are soon copied."""
    return lambda data: act(bytes(data))


def wrong_length(rv: CKR, taken: int, wanted: str) -> Pkcs11Error:
    """Return the error that says that ``taken`` bytes are not ``wanted``."""
    return Pkcs11Error(rv, f"{taken} bytes of data where {wanted} is needed")
