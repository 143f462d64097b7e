# SPDX-License-Identifier: Apache-2.0
"""Opens what a vault has in the store, each as what vouches for it says that it must be.

The vault's structure key vouches for the head, the head for the pages, a page for the objects that it lists.
"""

from cryptography.hazmat.primitives.constant_time import bytes_eq

from softee.tee.pages import Entry, Head, PageRow, decode_head, decode_page
from softee.tee.records import Place, object_tag, open_record, record_hash
from softee.tee.sealing import SealKey, TamperedError
from softee.wire.codec import WireError

HEAD_VERSION = 0
"""Heads are bound to no version: only a monotonic anchor could say which one is the newest. Their epoch is inside."""


def open_head(key: SealKey, place: Place, record: bytes | None) -> Head:
    """Open a vault's head (None: nothing is stored there). Raises TamperedError."""
    try:
        return decode_head(open_record(key, place, HEAD_VERSION, record))
    except WireError as error:
        raise TamperedError(f"{place} does not decode: {error}") from error


def open_page(key: SealKey, place: Place, row: PageRow, record: bytes | None) -> dict[int, Entry]:
    """Open a page that a head lists as ``row``, and return its entries by their numbers. Raises TamperedError."""
    if record is not None and not bytes_eq(record_hash(record), row.hash):
        raise TamperedError(f"{place} is not the one that its head lists: altered, swapped or rolled back")
    try:
        return decode_page(place.number, open_record(key, place, row.epoch, record))
    except WireError as error:
        raise TamperedError(f"{place} does not decode: {error}") from error


def check_tag(place: Place, entry: Entry, record: bytes | None) -> bytes:
    """Return an object's record if it is the one that its page lists: no key is needed. Raises TamperedError."""
    if record is None:
        raise TamperedError(f"{place} is missing from the store")
    if not bytes_eq(object_tag(record), entry.tag):
        raise TamperedError(f"{place} is not the record that its page lists: altered, swapped or rolled back")
    return record


def open_object(key: SealKey, place: Place, entry: Entry, record: bytes | None) -> bytearray:
    """Open an object that a page lists as ``entry``; ``key`` is that of its compartment. Raises TamperedError."""
    return open_record(key, place, entry.version, check_tag(place, entry, record))
