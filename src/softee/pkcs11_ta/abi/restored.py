# SPDX-License-Identifier: Apache-2.0
"""What a client has of its sessions and logins where the secure world that had them is gone, and how it travels."""

from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeVar

from softee.pkcs11_ta.abi.fields import Field
from softee.wire.codec import Reader, Writer

T = TypeVar("T")

NOBODY = 0xFFFFFFFF
"""The ``user`` of a token where nobody is logged in."""


class SavedSession(NamedTuple):
    """A session: its handle, and what C_OpenSession got."""

    handle: int
    slot: int
    flags: int


class SavedLogin(NamedTuple):
    """What was told of a login (KEEP_LOGIN). ``user`` is a CKU, or NOBODY where the client has logged out since.

    The ticket is empty where there is none; where the client has logged out, it is that of a login that is to end.
    """

    slot: int
    base: int
    user: int
    ticket: bytes


def _read_session(reader: Reader) -> SavedSession:
    return SavedSession(reader.u32(), reader.u32(), reader.u32())


def _write_session(writer: Writer, session: SavedSession) -> None:
    writer.u32(session.handle).u32(session.slot).u32(session.flags)


def _read_login(reader: Reader) -> SavedLogin:
    return SavedLogin(reader.u32(), reader.u32(), reader.u32(), reader.take(reader.u32()))


def _write_login(writer: Writer, login: SavedLogin) -> None:
    writer.u32(login.slot).u32(login.base).u32(login.user).blob(login.ticket)


def _list(layout: str, read: Callable[[Reader], T], write: Callable[[Writer, T], None]) -> Field:
    """Return the field of a list: the number of its elements, and these. A number without elements ends at once."""

    def read_all(reader: Reader, _: int) -> tuple[T, ...]:
        return tuple(read(reader) for _ in range(reader.u32()))

    def write_all(writer: Writer, elements: tuple[T, ...]) -> None:
        writer.u32(len(elements))
        for element in elements:
            write(writer, element)

    return Field(layout, read_all, write_all)


Sessions = Annotated[
    tuple[SavedSession, ...],
    _list("u32 count, of each session: u32 handle, u32 slot, u32 flags", _read_session, _write_session),
]
Logins = Annotated[
    tuple[SavedLogin, ...],
    _list(
        "u32 count, of each slot: u32 slot, u32 base of private handles, u32 user (0xffffffff: none), u32 size, ticket",
        _read_login,
        _write_login,
    ),
]
