# SPDX-License-Identifier: Apache-2.0
"""Sees each call of this process on the files of one directory (native/tests/disk_calls.c, which is preloaded)."""

import ctypes
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "native" / "tests" / "disk_calls.c"


class Moment(IntEnum):
    BEFORE = 0
    AFTER = 1


class Deed(IntEnum):
    WRITE = 0
    TRUNCATE = 1
    SYNC = 2
    CREATE = 3
    UNLINK = 4
    RENAME = 5


@dataclass(frozen=True)
class DiskCall:
    """A call: what it does to which file; bytes and where they go, a new length, or a new name."""

    deed: Deed
    path: str
    data: bytes = b""
    number: int = 0


Observer = Callable[[Moment, DiskCall], bool]
"""Sees a call before it is done, and after it. What it says before a write: whether only half of it is to be done."""

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int64,
)
_kept: list[object] = []
"""What C calls must stay."""


def build(directory: Path) -> Path:
    """Build what is to be preloaded; it is one file, and `make check` builds it with all warnings."""
    library = directory / "disk_calls.so"
    flags = ["-shared", "-fPIC", "-O2", "-D_GNU_SOURCE"]
    subprocess.run(["cc", *flags, "-o", str(library), str(SOURCE)], check=True)
    return library


def observe(directory: Path, observer: Observer) -> None:
    """Have all calls of this process, and of those that it forks, seen from now on."""

    def seen(moment: int, deed: int, path: bytes, data: int | None, *numbers: int) -> int:
        size, number = numbers
        content = ctypes.string_at(data, size) if data else b""
        return observer(Moment(moment), DiskCall(Deed(deed), path.decode(), content, number))

    callback = _CALLBACK(seen)
    _kept.append(callback)
    ctypes.CDLL(None).disk_observe(str(directory).encode(), callback)
