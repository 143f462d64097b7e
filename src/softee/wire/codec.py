# SPDX-License-Identifier: Apache-2.0
"""A bounded reader and a writer: little-endian integers and byte strings.

Everything that comes from outside is read through :class:`Reader`, which never reads past its end, and whose
:meth:`Reader.finish` refuses what is left over.
"""

import struct

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class WireError(Exception):
    """Bytes that do not decode. The text says what was wrong and holds none of the bytes."""


class Reader:
    """Takes values off the front of a byte string."""

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)
        self._offset = 0

    @property
    def remaining(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._offset

    def u8(self) -> int:
        """Read an unsigned 8-bit integer."""
        return self._take(1)[0]

    def u32(self) -> int:
        """Read an unsigned 32-bit integer."""
        offset = self._offset
        if len(self._data) - offset < 4:
            raise WireError(f"4 bytes wanted, {len(self._data) - offset} left")
        self._offset = offset + 4
        value: int = _U32.unpack_from(self._data, offset)[0]
        return value

    def u64(self) -> int:
        """Read an unsigned 64-bit integer."""
        value: int = _U64.unpack(self._take(8))[0]
        return value

    def take(self, count: int) -> bytes:
        """Read exactly ``count`` bytes."""
        return bytes(self._take(count))

    def view(self, count: int) -> memoryview:
        """Read exactly ``count`` bytes without a copy, for values that must not be copied (PINs)."""
        return self._take(count)

    def sub(self, count: int) -> "Reader":
        """Read exactly ``count`` bytes as a reader of their own."""
        return Reader(self._take(count))

    def rest(self) -> bytes:
        """Read all that is left."""
        return bytes(self._take(self.remaining))

    def finish(self) -> None:
        """Refuse leftovers.

        Raises:
            WireError: bytes are left.

        """
        if self.remaining:
            raise WireError(f"{self.remaining} bytes left over")

    def _take(self, count: int) -> memoryview:
        if count < 0 or count > self.remaining:
            raise WireError(f"{count} bytes wanted, {self.remaining} left")
        start = self._offset
        self._offset = start + count
        return self._data[start : self._offset]


class Writer:
    """Puts values one after the other."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[bytes | bytearray | memoryview] = []

    def u8(self, value: int) -> "Writer":
        """Write an unsigned 8-bit integer."""
        self._parts.append(value.to_bytes(1, "little"))
        return self

    def u32(self, value: int) -> "Writer":
        """Write an unsigned 32-bit integer."""
        self._parts.append(_U32.pack(value))
        return self

    def u64(self, value: int) -> "Writer":
        """Write an unsigned 64-bit integer."""
        self._parts.append(_U64.pack(value))
        return self

    def raw(self, data: bytes | bytearray | memoryview) -> "Writer":
        """Write bytes as they are."""
        self._parts.append(data)
        return self

    def blob(self, data: bytes | bytearray | memoryview) -> "Writer":
        """Write a 32-bit length and the bytes."""
        return self.u32(len(data)).raw(data)

    def done(self) -> bytes:
        """Return all that was written."""
        return b"".join(self._parts)
