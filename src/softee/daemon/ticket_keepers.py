# SPDX-License-Identifier: Apache-2.0
"""Where the ticket key lives: in memory that outlives the secure world's processes, and never on a disk of softee's.

The service manager's store of descriptors, where it has one for us; else the uid's keyring in the kernel; else nowhere.
In each case the processes of one secure world work on a memory file that they share.
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
SIZE: Final = 8192
"""Bytes of the memory file. A uid has room for 20,000 in its keyrings, if it is not root."""


class TicketKeeper(Protocol):
    """A memory file, and what keeps its content. ``save`` and ``forget`` raise OSError where the system refuses."""

    @property
    def name(self) -> str:
        """What it is, for people."""
        ...

    @property
    def descriptor(self) -> int:
        """The memory file, which holds what an earlier secure world has left; else zeros."""
        ...

    def save(self, content: bytes) -> None:
        """Keep what is in the memory file now; no other process changes it meanwhile."""
        ...

    def forget(self) -> None:
        """Let go of it: nothing in it is needed any more."""
        ...


class ServiceManager:
    """The service manager has the memory file itself, while no process of the service runs (FDSTORE)."""

    name = "the service manager's descriptor store"

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def save(self, content: bytes) -> None:
        """Keep what is there already."""

    def forget(self) -> None:
        """Leave it to the service manager, which lets it go with the service."""


class Keyring:
    """An entry of the uid's keyring, which each process of that uid reaches. Zeros at the end are not kept there."""

    name = "the kernel's keyring of this user"

    def __init__(self, entry: Entry) -> None:
        """Bring what is in the entry into a memory file. Raises OSError."""
        self._entry = entry
        self.descriptor = new_memory_file()
        os.pwrite(self.descriptor, entry.read()[:SIZE], 0)

    def save(self, content: bytes) -> None:
        """Replace the entry."""
        self._entry.write(content.rstrip(b"\0") or b"\0")

    def forget(self) -> None:
        """Remove the entry."""
        self._entry.remove()


def new_memory_file() -> int:
    """Return a memory file of zeros that keeps its size."""
    descriptor = os.memfd_create(STORED_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, SIZE)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


def find_keeper(environment: MutableMapping[str, str], state: Path) -> TicketKeeper | None:
    """Return the keeper for the secure world with that state; None where there is none."""
    return _service_manager(environment) or _keyring(state)


def _service_manager(environment: MutableMapping[str, str]) -> TicketKeeper | None:
    kept = passed.take(environment, STORED_NAME)
    if kept is not None and os.fstat(kept).st_size == SIZE:
        return ServiceManager(kept)
    if environment.get("FDSTORE", "0") == "0":  # it has none for us, or is too old to say so (before systemd 254)
        return None
    descriptor = new_memory_file()
    if readiness.store(environment, STORED_NAME, descriptor):
        return ServiceManager(descriptor)
    os.close(descriptor)
    return None


def _keyring(state: Path) -> TicketKeeper | None:
    try:
        return Keyring(Entry(description_of(state)))
    except OSError as error:
        log.debug("there is no keyring to be had: %s", error)
        return None


def description_of(state: Path) -> bytes:
    """Return what the keyring knows a state directory's entry by."""
    return b"softee:" + hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:32].encode()
