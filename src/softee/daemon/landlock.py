# SPDX-License-Identifier: Apache-2.0
"""Landlock (landlock(7)): which files a process, and all that it starts, may still reach, whatever its user may.

Kernels know it in versions; what one does not know yet stays as it was. Called with one thread: others would keep
what they may.
"""

import ctypes
import os
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path
from typing import Final

# The same on all architectures (asm-generic/unistd.h, linux/landlock.h).
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_SCOPE_SIGNAL: Final = 2


class Access(IntFlag):
    """What may be done with files."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ: Final = Access.READ_FILE | Access.READ_DIR
WRITE: Final = READ | Access.WRITE_FILE | Access.TRUNCATE | Access.MAKE_REG | Access.REMOVE_FILE
_OF_FILES: Final = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV
_LAST_BIT: Final = {1: Access.MAKE_SYM, 2: Access.REFER, 3: Access.TRUNCATE, 4: Access.TRUNCATE, 5: Access.IOCTL_DEV}
"""The last kind of access that a version knows; later ones know all."""
_WITH_NETWORK, _WITH_SCOPES = 4, 6
_ALL_TCP: Final = 3


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Return the version that the kernel has, 0 where it has none, or none is switched on."""
    answer = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    return max(0, int(answer))


def restrict(allowed: Iterable[tuple[Path, Access]]) -> None:
    """Allow what is beneath these paths, and nothing else: no file, no TCP, no signal to a process outside.

    Args:
        allowed: directories and files with what may be done there; those that are not there are passed over.

    Raises:
        OSError: the kernel has no Landlock, or refuses.

    """
    known = version()
    handled = Access((_LAST_BIT.get(known, Access.IOCTL_DEV) << 1) - 1)
    tcp = _ALL_TCP if known >= _WITH_NETWORK else 0
    scoped = _SCOPE_SIGNAL if known >= _WITH_SCOPES else 0
    attributes = _Ruleset(handled, tcp, scoped)
    ruleset = _call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(_size(known)), 0)
    try:
        for path, access in allowed:
            _allow(ruleset, path, access & handled)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _size(known: int) -> int:
    fields = 1 + (known >= _WITH_NETWORK) + (known >= _WITH_SCOPES)
    return fields * ctypes.sizeof(ctypes.c_uint64)


def _allow(ruleset: int, path: Path, access: Access) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return
    try:
        beneath = _Beneath(access if path.is_dir() else access & _OF_FILES, parent)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(parent)


def _call(number: int, *arguments: object) -> int:
    libc = _libc()
    answer = int(libc.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"landlock: {os.strerror(code)}")
    return answer


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
