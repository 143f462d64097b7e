# SPDX-License-Identifier: Apache-2.0
"""A test case of the profiles as a document: calls with what they are given, each with what should come back.

The grammar is that of PKCS#11 Profiles 3.2, section 4. A file that breaks it is refused, with the element by name. XML
that names entities is none of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element as XmlElement

LARGEST: Final = 1 << 20
NAMESPACE: Final = "{urn:oasis:tc:pkcs11:xmlns}"
FACETS: Final = frozenset({"value", "length", "major", "minor"})
"""What an element says in XML attributes; those of versions are in the official test cases alone."""


class GrammarError(Exception):
    """A document is not a test case."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element. ``type`` is the attribute's, where the element is a CK_ATTRIBUTE; ``rv`` is a response's."""

    name: str
    facets: Mapping[str, str]
    children: tuple["Element", ...] = ()
    type: str | None = None
    rv: str | None = None

    def child(self, name: str) -> "Element | None":
        """Return the child of that name, None where there is none."""
        return next((one for one in self.children if one.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One call and what should come back."""

    request: Element
    response: Element

    @property
    def function(self) -> str:
        """The function that is called."""
        return self.request.name


def read_case(path: Path) -> tuple[Step, ...]:
    """Return a file's steps. Raises GrammarError."""
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise GrammarError(f"{path.name} has {len(content)} bytes")
    return parse_case(content)


def parse_case(content: bytes) -> tuple[Step, ...]:
    """Return a document's steps. Raises GrammarError."""
    try:
        root = _element(fromstring(content, forbid_dtd=True))
    except (ValueError, SyntaxError) as error:
        raise GrammarError(f"not XML that is taken here: {error}") from None
    if root.name != "PKCS11":
        raise GrammarError(f"the root is {root.name}, not PKCS11")
    if len(root.children) % 2:
        raise GrammarError(f"{root.children[-1].name} has no response")
    return tuple(_steps(root.children))


def _steps(elements: tuple[Element, ...]) -> Iterator[Step]:
    for request, response in list(pairwise(elements))[::2]:
        if request.rv is not None or response.rv is None or request.name != response.name:
            raise GrammarError(f"{request.name} is not followed by its response")
        yield Step(request, response)


def _element(xml: "XmlElement") -> Element:
    name = xml.tag.removeprefix(NAMESPACE)
    if unknown := xml.attrib.keys() - FACETS - {"type", "rv"}:
        raise GrammarError(f"{name} has {', '.join(sorted(unknown))}")
    facets = {facet: text for facet, text in xml.attrib.items() if facet in FACETS}
    return Element(name, facets, tuple(map(_element, xml)), xml.get("type"), xml.get("rv"))
