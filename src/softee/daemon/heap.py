# SPDX-License-Identifier: Apache-2.0
"""Memory comes back: glibc's allocator is told to keep little of what it has been given back.

A PIN takes 19 MiB for a moment. Each thread may have an arena of its own, which would keep them.
"""

import ctypes
from typing import Final

# From malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_MEBIBYTE: Final = 1 << 20
_ARENAS: Final = 2

_LARGE: Final = 4 * _MEBIBYTE
"""Bytes of a block that goes back at once. What the kernel gives it has to clear first, page by page, which takes five
times as long as to encrypt it: so the buffers of a request of a megabyte or two are used again."""

_KEPT: Final = 2 * _LARGE
"""Bytes at the end of the heap that stay."""

_SETTINGS: Final = ((_M_ARENA_MAX, _ARENAS), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _KEPT))


def keep_little() -> bool:
    """Set up the allocator, before there are threads. False where the C library has no such settings."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, value) for option, value in _SETTINGS)
