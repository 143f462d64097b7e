# SPDX-License-Identifier: Apache-2.0
"""What stands in the store: where a record lives, what it is bound to, and its outer form.

A record is ``magic[4] ‖ format version u8 ‖ kind u8 ‖ sealed`` (softee.tee.sealing). The associated data repeats magic,
version and kind, and adds the application, the vault, the number and the record's version. So a record opens only in
the place, and as the version, that it was sealed for. docs/storage-format.md has the tables.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256, Hash

from softee.tee.sealing import OVERHEAD, SealKey, TamperedError, UnknownFormatError

MAGIC = b"STEE"
HEADER_SIZE = 6
OBJECT_TAG_SIZE = 16

_NAME_AT = 16
"""Where the size of the vault's name stands in a key."""
LONGEST_KEY = _NAME_AT + 1 + 255 + 1 + 4
"""Bytes of a record's key in the store."""
_CONTEXT = struct.Struct("<4sBB16sIQ")


class RecordKind(IntEnum):
    """What a record is. The values are part of the storage format and never change."""

    INSTALLATION = 1
    HEAD = 2
    PAGE = 3
    OBJECT = 4
    ANCHOR = 5


FORMAT_VERSIONS: Mapping[RecordKind, tuple[int, ...]] = MappingProxyType(
    {
        RecordKind.INSTALLATION: (1, 2),
        RecordKind.HEAD: (1,),
        RecordKind.PAGE: (1,),
        RecordKind.OBJECT: (1,),
        RecordKind.ANCHOR: (1,),
    }
)
"""The format versions in which records of each kind are read; the last one is written."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record belongs: an application's vault (``""`` where it is in none), a kind and a number."""

    application: UUID
    vault: str
    kind: RecordKind
    number: int = 0

    @property
    def key(self) -> bytes:
        """The record's key in the store. Keys of one kind stand together, in the order of their numbers."""
        return self.all_of_kind + self.number.to_bytes(4, "big")

    def at(self, number: int) -> "Place":
        """Return the place of the same kind with another number."""
        return replace(self, number=number)

    @property
    def all_of_kind(self) -> bytes:
        """What the keys of all records of this kind in this vault begin with."""
        return vault_prefix(self.application, self.vault) + bytes([self.kind])

    def context(self, version: int, format_version: int) -> bytes:
        """Return the associated data: what the record is bound to."""
        fixed = _CONTEXT.pack(MAGIC, format_version, self.kind, self.application.bytes, self.number, version)
        return fixed + self.vault.encode()

    def __str__(self) -> str:
        """Name the record in an error's sentence."""
        name = self.kind.name.lower()
        if self.kind in {RecordKind.INSTALLATION, RecordKind.ANCHOR}:
            return f"{name} record"
        return f"{name} of {self.vault}" if self.kind is RecordKind.HEAD else f"{name} {self.number} of {self.vault}"


def vault_prefix(application: UUID, vault: str) -> bytes:
    """Return what all keys of a vault begin with. The name's length comes first, so no prefix begins another one."""
    name = vault.encode()
    return application.bytes + bytes([len(name)]) + name


def kind_of(key: bytes) -> RecordKind | None:
    """Return the kind of the record at a key of the store; None where no record of ours stands there."""
    if len(key) <= _NAME_AT:
        return None
    kind_at = _NAME_AT + 1 + key[_NAME_AT]
    try:
        return RecordKind(key[kind_at]) if len(key) == kind_at + 5 else None
    except ValueError:
        return None


def seal_record(key: SealKey, place: Place, version: int, plaintext: bytes | bytearray) -> bytes:
    """Seal a record for its place and version, in the newest format."""
    newest = FORMAT_VERSIONS[place.kind][-1]
    return MAGIC + bytes([newest, place.kind]) + key.seal(place.context(version, newest), plaintext)


def check_header(place: Place, record: bytes) -> int:
    """Refuse a record that is not of the kind, or of a format, that belongs here; return its format version.

    Raises:
        UnknownFormatError: another format version.
        TamperedError: anything else.

    """
    if len(record) < HEADER_SIZE + OVERHEAD or record[:4] != MAGIC or record[5] != place.kind:
        raise TamperedError(f"{place} is damaged: it does not begin as such a record does")
    known = FORMAT_VERSIONS[place.kind]
    if record[4] not in known:
        raise UnknownFormatError(
            f"{place} has format version {record[4]}, this softee knows {' and '.join(map(str, known))}: "
            "a newer softee wrote it, or it was altered"
        )
    return record[4]


def open_record(key: SealKey, place: Place, version: int, record: bytes | None) -> bytearray:
    """Open what ``seal_record`` made (None: nothing is stored there). Raises TamperedError, whatever is wrong."""
    if record is None:
        raise TamperedError(f"{place} is missing from the store")
    format_version = check_header(place, record)
    try:
        return key.open(place.context(version, format_version), record[HEADER_SIZE:])
    except TamperedError:
        raise TamperedError(f"{place} was altered, or belongs elsewhere, or its key is another one") from None


def record_hash(record: bytes) -> bytes:
    """Return the SHA-256 of a record as it is stored."""
    digest = Hash(SHA256())
    digest.update(record)
    return digest.finalize()


def object_tag(record: bytes) -> bytes:
    """Return what a page says of an object's record: the first 16 bytes of its hash."""
    return record_hash(record)[:OBJECT_TAG_SIZE]
