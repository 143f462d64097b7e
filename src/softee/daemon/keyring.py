# SPDX-License-Identifier: Apache-2.0
"""The kernel's keyring of a uid that outlives its processes (persistent-keyring(7)), for one entry of bytes.

The entry lies in the kernel's memory, never in swap, and is forgotten three days after it was last looked for (unless
/proc/sys/kernel/keys/persistent_keyring_expiry says otherwise), or when the machine stops. libc has no functions for
it, and no library for Python is kept: these are the kernel's two system calls.
"""

import ctypes
import os
import platform
from collections.abc import Mapping

_CALLS: Mapping[str, tuple[int, int]] = {"x86_64": (248, 250), "aarch64": (217, 219), "riscv64": (217, 219)}
"""The numbers of add_key and keyctl, by machine."""

# From linux/keyctl.h.
_PROCESS_KEYRING = -2
_UNLINK, _SEARCH, _READ, _GET_PERSISTENT = 9, 10, 11, 22

_KIND = b"user"
_LARGEST = 32767
"""Bytes that an entry of this kind can have."""


class Entry:
    """One entry of the keyring of this process' uid, by its description."""

    def __init__(self, description: bytes) -> None:
        """Find the uid's keyring. Raises OSError where there is none to be had."""
        self._description = description
        self._process = 0
        self._ring = 0
        self._possess()

    def _possess(self) -> None:
        """Link the keyring to this process, whose possession lets it read and write what is in there."""
        if self._process != os.getpid():
            self._ring = _keyctl(_GET_PERSISTENT, -1, _PROCESS_KEYRING)
            self._process = os.getpid()

    def read(self) -> bytes:
        """Return the entry; b"" where there is none. Raises OSError where it cannot be read."""
        try:
            key = self._find()
        except OSError:
            return b""
        content = ctypes.create_string_buffer(_LARGEST)
        size = _keyctl(_READ, key, ctypes.addressof(content), _LARGEST)
        return content.raw[:size]

    def write(self, content: bytes) -> None:
        """Make or replace the entry, as a whole. Raises OSError, as where the uid's keyrings hold too much."""
        self._possess()
        add_key, _ = _calls()
        _checked(_syscall(add_key, _KIND, self._description, content, len(content), self._ring))

    def remove(self) -> None:
        """Remove the entry. Raises OSError where there is none."""
        _keyctl(_UNLINK, self._find(), self._ring)

    def _find(self) -> int:
        return _keyctl(_SEARCH, self._ring, _KIND, self._description, 0)


def _calls() -> tuple[int, int]:
    try:
        return _CALLS[platform.machine()]
    except KeyError:
        raise OSError(f"the keyring's system calls are not known for {platform.machine()}") from None


def _keyctl(operation: int, *arguments: int | bytes) -> int:
    _, keyctl = _calls()
    return _checked(_syscall(keyctl, operation, *arguments))


def _syscall(number: int, *arguments: int | bytes) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed = [ctypes.c_char_p(one) if isinstance(one, bytes) else ctypes.c_long(one) for one in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *passed)
    return result


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
