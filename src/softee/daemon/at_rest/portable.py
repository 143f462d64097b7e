# SPDX-License-Identifier: Apache-2.0
"""A state in one file that a passphrase opens, on this machine or another: its records, under a root key of its own.

The root key of the machine is not in it. What it opens, the installation records, is sealed anew under a key that is
made for the file, and that the machine's own takes the place of when the state comes back (softee.tee.installation).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from softee.daemon.at_rest.passphrase_file import PassphraseFileError, opened, write_sealed
from softee.daemon.errors import StartError
from softee.daemon.failures import opening
from softee.daemon.root_key.source import RootKeySource
from softee.stores.base import Record, Store
from softee.stores.memory import MemoryStore
from softee.stores.sqlite import MAXIMUM_RECORD_SIZE
from softee.tee.installation import rewrap
from softee.tee.keys import KEY_SIZE
from softee.tee.records import LONGEST_KEY, RecordKind, kind_of
from softee.tee.wiping import wipe
from softee.wire.codec import Reader, WireError, Writer

Row = tuple[bytes, Record]
Watch = Callable[[list[Row]], Iterable[Row]]
"""Shows how far one has got."""

_U32: Final = 4


@dataclass(frozen=True)
class Portable:
    """A state, and the root key that opens it."""

    store: Store
    root_key: bytearray = field(repr=False)

    def wipe(self) -> None:
        """Overwrite the root key."""
        wipe(self.root_key)


def made_portable(name: str, records: Iterable[Row], source: RootKeySource) -> Portable:
    """Return records under a root key of their own.

    Args:
        name: what they are called, in sentences.
        records: of a whole state; what is no record of ours is left out.
        source: of the root key that opens them now.

    Raises:
        StartError: nothing is stored, or the root key cannot be read, or does not open it.

    """
    store = MemoryStore(name)
    ours = {key: record.value for key, record in records if kind_of(key) is not None}
    store.commit(expected={}, puts=ours)
    applications = installed(store)
    if not applications:
        raise StartError(f"Nothing is stored in {name} yet.")
    root_key, own = source.read(), bytearray(os.urandom(KEY_SIZE))
    try:
        with opening(store, source):
            rewrap(store, applications, root_key, own)
    finally:
        wipe(root_key)
    return Portable(store, own)


def installed(store: Store) -> list[UUID]:
    """Return the applications that have an installation record, whichever they are."""
    return [UUID(bytes=key[:16]) for key, _ in store.range(b"") if kind_of(key) is RecordKind.INSTALLATION]


def write_portable(file: Path, state: Portable, passphrase: bytearray, watch: Watch = iter) -> int:
    """Write a state into a new file, read it back, and return how many records are in it.

    Raises:
        PassphraseFileError: the file cannot be written, or does not hold what was written.

    """
    rows = state.store.range(b"")
    write_sealed(file, _content(state.root_key, watch(rows)), passphrase)
    again = read_portable(file, passphrase)
    if again.root_key != state.root_key or _values(again.store) != _values(state.store):
        raise PassphraseFileError(f"{file} does not hold what was written; do not rely on it.")
    return len(rows)


def read_portable(file: Path, passphrase: bytearray) -> Portable:
    """Return the state in a file, of which every byte was vouched for.

    Raises:
        PassphraseFileError: the file cannot be read, is none of these, was altered, or the passphrase is another one.

    """
    content = _Content(opened(file, passphrase))
    store = MemoryStore(str(file))
    try:
        root_key = bytearray(content.take(KEY_SIZE))
        store.commit(expected={}, puts=_records(content))
    except WireError as error:
        raise PassphraseFileError(f"{file} opens, but holds no backup: {error}.") from None
    return Portable(store, root_key)


def _records(content: "_Content") -> dict[bytes, bytes]:
    """Return all that is left. Raises WireError where it is not records in the order of their keys."""
    records: dict[bytes, bytes] = {}
    last = b""
    while not content.is_at_end():
        key = content.blob(LONGEST_KEY)
        if key <= last:
            raise WireError("records out of order")
        last, records[key] = key, content.blob(MAXIMUM_RECORD_SIZE)
    return records


def _content(root_key: bytearray, rows: Iterable[Row]) -> Iterator[bytes]:
    yield bytes(root_key)
    for key, record in rows:
        yield Writer().blob(key).blob(record.value).done()


def _values(store: Store) -> list[tuple[bytes, bytes]]:
    return [(key, record.value) for key, record in store.range(b"")]


class _Content:
    """Takes values off the front of what comes in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()

    def take(self, count: int) -> bytes:
        """Take exactly ``count`` bytes. Raises WireError where there are fewer."""
        while len(self._held) < count:
            piece = next(self._pieces, b"")
            if not piece:
                raise WireError(f"{count} bytes wanted, {len(self._held)} left")
            self._held += piece
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def blob(self, most: int) -> bytes:
        """Take a size of at most ``most``, and so many bytes. Raises WireError."""
        size = Reader(self.take(_U32)).u32()
        if size > most:
            raise WireError(f"{size} bytes are more than {most}")
        return self.take(size)

    def is_at_end(self) -> bool:
        """Tell whether nothing is left."""
        if not self._held:
            self._held += next(self._pieces, b"")
        return not self._held
