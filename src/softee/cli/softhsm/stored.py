# SPDX-License-Identifier: Apache-2.0
"""What SoftHSM2 stores, whichever way: objects, each of them attributes by their types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_OBJECTS: Final = 100_000
MOST_ATTRIBUTES: Final = 512
LARGEST: Final = 32 << 20
"""Bytes of an object, or of an attribute, that are read: a data object has up to 16 MiB."""


class BadStoreError(Exception):
    """Something stored is not what SoftHSM2 writes. The text holds none of its bytes."""


@dataclass(frozen=True, slots=True)
class Nested:
    """A template within an object, of which nothing is told but whether it says anything."""

    size: int


@dataclass(frozen=True, slots=True)
class Mechanisms:
    """A set of mechanisms."""

    numbers: tuple[int, ...]


Stored = bool | int | bytes | Nested | Mechanisms


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object, and what it is called in sentences; ``damage`` says why it has no attributes."""

    name: str
    attributes: Mapping[int, Stored] = field(repr=False)
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token: what it says of itself, and its objects."""

    about: StoredObject
    objects: list[StoredObject]
