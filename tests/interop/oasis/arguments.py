# SPDX-License-Identifier: Apache-2.0
"""The sorts of arguments that functions of the standard have: made of a request's element, read as an answer's node.

``values`` are what C is given. A pointer for which the request says nothing is NULL.
"""

import ctypes
from collections.abc import Iterator
from typing import Final, cast

from interop.oasis.attributes import attribute_type, from_bytes, to_bytes, value_type
from interop.oasis.document import Element
from interop.oasis.nodes import Facet, Node, Variables
from interop.oasis.structures import list_of, structure
from interop.oasis.values import BYTES, NUMBER, OF_C_TYPES
from softee.names import CKA, CKM
from support.cryptoki import AttributeRow, Mechanism

ULONG: Final = ctypes.c_ulong
UNAVAILABLE: Final = (1 << 64) - 1
LABEL_SIZE: Final = 32
LARGEST_BUFFER: Final = 1 << 20


class Argument:
    """An argument, or several that belong together. ``name`` is its element's, ``base`` C's type without its stars."""

    values: tuple[object, ...] = (None,)

    def __init__(self, name: str, base: str, element: Element | None, variables: Variables) -> None:
        self.name = name
        self.base = base
        self.kind = OF_C_TYPES.get(base, NUMBER)
        self.element = element
        self.variables = variables
        self.prepare()

    def prepare(self) -> None:
        """Make ``values``. Raises ValueError, UnboundError."""

    def answer(self) -> Iterator[Node]:
        """Return what the call has left in it."""
        yield from ()

    def given(self) -> object:
        """Return the element's value, None where it has none."""
        if self.element is None or "value" not in self.element.facets:
            return None
        return self.variables.resolve(self.element.facets["value"], self.kind)

    def room(self) -> int | None:
        """Return the element's length, None where it has none."""
        if self.element is None or "length" not in self.element.facets:
            return None
        return _size(self.element, self.variables)


def _size(element: Element, variables: Variables) -> int:
    size = cast("int", variables.resolve(element.facets["length"], NUMBER))
    if size > LARGEST_BUFFER:
        raise ValueError(f"a buffer of {size} bytes")
    return size


class Omitted(Argument):
    """A pointer that test cases have no element for."""


class NumberIn(Argument):
    """A number, handle, flag or name."""

    def prepare(self) -> None:
        given = self.given()
        if given is None:
            raise ValueError(f"{self.name} has no value")
        self.values = (ULONG(int(cast("int", given))),)


class BytesIn(Argument):
    """Bytes or a text, with its length."""

    def prepare(self) -> None:
        given = self.given()
        written = given.encode() if isinstance(given, str) else cast("bytes | None", given)
        self.values = (written, ULONG(len(written or b"")))


class TextIn(Argument):
    """A text whose length the function knows: a label, or one that a zero byte ends."""

    def prepare(self) -> None:
        given = cast("str | None", self.given())
        padded = given.ljust(LABEL_SIZE) if given is not None and self.name == "Label" else given
        self.values = (None if padded is None else padded.encode(),)


class VersionIn(Argument):
    """A version that is asked for."""

    def prepare(self) -> None:
        if self.element is not None:
            self.values = (bytes(cast("int", NUMBER.parse(self.element.facets[one])) for one in ("major", "minor")),)


class MechanismIn(Argument):
    """A mechanism; its parameter is none, or bytes."""

    def prepare(self) -> None:
        if self.element is None:
            return
        mechanism, parameter = self.element.child("Type"), self.element.child("Parameter")
        if mechanism is None:
            raise ValueError("a mechanism has no type")
        number = cast("int", self.variables.resolve(mechanism.facets["value"], OF_C_TYPES["CK_MECHANISM_TYPE"]))
        data = None if parameter is None else self.variables.resolve(parameter.facets["value"], BYTES)
        self._mechanism = Mechanism(CKM(number), cast("bytes | None", data))
        self.values = (ctypes.byref(self._mechanism.value),)


class Template(Argument):
    """Attributes: with values, with room for them, or with neither, where their sizes are asked for."""

    def prepare(self) -> None:
        elements = self.element.children if self.element is not None else ()
        self._types = [attribute_type(one.type) for one in elements]
        self._memory = [self._buffer(one) for one in elements]
        rows = [
            AttributeRow(kind, ctypes.addressof(memory) if memory else None, len(memory) - 1 if memory else 0)
            for kind, memory in zip(self._types, self._memory, strict=True)
        ]
        self._rows = (AttributeRow * len(rows))(*rows)
        self.values = (self._rows, ULONG(len(rows)))

    def _buffer(self, element: Element) -> "ctypes.Array[ctypes.c_char] | None":
        if "value" in element.facets:
            kind = value_type(attribute_type(element.type))
            return ctypes.create_string_buffer(to_bytes(self.variables.resolve(element.facets["value"], kind)))
        if "length" in element.facets:
            return ctypes.create_string_buffer(_size(element, self.variables) + 1)
        return None

    def answer(self) -> Iterator[Node]:
        rows = zip(self._types, self._memory, self._rows, strict=True)
        yield Node(self.name, {}, tuple(self._attribute(*row) for row in rows))

    @staticmethod
    def _attribute(attribute: CKA, memory: "ctypes.Array[ctypes.c_char] | None", row: AttributeRow) -> Node:
        facets = {"length": Facet(row.size)}
        if memory is not None and row.size != UNAVAILABLE:
            facets["value"] = Facet(from_bytes(attribute, memory.raw[: row.size]), value_type(attribute))
        return Node("Attribute", facets, type=attribute.name)


class BytesOut(Argument):
    """Bytes that the function gives, with room for them or without."""

    def prepare(self) -> None:
        room = self.room()
        self._memory = None if room is None else ctypes.create_string_buffer(max(1, room))
        self._size = ULONG(room or 0)
        self.values = (self._memory, ctypes.byref(self._size))

    def answer(self) -> Iterator[Node]:
        facets = {"length": Facet(self._size.value)}
        if self._memory is not None:
            facets["value"] = Facet(self._memory.raw[: self._size.value], BYTES)
        yield Node(self.name, facets)


class RandomOut(BytesOut):
    """Bytes of as many as are asked for."""

    def prepare(self) -> None:
        super().prepare()
        self.values = (self._memory, self._size)


class NumberOut(Argument):
    """A number or handle that the function gives."""

    def prepare(self) -> None:
        self._number = ULONG(0)
        self.values = (ctypes.byref(self._number),)

    def answer(self) -> Iterator[Node]:
        yield Node(self.name, {"value": Facet(self._number.value, self.kind)})


class ListOut(Argument):
    """A list with the number of its members, which goes both ways."""

    def prepare(self) -> None:
        room = self.room()
        self._list = list_of(self.base, room or 0)
        self._count = ULONG(room or 0)
        self.values = (None if room is None else self._list.memory, ctypes.byref(self._count))
        self._told = room is not None

    def answer(self) -> Iterator[Node]:
        members = self._list.nodes(self._count.value) if self._told else ()
        yield Node(self.name, {"length": Facet(self._count.value)}, members, is_list=True)


class FoundOut(ListOut):
    """A list of at most as many members as are asked for."""

    def prepare(self) -> None:
        super().prepare()
        self.values = (self._list.memory, ULONG(self.room() or 0), ctypes.byref(self._count))
        self._told = True


class StructureOut(Argument):
    """A structure that the function fills."""

    def prepare(self) -> None:
        self._list = list_of(self.base, 1)
        self.values = (self._list.memory,)

    def answer(self) -> Iterator[Node]:
        yield from self._list.nodes(1)


class PointedOut(Argument):
    """A structure that the function points to: an interface; of a list of functions, its version."""

    def prepare(self) -> None:
        self._pointer = ctypes.c_void_p()
        self.values = (ctypes.byref(self._pointer),)

    def answer(self) -> Iterator[Node]:
        if self._pointer.value is not None:
            yield Node(self.name, {}, (structure(self.base, self._pointer.value),))
