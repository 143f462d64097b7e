# SPDX-License-Identifier: Apache-2.0
"""What is inside a vault's head and pages, and their bytes.

A page lists the objects whose numbers it covers (page = number // 128); the head lists the pages. 128 makes a page of
eight-term objects 20 KB, and the head of a vault of 100,000 objects 34 KB: each change writes one of each.
"""

import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from softee.tee.sealing import TERM_SIZE
from softee.wire.codec import Reader, WireError, Writer

OBJECTS_PER_PAGE = 128
FIRST_NUMBER = 1
LAST_NUMBER = 0x3FFFFFFF
_ENTRY = struct.Struct("<IQ16sBB")
_PAGE_ROW = struct.Struct("<IQ32s")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the pages say of an object, without opening it.

    ``version`` is the vault's epoch when the object was last written; ``tag`` is the first 16 bytes of the SHA-256 of
    its record; ``packed_terms`` holds its terms, 16 bytes each, in rising order.
    """

    number: int
    version: int
    tag: bytes
    compartment: int
    packed_terms: bytes

    @property
    def terms(self) -> frozenset[bytes]:
        """The object's blind-index terms."""
        return frozenset(split_terms(self.packed_terms))


@dataclass(frozen=True, slots=True)
class PageRow:
    """What the head says of a page: the epoch at which it was written, and the SHA-256 of its record."""

    epoch: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A vault's root: everything in the vault hangs from it. ``data`` is the application's."""

    epoch: int
    next_number: int
    data: bytes
    pages: Mapping[int, PageRow]


NEW_HEAD = Head(epoch=0, next_number=FIRST_NUMBER, data=b"", pages={})


def pack_terms(terms: Collection[bytes]) -> bytes:
    """Return terms as an entry holds them: each once, in rising order. Raises ValueError."""
    unique = sorted(set(terms))
    if len(unique) > 255 or any(len(term) != TERM_SIZE for term in unique):
        raise ValueError(f"an object has at most 255 terms of {TERM_SIZE} bytes")
    return b"".join(unique)


def split_terms(packed: bytes) -> list[bytes]:
    """Return the terms in ``packed_terms``."""
    return [packed[start : start + TERM_SIZE] for start in range(0, len(packed), TERM_SIZE)]


def encode_page(entries: Iterable[Entry]) -> bytes:
    """Return a page's bytes: its entries, in rising order of their numbers."""
    return b"".join(
        _ENTRY.pack(entry.number, entry.version, entry.tag, entry.compartment, len(entry.packed_terms) // TERM_SIZE)
        + entry.packed_terms
        for entry in entries
    )


def decode_page(page: int, plaintext: bytes | bytearray) -> list[Entry]:
    """Return a page's entries. Raises WireError where they are not a page's."""
    reader = Reader(plaintext)
    entries = []
    last = page * OBJECTS_PER_PAGE - 1
    while reader.remaining:
        number, version, tag, compartment, terms = _ENTRY.unpack(reader.view(_ENTRY.size))
        if number <= last or number // OBJECTS_PER_PAGE != page:
            raise WireError(f"object {number} out of order, or not of page {page}")
        entries.append(Entry(number, version, tag, compartment, reader.take(terms * TERM_SIZE)))
        last = number
    return entries


def encode_head(head: Head) -> bytes:
    """Return a head's bytes."""
    rows = b"".join([_PAGE_ROW.pack(page, row.epoch, row.hash) for page, row in sorted(head.pages.items())])
    return Writer().u64(head.epoch).u32(head.next_number).blob(head.data).u32(len(head.pages)).raw(rows).done()


def decode_head(plaintext: bytes | bytearray) -> Head:
    """Return a head. Raises WireError where the bytes are not a head's."""
    reader = Reader(plaintext)
    epoch, next_number, data = reader.u64(), reader.u32(), reader.take(reader.u32())
    pages = {}
    for _ in range(reader.u32()):
        page, page_epoch, page_hash = _PAGE_ROW.unpack(reader.view(_PAGE_ROW.size))
        pages[page] = PageRow(page_epoch, page_hash)
    reader.finish()
    return Head(epoch, next_number, data, pages)
