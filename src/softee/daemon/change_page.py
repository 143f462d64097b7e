# SPDX-License-Identifier: Apache-2.0
"""The page of change counters: clients look there, without asking, whether what they know still holds.

A number for each token: the store's revision of its vault's head, raised before a change is answered.

A memory file that every client may map, to read it only: its seals keep it from being written to, but by the mapping
that was here before them, and from shrinking under whoever reads it.
"""

import contextlib
import fcntl
import logging
import mmap
import os
from collections.abc import Iterator

log = logging.getLogger(__name__)

_F_SEAL_FUTURE_WRITE = 0x10
"""Linux 5.1; Python has no name for it."""
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL | _F_SEAL_FUTURE_WRITE
"""What keeps a memory file from being written to, but by the mappings that are there, and from changing its size."""
_PAGE = 4096


class ChangePage:
    """512 numbers of 64 bits, in the machine's byte order, each written as a whole."""

    def __init__(self, descriptor: int) -> None:
        """Take over an empty memory file that may be sealed. Raises OSError where the system cannot do that."""
        self.descriptor = descriptor
        """What clients get."""
        os.ftruncate(descriptor, _PAGE)
        self._mapping = mmap.mmap(descriptor, _PAGE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
        self.revisions = memoryview(self._mapping).cast("Q")

    def read_only(self) -> None:
        """Give up writing, for good: what has the other mapping writes."""
        self.close()
        self._mapping = mmap.mmap(self.descriptor, _PAGE, prot=mmap.PROT_READ)
        self.revisions = memoryview(self._mapping).cast("Q")

    def close(self) -> None:
        """Let go of it. Clients keep theirs."""
        self.revisions.release()
        self._mapping.close()


def shared_numbers() -> "memoryview[int]":
    """Return as many numbers that only this process sees, and those that it forks."""
    return memoryview(mmap.mmap(-1, _PAGE)).cast("Q")


@contextlib.contextmanager
def change_page() -> Iterator[ChangePage | None]:
    """Yield a page while it is used; None where the system has no such seals: clients then ask each time."""
    descriptor = os.memfd_create("softee-changes", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        page = _sealed(descriptor)
        yield page
        if page is not None:
            page.close()
    finally:
        os.close(descriptor)


def _sealed(descriptor: int) -> ChangePage | None:
    try:
        return ChangePage(descriptor)
    except OSError as error:
        log.warning("clients cannot see change counters, and ask more often: %s", error)
        return None
