# SPDX-License-Identifier: Apache-2.0
"""Where a state's anchor is, as the settings name it."""

from typing import Self
from urllib.parse import parse_qsl

_LOWEST, _HIGHEST = 0x01000000, 0x01FFFFFF
"""The handles of a TPM's counters (TPM 2.0 Library, part 2, 7.4)."""


class AnchorPlace(str):
    """A counter of a TPM: ``tpm:HANDLE``, or ``tpm:HANDLE?tcti=…``."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check a text. Raises ValueError, whose text says what is wrong."""
        place = super().__new__(cls, text)
        if not text.startswith("tpm:") or not _LOWEST <= place.handle <= _HIGHEST:
            raise ValueError(f"expected tpm:HANDLE, with a handle from {_LOWEST:#010x} to {_HIGHEST:#010x}")
        if place.query.keys() - {"tcti"}:
            raise ValueError("after the handle of an anchor there is tcti, and nothing else")
        return place

    @property
    def handle(self) -> int:
        """The counter's handle."""
        return int(self.removeprefix("tpm:").partition("?")[0], 0)

    @property
    def query(self) -> dict[str, str]:
        """What stands behind it."""
        query = self.partition("?")[2]
        return dict(parse_qsl(query, strict_parsing=bool(query)))
