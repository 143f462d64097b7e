# SPDX-License-Identifier: Apache-2.0
"""What a process asks of a store that another process has open, and the answers, as bytes (MessagePack).

``answer`` is the side that has the store. Both sides are secure worlds of one installation, but neither takes more from
the other than these shapes: what does not decode is refused.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from softee.stores.base import (
    ConflictError,
    Record,
    Revision,
    Store,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)


class Get(msgspec.Struct, frozen=True, tag="get", array_like=True):
    """Store.get."""

    key: bytes


class Range(msgspec.Struct, frozen=True, tag="range", array_like=True):
    """Store.range."""

    prefix: bytes


class Sizes(msgspec.Struct, frozen=True, tag="sizes", array_like=True):
    """Store.sizes."""

    prefix: bytes


class Commit(msgspec.Struct, frozen=True, tag="commit", array_like=True):
    """Store.commit."""

    expected: dict[bytes, int]
    puts: dict[bytes, bytes]
    deletes: tuple[bytes, ...]


class Check(msgspec.Struct, frozen=True, tag="check", array_like=True):
    """Store.check."""


Request = Get | Range | Sizes | Commit | Check


class Records(msgspec.Struct, frozen=True, tag="records", array_like=True):
    """What was read: keys, values and revisions."""

    records: list[tuple[bytes, bytes, int]]


class Measured(msgspec.Struct, frozen=True, tag="measured", array_like=True):
    """What there is: keys, and how long their values are."""

    sizes: list[tuple[bytes, int]]


class Committed(msgspec.Struct, frozen=True, tag="committed", array_like=True):
    """It is on disk."""

    revision: int


class Fine(msgspec.Struct, frozen=True, tag="fine", array_like=True):
    """Nothing is wrong."""


class Failed(msgspec.Struct, frozen=True, tag="failed", array_like=True):
    """A StoreError: its name in ``ERRORS``, and what it says."""

    kind: str
    sentence: str


Reply = Records | Measured | Committed | Fine | Failed

ERRORS: Final[Mapping[str, type[StoreError]]] = {
    kind.__name__: kind
    for kind in (ConflictError, StoreUnavailableError, StoreFullError, StoreDamagedError, StoreError)
}
"""The first that fits is meant."""

encode: Final[Callable[[Request | Reply], bytes]] = msgspec.msgpack.Encoder().encode
_REPLIES: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)
_REQUESTS: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)


def decode_reply(reply: bytes | bytearray) -> Reply:
    """Return a reply. Raises ValueError where it does not decode."""
    return _REPLIES.decode(reply)


def records_of(reply: Records) -> list[tuple[bytes, Record]]:
    """Return the records of a reply by their keys, in its order."""
    return [(key, Record(value, Revision(revision))) for key, value, revision in reply.records]


def answer(store: Store, request: bytes | bytearray) -> bytes:
    """Do what a request asks of a store, and return the encoded reply.

    Raises:
        ValueError: it does not decode.

    """
    try:
        return encode(_done(store, _REQUESTS.decode(request)))
    except StoreError as error:
        return encode(Failed(_kind(error), str(error)))


def _kind(error: StoreError) -> str:
    return next(name for name, kind in ERRORS.items() if isinstance(error, kind))


def _done(store: Store, request: Request) -> Reply:
    match request:
        case Get(key):
            record = store.get(key)
            return Records([] if record is None else [row(key, record)])
        case Range(prefix):
            return Records([row(key, record) for key, record in store.range(prefix)])
        case Sizes(prefix):
            return Measured(store.sizes(prefix))
        case Commit(expected, puts, deletes):
            revisions = {key: Revision(revision) for key, revision in expected.items()}
            return Committed(store.commit(expected=revisions, puts=puts, deletes=deletes))
        case Check():
            store.check()
            return Fine()


def row(key: bytes, record: Record) -> tuple[bytes, bytes, int]:
    """Return a record as ``Records`` has it."""
    return key, record.value, record.revision
