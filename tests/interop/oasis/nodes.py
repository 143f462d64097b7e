# SPDX-License-Identifier: Apache-2.0
"""What a call has answered, in the shape in which test cases write it; and the variables that answers are kept in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from interop.oasis.values import NUMBER, Value, ValueType

_PLACEHOLDER: Final = re.compile(r"\$\{([\w.]+(?:\[\d+\])?(?:\.\w+)*)\}")


@dataclass(frozen=True, slots=True)
class Facet:
    """A value with its type, by which the expected one is read."""

    value: Value
    type: ValueType = NUMBER


@dataclass(frozen=True, slots=True)
class Node:
    """An element of an answer. The children of a list come in the list's order."""

    name: str
    facets: Mapping[str, Facet] = field(default_factory=dict)
    children: tuple["Node", ...] = ()
    type: str | None = None
    is_list: bool = False


def placeholder(text: str) -> str | None:
    """Return the name of the variable that a text stands for, None where it is a value."""
    found = _PLACEHOLDER.fullmatch(text)
    return found[1] if found else None


class UnboundError(Exception):
    """A test case uses what nothing has answered before."""


class Variables:
    """Values by the names that test cases give them."""

    def __init__(self, known: Mapping[str, Value]) -> None:
        self._values = dict(known)

    def bind(self, name: str, value: Value) -> None:
        """Keep a value, in the place of an earlier one."""
        self._values[name] = value

    def resolve(self, text: str, kind: ValueType) -> Value:
        """Return what a text stands for. Raises UnboundError; ValueError where it is no such value."""
        name = placeholder(text)
        if name is None:
            return kind.parse(text)
        if name not in self._values:
            raise UnboundError(name)
        return self._values[name]
