# SPDX-License-Identifier: Apache-2.0
"""Compares an answer with what a test case expects, and binds the variables that the test case names in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from interop.oasis.document import Element
from interop.oasis.nodes import Facet, Node, Variables, placeholder
from interop.oasis.variations import agrees, is_measure, is_own_key, is_variable

_MISSING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer is otherwise. A note is no failure: a measure that each provider has of its own."""

    where: str
    expected: str
    actual: str
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, got {self.actual}"


def compare(expected: Element, actual: Node, variables: Variables) -> Iterator[Difference]:
    """Return how an answer differs from the expected one, beyond the permitted variations."""
    yield from _facets(expected, actual, "", expected.name, variables)
    yield from _children(expected, actual, expected.name, variables)


def _children(expected: Element, actual: Node, where: str, variables: Variables) -> Iterator[Difference]:
    pairs = _in_list(expected, actual) if actual.is_list else _by_name(expected, actual)
    for number, (wanted, found) in enumerate(pairs):
        place = (
            f"{where}/{wanted.name}{f'[{number}]' if actual.is_list else ''}{f'({wanted.type})' if wanted.type else ''}"
        )
        if found is None:
            yield Difference(place, " ".join(wanted.facets.values()) or wanted.name, _MISSING)
            continue
        yield from _facets(wanted, found, expected.name, place, variables)
        yield from _children(wanted, found, place, variables)


def _by_name(expected: Element, actual: Node) -> Iterator[tuple[Element, Node | None]]:
    for wanted in expected.children:
        same = (one for one in actual.children if one.name.lower() == wanted.name.lower() and one.type == wanted.type)
        yield wanted, next(same, None)


def _in_list(expected: Element, actual: Node) -> Iterator[tuple[Element, Node | None]]:
    """Pair a list's members: variables with the first ones, values with whichever has them (section 3.1.2)."""
    for number, wanted in enumerate(expected.children):
        text = wanted.facets.get("value")
        if text is None or placeholder(text) is not None:
            yield wanted, actual.children[number] if number < len(actual.children) else None
        else:
            yield wanted, next((one for one in actual.children if _says(one.facets["value"], text)), None)


def _says(facet: Facet, text: str) -> bool:
    return facet.type.parse(text) == facet.value


def _facets(expected: Element, actual: Node, parent: str, where: str, variables: Variables) -> Iterator[Difference]:
    for name, text in expected.facets.items():
        facet = actual.facets.get(name)
        if facet is None:
            yield Difference(f"{where} {name}", text, _MISSING)
        elif (variable := placeholder(text)) is not None:
            variables.bind(variable, facet.value)
        elif not _agrees(expected, parent, facet, facet.type.parse(text)):
            yield Difference(f"{where} {name}", text, _written(facet), is_measure(expected.name))


def _agrees(expected: Element, parent: str, facet: Facet, wanted: object) -> bool:
    if is_variable(parent, expected.name, expected.type) or agrees(facet.type, wanted, facet.value):
        return True
    if isinstance(wanted, bytes) and isinstance(facet.value, bytes) and is_own_key(expected.name, expected.type):
        return len(wanted) == len(facet.value)
    return False


def _written(facet: Facet) -> str:
    return facet.value.hex() if isinstance(facet.value, bytes) else str(facet.value)
