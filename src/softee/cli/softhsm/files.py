# SPDX-License-Identifier: Apache-2.0
"""SoftHSM2's file back end: a folder with ``token.object``, and a file for each object.

A file is a generation number, and then attributes up to its end: type, kind, value. Numbers are 64 bits, big endian.
"""

from collections.abc import Callable, Mapping
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
from softee.wire.codec import Reader, WireError

TOKEN_FILE: Final = "token.object"  # noqa: S105 - its name
_ULONG: Final = 8


def read_folder(folder: Path) -> StoredToken:
    """Return the token in a folder. An object that cannot be read is there with its damage.

    Raises:
        BadStoreError: the token's own file cannot be read, or there are too many objects.

    """
    files = sorted(file for file in folder.glob("*.object") if file.name != TOKEN_FILE and file.is_file())
    if len(files) > MOST_OBJECTS:
        raise BadStoreError(f"{folder} has more than {MOST_OBJECTS} objects")
    return StoredToken(_read_file(folder / TOKEN_FILE), [_read_or_tell(file) for file in files])


def _read_or_tell(file: Path) -> StoredObject:
    try:
        return _read_file(file)
    except BadStoreError as error:
        return StoredObject(file.name, {}, str(error))


def _read_file(file: Path) -> StoredObject:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise BadStoreError(f"{file.name} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise BadStoreError(f"{file.name} has more than {LARGEST} bytes")
    try:
        return StoredObject(file.name, decode_object(content))
    except WireError as error:
        raise BadStoreError(f"{file.name} is damaged: {error}") from None


def decode_object(content: bytes) -> dict[int, Stored]:
    """Return the attributes in a file's content. Raises WireError."""
    reader = Reader(content)
    _ulong(reader)  # the generation
    attributes: dict[int, Stored] = {}
    while reader.remaining:
        attribute, kind = _ulong(reader), _ulong(reader)
        if attribute in attributes or len(attributes) == MOST_ATTRIBUTES:
            raise WireError("an attribute twice, or too many of them")
        if kind not in _KINDS:
            raise WireError(f"an attribute of kind {kind}")
        attributes[attribute] = _KINDS[kind](reader)
    return attributes


def _ulong(reader: Reader) -> int:
    return int.from_bytes(reader.view(_ULONG), "big")


def _blob(reader: Reader) -> bytes:
    return reader.take(_ulong(reader))


def _mechanisms(reader: Reader) -> Mechanisms:
    count = _ulong(reader)
    numbers = Reader(reader.view(count * _ULONG))
    return Mechanisms(tuple(_ulong(numbers) for _ in range(count)))


_KINDS: Final[Mapping[int, Callable[[Reader], Stored]]] = MappingProxyType(
    {
        1: lambda reader: reader.u8() != 0,
        2: _ulong,
        3: _blob,
        4: lambda reader: Nested(len(_blob(reader))),
        5: _mechanisms,
    }
)
"""What stands behind an attribute's type, by its kind."""
