# SPDX-License-Identifier: Apache-2.0
"""What is inside a vault's head and pages, and their bytes.

A page lists the objects whose numbers it covers (page = number // 128); the head lists the pages. 128 makes a page of
eight-term objects 20 KB, and the head of a vault of 100,000 objects 34 KB: each change writes one of each.
"""

import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

from softee.tee.sealing import TERM_SIZE
from softee.wire.codec import Reader, WireError, Writer

OBJECTS_PER_PAGE = 128
FIRST_NUMBER = 1
LAST_NUMBER = 0x3FFFFFFF
_ENTRY = struct.Struct("<IQ16sBB")
_NUMBER_AND_TERMS = struct.Struct("<I25xB")
"""Of the same: the number, and how many terms follow."""
_PAGE_ROW = struct.Struct("<IQ32s")


class Entry(bytes):
    """What a page says of an object, without opening it: the very bytes that stand there.

    A vault may have 100,000 of them, which are made when it is opened; their fields are read when somebody asks.
    ``packed_terms`` are 16 bytes each, in rising order.
    """

    __slots__ = ()

    def __new__(cls, number: int, version: int, tag: bytes, compartment: int, packed_terms: bytes) -> Self:
        """Put an entry together from its fields."""
        fixed = _ENTRY.pack(number, version, tag, compartment, len(packed_terms) // TERM_SIZE)
        return bytes.__new__(cls, fixed + packed_terms)

    @property
    def number(self) -> int:
        """The object's number."""
        return int.from_bytes(self[:4], "little")

    @property
    def version(self) -> int:
        """The vault's epoch when the object was last written."""
        return int.from_bytes(self[4:12], "little")

    @property
    def tag(self) -> bytes:
        """The first 16 bytes of the SHA-256 of the object's record."""
        return self[12:28]

    @property
    def compartment(self) -> int:
        """Which key seals the object."""
        return self[28]

    @property
    def packed_terms(self) -> bytes:
        """Its blind-index terms, one after the other."""
        return self[_ENTRY.size :]

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


def split_terms(packed: bytes) -> tuple[bytes, ...]:
    """Return the terms in ``packed_terms``."""
    return _terms(len(packed) // TERM_SIZE).unpack(packed)


@cache
def _terms(count: int) -> struct.Struct:
    return struct.Struct(f"{TERM_SIZE}s" * count)


def encode_page(entries: Iterable[Entry]) -> bytes:
    """Return a page's bytes: its entries, in rising order of their numbers."""
    return b"".join(entries)


def decode_page(page: int, plaintext: bytes | bytearray) -> dict[int, Entry]:
    """Return a page's entries by their numbers. Raises WireError where they are not a page's."""
    content, at = bytes(plaintext), 0
    entries: dict[int, Entry] = {}
    last = page * OBJECTS_PER_PAGE - 1
    while at < len(content):
        if at + _ENTRY.size > len(content):
            raise WireError(f"{_ENTRY.size} bytes wanted, {len(content) - at} left")
        number, terms = _NUMBER_AND_TERMS.unpack_from(content, at)
        if number <= last or number // OBJECTS_PER_PAGE != page:
            raise WireError(f"object {number} out of order, or not of page {page}")
        end = at + _ENTRY.size + terms * TERM_SIZE
        entries[number] = bytes.__new__(Entry, content[at:end])
        last, at = number, end
    if at > len(content):
        raise WireError(f"{at - len(content)} bytes of a term are missing")
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
