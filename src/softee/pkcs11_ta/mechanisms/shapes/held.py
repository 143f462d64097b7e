# SPDX-License-Identifier: Apache-2.0
"""The data of an operation that acts on all of it at once, held until its end."""

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error


class Held:
    """Data that comes in parts.

    ``limit`` is the most bytes of it that are held. A mechanism that takes parts needs one: they stay in memory from
    call to call, and a client may have thousands of operations. None is for mechanisms that take their data in one
    part, which is no larger than a request.
    """

    __slots__ = ("_data", "_limit")

    def __init__(self, limit: int | None) -> None:
        self._data = bytearray()
        self._limit = limit

    def add(self, part: bytes | bytearray) -> None:
        """Take a part. Raises CKR_DEVICE_MEMORY where it would pass the limit; nothing of it is kept then."""
        size = len(self._data) + len(part)
        if self._limit is not None and size > self._limit:
            detail = f"{size} bytes of data, of which {self._limit} can be held until the operation ends"
            raise Pkcs11Error(CKR.DEVICE_MEMORY, detail)
        self._data += part

    def all(self) -> bytes:
        """Return all of it."""
        return bytes(self._data)
