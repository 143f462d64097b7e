# SPDX-License-Identifier: Apache-2.0
"""Large data in slices, for libraries that let no other thread run while they work: between two, others may."""

from collections.abc import Callable
from typing import Final

SLICE: Final = 1 << 20
"""Bytes: a millisecond or two."""


def in_slices(act: Callable[[bytes | bytearray], bytes], data: bytes | bytearray) -> bytes:
    """Return what ``act`` gives for data that may come in parts of any size, joined."""
    if len(data) <= SLICE:
        return act(data)
    return b"".join([act(data[at : at + SLICE]) for at in range(0, len(data), SLICE)])


def take_slices(take: Callable[[bytes | bytearray], object], data: bytes | bytearray) -> None:
    """Have ``take`` take data that may come in parts of any size."""
    for at in range(0, len(data), SLICE):
        take(data[at : at + SLICE] if len(data) > SLICE else data)
