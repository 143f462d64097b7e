# SPDX-License-Identifier: Apache-2.0
"""A root key's bytes, read from a descriptor: never more than a key has, never for ever, and wiped where they are none.

A key is 32 random bytes, or 64 hexadecimal digits that say them, with a line's end or without: programs that keep
secrets print text.
"""

import os
import select
import time

from softee.daemon.errors import StartError
from softee.tee.wiping import wipe

ROOT_KEY_SIZE = 32
"""In bytes; that of all keys of the storage."""
READ_WITHIN = 30.0
"""Seconds that whoever hands the key over has for it."""

_HEX_SIZE = 2 * ROOT_KEY_SIZE
_LONGEST = _HEX_SIZE + len("\r\n")


class RootKeyError(StartError):
    """The root key cannot be used; the text is a sentence that says why and how to mend it."""


def read_key(descriptor: int, source: object) -> bytearray:
    """Read a root key to the end of the descriptor, which stays open.

    Args:
        descriptor: of a file, a pipe or a socket.
        source: what the key comes from, for a sentence.

    Returns:
        The key, 32 bytes. The caller wipes it.

    Raises:
        RootKeyError: what is there is no key, or does not come within 30 seconds.
        OSError: it cannot be read.

    """
    content = bytearray(_LONGEST + 1)
    try:
        return _decoded(memoryview(content)[: _fill(content, descriptor, source)], source)
    finally:
        wipe(content)


def _fill(content: bytearray, descriptor: int, source: object) -> int:
    """Read until the end, or until ``content`` is full; return how many bytes it was."""
    deadline, view, size = time.monotonic() + READ_WITHIN, memoryview(content), 0
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    while size < len(content):
        if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise RootKeyError(f"The root key did not come from {source} within {READ_WITHIN:.0f} seconds.")
        got = os.readv(descriptor, [view[size:]])
        if not got:
            break
        size += got
    return size


def _decoded(content: memoryview, source: object) -> bytearray:
    key = bytearray(content) if len(content) == ROOT_KEY_SIZE else _from_hexadecimal(content)
    if len(key) != ROOT_KEY_SIZE:
        digits = f"or {_HEX_SIZE} hexadecimal digits"
        raise RootKeyError(f"The root key {source} is damaged: it must have exactly {ROOT_KEY_SIZE} bytes, {digits}.")
    if key == key[:1] * ROOT_KEY_SIZE:
        raise RootKeyError(f"The root key {source} is none: all its bytes are the same. It must be random.")
    return key


def _from_hexadecimal(content: memoryview) -> bytearray:
    """Return what the digits say; nothing where they are none, or too few or too many."""
    digits = bytes(content).rstrip(b"\r\n")
    try:
        return bytearray.fromhex(digits.decode("ascii")) if len(digits) == _HEX_SIZE else bytearray()
    except ValueError:
        return bytearray()
