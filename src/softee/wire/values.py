# SPDX-License-Identifier: Apache-2.0
"""The four parameters of a GlobalPlatform operation, as values (TEE Client API 1.0, section 4.3.8)."""

from dataclasses import dataclass, field

from softee.names import ParamType


@dataclass(slots=True)
class Value:
    """Two 32-bit integers. ``a`` and ``b`` of an output parameter are what the trusted application sets."""

    type: ParamType
    a: int = 0
    b: int = 0


@dataclass(slots=True)
class Memref:
    """A buffer of the client's.

    ``data`` is what the client sent (empty for an output), in bytes that can be wiped. ``capacity`` is the size of the
    client's buffer in bytes. The trusted application answers with :meth:`reply`: ``size`` is how many bytes it has to
    give; where that is more than ``capacity``, no bytes travel and the result must be TEE_ERROR_SHORT_BUFFER. ``null``:
    the client has no buffer at all, and may only want to know the size.
    """

    type: ParamType
    data: bytearray = field(default_factory=bytearray, repr=False)
    capacity: int = 0
    out: bytes | bytearray = field(default=b"", repr=False)
    size: int | None = None
    null: bool = False

    def reply(self, data: bytes | bytearray) -> bool:
        """Answer with ``data``; False where the client's buffer is too small for it (then only its size travels)."""
        self.size = size = len(data)
        fits = size <= self.capacity
        self.out = data if fits else b""
        return fits


Param = Value | Memref | None
Params = tuple[Param, Param, Param, Param]

NO_PARAMS: Params = (None, None, None, None)
