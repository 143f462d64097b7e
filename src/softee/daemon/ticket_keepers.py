# SPDX-License-Identifier: Apache-2.0
"""Where the ticket key lives: in memory that outlives the secure world's process, and never on a disk of softee's.

The service manager's store of descriptors, where it has one for us; else the uid's keyring in the kernel; else nowhere.
"""

import fcntl
import hashlib
import logging
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final, Protocol

from softee.daemon import passed, readiness
from softee.daemon.keyring import Entry

log = logging.getLogger(__name__)

STORED_NAME: Final = "softee-tickets"
"""What the service manager knows our descriptor by."""
_BLOCK: Final = 4096


class TicketKeeper(Protocol):
    """A small memory that outlives this process. All raise OSError where the system refuses."""

    @property
    def name(self) -> str:
        """What it is, for people."""
        ...

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...

    def read(self) -> bytearray:
        """Return all of it; what was never written is zeros."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Replace some bytes, all or none of them; 32 at a multiple of 32."""
        ...

    def forget(self) -> None:
        """Give it back: nothing in it is needed any more."""
        ...


class StoredMemory:
    """A memory file that the service manager keeps while no process of the service runs (FDSTORE)."""

    name = "the service manager's descriptor store"
    size = 8 * _BLOCK

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytearray:
        """Return all of it."""
        return bytearray(os.pread(self._descriptor, self.size, 0))

    def write(self, offset: int, data: bytes) -> None:
        """Replace some bytes, which lie in one page: a kill tears no write of those."""
        os.pwrite(self._descriptor, data, offset)

    def forget(self) -> None:
        """Keep it: the service manager lets it go with the service."""


class KeyringMemory:
    """An entry of the uid's keyring; zeros at its end are not kept there, since a uid has room for 20,000 bytes."""

    name = "the kernel's keyring of this user"
    size = 2 * _BLOCK

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._content = bytearray(entry.read()[: self.size].ljust(self.size, b"\0"))

    def read(self) -> bytearray:
        """Return all of it."""
        return bytearray(self._content)

    def write(self, offset: int, data: bytes) -> None:
        """Replace some bytes."""
        before = self._content[offset : offset + len(data)]
        self._content[offset : offset + len(data)] = data
        try:
            self._entry.write(bytes(self._content.rstrip(b"\0")) or b"\0")
        except OSError:
            self._content[offset : offset + len(data)] = before
            raise

    def forget(self) -> None:
        """Remove the entry."""
        self._entry.remove()


def find_keeper(environment: MutableMapping[str, str], state: Path) -> TicketKeeper | None:
    """Return the memory for the secure world with that state; None where there is none."""
    return _stored(environment) or _keyring(state)


def _stored(environment: MutableMapping[str, str]) -> TicketKeeper | None:
    kept = passed.take(environment, STORED_NAME)
    if kept is not None and os.fstat(kept).st_size == StoredMemory.size:
        return StoredMemory(kept)
    if environment.get("FDSTORE", "0") == "0":  # it has none for us, or is too old to say so (before systemd 254)
        return None
    descriptor = os.memfd_create(STORED_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, StoredMemory.size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    if readiness.store(environment, STORED_NAME, descriptor):
        return StoredMemory(descriptor)
    os.close(descriptor)
    return None


def _keyring(state: Path) -> TicketKeeper | None:
    try:
        return KeyringMemory(Entry(description_of(state)))
    except OSError as error:
        log.info("there is no keyring to be had: %s", error)
        return None


def description_of(state: Path) -> bytes:
    """Return what the keyring knows a state directory's entry by."""
    return b"softee:" + hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:32].encode()
