# SPDX-License-Identifier: Apache-2.0
"""Calls a function of the standard as a test case says: which arguments it has is read from the standard's facts."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from interop.oasis.arguments import (
    Argument,
    BytesIn,
    BytesOut,
    FoundOut,
    ListOut,
    MechanismIn,
    NumberIn,
    NumberOut,
    Omitted,
    PointedOut,
    RandomOut,
    StructureOut,
    Template,
    TextIn,
    VersionIn,
)
from interop.oasis.document import Element
from interop.oasis.nodes import Node, Variables
from interop.oasis.structures import element_name
from support.cryptoki import Module, facts

_SHAPES: Final[tuple[tuple[tuple[str, ...], type[Argument]], ...]] = (
    (("CK_OBJECT_HANDLE *", "CK_ULONG", "CK_ULONG *"), FoundOut),
    (("CK_ATTRIBUTE *", "CK_ULONG"), Template),
    (("CK_BYTE *", "CK_ULONG *"), BytesOut),
    (("CK_SLOT_ID *", "CK_ULONG *"), ListOut),
    (("CK_MECHANISM_TYPE *", "CK_ULONG *"), ListOut),
    (("CK_INTERFACE *", "CK_ULONG *"), ListOut),
    (("CK_BYTE *", "CK_ULONG"), BytesIn),
    (("CK_UTF8CHAR *", "CK_ULONG"), BytesIn),
    (("void *", "CK_ULONG"), BytesIn),
    (("CK_UTF8CHAR *",), TextIn),
    (("CK_VERSION *",), VersionIn),
    (("CK_MECHANISM *",), MechanismIn),
    (("CK_INTERFACE **",), PointedOut),
    (("CK_FUNCTION_LIST **",), PointedOut),
    (("CK_INFO *",), StructureOut),
    (("CK_SLOT_INFO *",), StructureOut),
    (("CK_TOKEN_INFO *",), StructureOut),
    (("CK_SESSION_INFO *",), StructureOut),
    (("CK_MECHANISM_INFO *",), StructureOut),
    (("CK_ULONG *",), NumberOut),
    (("CK_FLAGS *",), NumberOut),
    (("CK_SLOT_ID *",), NumberOut),
    (("CK_SESSION_HANDLE *",), NumberOut),
    (("CK_OBJECT_HANDLE *",), NumberOut),
    (("void *",), Omitted),
    (("CK_NOTIFY",), Omitted),
    (("CK_ASYNC_DATA *",), Omitted),
)
"""What arguments of these types in a row are; the longest row first. A type that stands in none is a number."""

_BY_NAME: Final[Mapping[str, tuple[int, type[Argument]]]] = {"RandomData": (2, RandomOut)}
"""Where the types look like other ones: C_GenerateRandom's bytes go out though their length only goes in."""


def call(module: Module, request: Element, variables: Variables) -> tuple[int, Node]:
    """Call a function, and return its CK_RV and its answer. Raises ValueError, UnboundError: the request is wrong."""
    arguments = [sort(name, base, request.child(name), variables) for name, base, sort in parameters(request.name)]
    known = {one.name.lower() for one in arguments if not isinstance(one, Omitted)}
    if unknown := [one.name for one in request.children if one.name.lower() not in known]:
        raise ValueError(f"{request.name} has no {', '.join(unknown)}")
    rv = module.function(request.name)(*(value for one in arguments for value in one.values))
    return rv, Node(request.name, {}, tuple(node for one in arguments for node in one.answer()))


@cache
def parameters(function: str) -> tuple[tuple[str, str, type[Argument]], ...]:
    """Return a function's elements: the name of each, C's type, and its sort. Raises ValueError: there is none."""
    for known in facts()["functions"]:
        if known["name"] == function:
            return tuple(_parameters(known["args"]))
    raise ValueError(f"not a function: {function}")


def _parameters(rest: list[dict[str, Any]]) -> Iterator[tuple[str, str, type[Argument]]]:
    while rest:
        count, sort = _shape(rest)
        yield element_name(rest[0]["name"]), rest[0]["type"].rstrip(" *"), sort
        rest = rest[count:]


def _shape(rest: list[dict[str, Any]]) -> tuple[int, type[Argument]]:
    if rest[0]["name"] in _BY_NAME:
        return _BY_NAME[rest[0]["name"]]
    types = [one["type"] for one in rest]
    for row, sort in _SHAPES:
        if types[: len(row)] == list(row):
            return len(row), sort
    return 1, NumberIn
