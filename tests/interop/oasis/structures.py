# SPDX-License-Identifier: Apache-2.0
"""Structures and lists that functions fill, laid out by the standard's facts and read as nodes."""

import ctypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from interop.oasis.nodes import Facet, Node
from interop.oasis.values import NUMBER, OF_C_TYPES, TEXT, text_of
from support.cryptoki import facts

_HUNGARIAN: Final = re.compile(r"^(?:pul|pp|ph|ul|p|h)(?=[A-Z])")
_ARRAY: Final = re.compile(r"(\w+)\[\d+\]")
_MEMBERS: Final = {
    "CK_SLOT_ID": "SlotID",
    "CK_MECHANISM_TYPE": "Type",
    "CK_OBJECT_HANDLE": "Object",
    "CK_INTERFACE": "Interface",
}
"""The elements of a list's members, by their type."""

_FUNCTION_LIST: Final = {"CK_FUNCTION_LIST": "CK_VERSION"}
"""Of a list of functions, the version is told, with which it begins."""

_ULONG_SIZE: Final = 8


def element_name(name: str) -> str:
    """Return the element's name of an argument or member: without the letters that tell its type."""
    bare = _HUNGARIAN.sub("", name)
    return bare[:1].upper() + bare[1:]


def structure_name(base: str) -> str:
    """Return the element's name of a structure: CK_TOKEN_INFO is TokenInfo."""
    return "".join(word.capitalize() for word in base.removeprefix("CK_").split("_"))


@dataclass(frozen=True, slots=True)
class List:
    """Room for some members, one after the other."""

    base: str
    memory: "ctypes.Array[ctypes.c_char]"
    room: int

    def nodes(self, count: int) -> tuple[Node, ...]:
        """Return the first members, as many as there are."""
        address, size = ctypes.addressof(self.memory), _size_of(self.base)
        return tuple(self._member(address + size * at) for at in range(min(count, self.room)))

    def _member(self, address: int) -> Node:
        if self.base in facts()["structs"]:
            return structure(self.base, address)
        number = int.from_bytes(ctypes.string_at(address, _ULONG_SIZE), "little")
        return Node(_MEMBERS[self.base], {"value": Facet(number, OF_C_TYPES.get(self.base, NUMBER))})


def list_of(base: str, room: int) -> List:
    """Return room for that many members."""
    return List(base, ctypes.create_string_buffer(max(1, _size_of(base) * room)), room)


def _size_of(base: str) -> int:
    layout = facts()["structs"].get(base)
    return int(layout["size_lp64"]) if layout else _ULONG_SIZE


def structure(base: str, address: int) -> Node:
    """Return what stands in a structure."""
    layout: Mapping[str, Any] = facts()["structs"][_FUNCTION_LIST.get(base, base)]
    if layout["size_lp64"] == len(layout["fields"]):
        return _version(structure_name(_FUNCTION_LIST.get(base, base)), address)
    return Node(structure_name(base), {}, tuple(_members(layout, address)))


def _version(name: str, address: int) -> Node:
    major, minor = ctypes.string_at(address, 2)
    return Node(name, {"major": Facet(major), "minor": Facet(minor)})


def _members(layout: Mapping[str, Any], address: int) -> Iterator[Node]:
    for field in layout["fields"]:
        name, base, at = element_name(field["name"]), field["type"], address + field["offset_lp64"]
        if base.removeprefix("struct ") == "CK_VERSION":
            yield _version(name, at)
        elif base == "void *":
            continue
        else:
            yield Node(name, {"value": _member(base, at, field["size_lp64"])})


def _member(base: str, at: int, size: int) -> Facet:
    written = ctypes.string_at(at, size)
    number = int.from_bytes(written, "little")
    if base.endswith(" *"):
        return Facet(ctypes.string_at(number).decode() if number else "", TEXT)
    array = _ARRAY.fullmatch(base)
    if array is None:
        return Facet(number, OF_C_TYPES.get(base, NUMBER))
    kind = OF_C_TYPES[array[1]]
    return Facet(text_of(written) if kind is TEXT else written, kind)
