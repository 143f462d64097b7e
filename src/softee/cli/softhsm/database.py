# SPDX-License-Identifier: Apache-2.0
"""SoftHSM2's SQLite back end: one database, with a table of objects and a table for each kind of attribute.

It is opened read-only, with SQLite's own advice for files that an attacker may have written, and nothing but these
tables is looked at. A value of another type than its table's is damage.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Final

from softee.cli.softhsm.stored import (
    LARGEST,
    MOST_ATTRIBUTES,
    MOST_OBJECTS,
    BadStoreError,
    Mechanisms,
    Nested,
    Stored,
    StoredObject,
    StoredToken,
)
from softee.names import CKA

DATABASE: Final = "sqlite3.db"
_TOKEN: Final = 1
"""The object that the token itself is."""
_ULONG: Final = 8
_ALL_BITS: Final = (1 << 64) - 1
_SET_UP: Final = ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "query_only = ON")


def read_database(file: Path) -> StoredToken:
    """Return the token in a database. An object that is not as it should be is there with its damage.

    Raises:
        BadStoreError: it cannot be read, is no such database, or has too many objects.

    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return _read(database, file)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the second of SQLite's words about a damaged schema
        why = getattr(error, "sqlite_errorname", type(error).__name__)
        raise BadStoreError(f"{file} cannot be read as SoftHSM2's database: {why}") from None


def _read(database: sqlite3.Connection, file: Path) -> StoredToken:
    database.text_factory = lambda text: text.decode(errors="replace")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
    for setting in _SET_UP:
        database.execute(f"PRAGMA {setting}")
    _refuse_other_tables(database, file)
    numbers = [
        number for (number,) in database.execute("SELECT id FROM object ORDER BY id LIMIT ?", (MOST_OBJECTS + 1,))
    ]
    if len(numbers) > MOST_OBJECTS:
        raise BadStoreError(f"{file} has more than {MOST_OBJECTS} objects")
    if _TOKEN not in numbers:
        raise BadStoreError(f"{file} has no token")
    about = StoredObject(file.name, _attributes(database, _TOKEN))
    return StoredToken(about, [_read_or_tell(database, number) for number in numbers if number != _TOKEN])


def _refuse_other_tables(database: sqlite3.Connection, file: Path) -> None:
    """Refuse views, virtual tables and whatever else could be in a table's place."""
    found = dict(database.execute("SELECT name, type FROM sqlite_schema WHERE sql NOT LIKE 'CREATE VIRTUAL%'"))
    if any(found.get(table) != "table" for table in ("object", *_TABLES)):
        raise BadStoreError(f"{file} has not the tables of SoftHSM2's database")


def _read_or_tell(database: sqlite3.Connection, number: int) -> StoredObject:
    name = f"object {number}"
    try:
        return StoredObject(name, _attributes(database, number))
    except BadStoreError as error:
        return StoredObject(name, {}, f"{name} is damaged: {error}")


def _attributes(database: sqlite3.Connection, number: int) -> dict[int, Stored]:
    attributes: dict[int, Stored] = {}
    for attribute, value in _rows(database, number):
        if attribute in attributes or len(attributes) == MOST_ATTRIBUTES:
            raise BadStoreError("an attribute twice, or too many of them")
        attributes[attribute] = value
    return attributes


def _rows(database: sqlite3.Connection, number: int) -> Iterator[tuple[int, Stored]]:
    for table, decode in _TABLES.items():
        query = f"SELECT type, value FROM {table} WHERE object_id = ? LIMIT ?"  # noqa: S608 - a name of ours
        for attribute, value in database.execute(query, (number, MOST_ATTRIBUTES + 1)):
            if not isinstance(attribute, int):
                raise BadStoreError(f"a type in {table} is no number")
            yield attribute & _ALL_BITS, decode(attribute, value)


def _boolean(_: int, value: object) -> bool:
    if value not in (0, 1):
        raise BadStoreError("a truth value is none")
    return value == 1


def _integer(_: int, value: object) -> int:
    if not isinstance(value, int):
        raise BadStoreError("a number is none")
    return value & _ALL_BITS


def _binary(attribute: int, value: object) -> bytes | Mechanisms:
    if value is None:
        value = b""  # so SQLite has bytes of no length
    if not isinstance(value, bytes):
        raise BadStoreError("bytes are none")
    if attribute != CKA.ALLOWED_MECHANISMS:
        return value
    if len(value) % _ULONG:
        raise BadStoreError("a set of mechanisms is cut off")
    starts = range(0, len(value), _ULONG)
    return Mechanisms(tuple(int.from_bytes(value[at : at + _ULONG], sys.byteorder) for at in starts))


def _array(_: int, value: object) -> Nested:
    if not isinstance(value, bytes | None):
        raise BadStoreError("a template is none")
    return Nested(len(value or b""))


_TABLES: Final[Mapping[str, Callable[[int, object], Stored]]] = MappingProxyType(
    {
        "attribute_boolean": _boolean,
        "attribute_integer": _integer,
        "attribute_binary": _binary,
        "attribute_array": _array,
    }
)
"""What the values of each table are. SoftHSM2 makes three further ones, in which it keeps nothing."""
