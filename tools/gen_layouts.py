# SPDX-License-Identifier: Apache-2.0
"""Write how libckteec reads mechanism parameters from the application's structures; with --check, say what is stale.

The layouts are ``softee.names.mechanism_layouts``, the structures those of pkcs11-32.json, which has the
standard's facts as data. Which mechanisms take no parameter is known from those that the application has.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gen_native import header
from generation import ROOT, main
from softee.names.mechanism_layouts import LAYOUTS, NOTHING, Layout, Member, Use
from softee.pkcs11_ta.mechanisms.table import MECHANISMS

FACTS = json.loads((Path(__file__).parent / "pkcs11-32.json").read_text(encoding="utf-8"))
LARGEST_OPTIONAL = 64
"""Bytes of the zeros that stand for a missing structure in mechanism.c."""


def layouts() -> list[Layout]:
    """Every layout that is in use, those that others point to first."""
    found: list[Layout] = []
    for layout in LAYOUTS.values():
        for one in (*_inner(layout), layout):
            if one not in found:
                found.append(one)
    return found


def _inner(layout: Layout) -> Iterator[Layout]:
    """Those that a layout's members point to, the innermost first."""
    for member in layout.members:
        for one in (*([member.layout] if member.layout else []), *(chosen for _, chosen in member.choices)):
            yield from _inner(one)
            yield one


def c_name(layout: Layout) -> str:
    """The name of a layout in C: its structure's, less CK_ and _PARAMS."""
    return layout.structure.removeprefix("CK_").removesuffix("_PARAMS") or "BYTES"


def structures() -> str:
    """native/include/pkcs11_params.gen.h: the structures of mechanism parameters."""
    lines = ["#ifndef PKCS11_PARAMS_GEN_H", "#define PKCS11_PARAMS_GEN_H"]
    names = dict.fromkeys(name for one in layouts() if is_structure(one) for name in _needed(one.structure))
    wanted = [FACTS["structs"][name] | {"name": name} for name in names]
    scalars = sorted({kind for one in wanted for kind in _types(one) if kind.startswith("CK_") and _is_new(kind)})
    lines += ["", *(f"typedef CK_ULONG {kind};" for kind in ("CK_MAC_GENERAL_PARAMS", "CK_EXTRACT_PARAMS", *scalars))]
    for one in wanted:
        lines += ["", f"typedef struct {one['name']} {{"]
        lines += [f"    {_declaration(field['type'], field['name'])};" for field in one["fields"]]
        lines += [f"}} {one['name']};"]
    return header(
        "/* The structures of mechanism parameters (the standard's part on mechanisms). */", [*lines, "", "#endif"]
    )


def _needed(structure: str) -> Iterator[str]:
    """A structure, after those that its members are or point to."""
    for kind in _types(FACTS["structs"][structure]):
        if kind in FACTS["structs"] and not _is_known(kind):
            yield from _needed(kind)
    yield structure


def is_structure(layout: Layout) -> bool:
    """Whether a parameter is a structure of the standard, not bytes or one number."""
    return layout.structure in FACTS["structs"]


def _types(structure: dict[str, Any]) -> Iterator[str]:
    return (re.sub(r"( \*+|\[\d+\])$", "", field["type"]) for field in structure["fields"])


def _is_new(kind: str) -> bool:
    """Whether pkcs11.h does not define a type by hand."""
    return kind not in FACTS["structs"] and not _is_known(kind)


def _is_known(kind: str) -> bool:
    known = (ROOT / "native" / "include" / "pkcs11.h").read_text(encoding="utf-8")
    return re.search(rf"\b{kind};", known) is not None


def _declaration(kind: str, name: str) -> str:
    array = re.fullmatch(r"(.*)(\[\d+\])", kind)
    if array:
        return f"{array[1]} {name}{array[2]}"
    return f"{kind}{name}" if kind.endswith("*") else f"{kind} {name}"


def table() -> str:
    """native/ckteec/mechanism_layouts.gen.h: the layouts, and which mechanism has which."""
    lines: list[str] = []
    for layout in layouts():
        lines += _layout(layout)
    lines += ["", "static const struct layout layout_nothing = {0, false, 0, NULL};"]
    lines += ["", "static const struct row mechanism_layouts[] = {"]
    uses = list(Use)  # in the order of C's enum
    rows = sorted(
        [
            *((mechanism, uses.index(use), c_name(layout)) for (mechanism, use), layout in LAYOUTS.items()),
            *((one, 0, "NOTHING") for one, spec in MECHANISMS.items() if spec.layout is NOTHING),
        ]
    )
    lines += [
        f"    {{{int(number):#010x}, USE_{uses[use].name}, &layout_{name.lower()}}}, /* CKM_{number.name} */"
        for number, use, name in rows
    ]
    title = "/* The layouts of mechanism parameters, and which mechanism has which. */"
    return header(title, [*lines, "};"], "gen_layouts")


def _layout(layout: Layout) -> Iterable[str]:
    name = c_name(layout).lower()
    for member in layout.members:
        yield from _choices(member)
    yield ""
    yield f"static const struct field fields_{name}[] = {{"
    yield from (f"    {_field(layout, member)}," for member in layout.members)
    yield "};"
    size = f"sizeof({layout.structure})" if layout.structure else "0"
    optional = "true" if layout.optional else "false"
    yield f"static const struct layout layout_{name} = {{{size}, {optional}, {len(layout.members)}, fields_{name}}};"
    if layout.optional:
        yield f'_Static_assert({size} <= {LARGEST_OPTIONAL}, "zeros[] of mechanism.c stand for it");'


def _field(layout: Layout, member: Member) -> str:
    place = f"offsetof({layout.structure}, {member.name})" if member.name else "0"
    length = f"offsetof({layout.structure}, {member.length})" if member.length else "0"
    inner = f"&layout_{c_name(member.layout).lower()}" if member.layout else "NULL"
    selector = f"offsetof({layout.structure}, {member.selector})" if member.selector else "0"
    choices = f"choices_{member.name.lower()}" if member.choices else "NULL"
    return f"{{FIELD_{member.form.name}, {place}, {length}, {inner}, {selector}, {choices}}}"


def _choices(member: Member) -> Iterable[str]:
    """What a chosen member points to, by its selector."""
    if member.choices:
        yield ""
        yield f"static const struct choice choices_{member.name.lower()}[] = {{"
        yield from (f"    {{{int(selector)}, &layout_{c_name(one).lower()}}}," for selector, one in member.choices)
        yield "    {0, NULL},"
        yield "};"


FILES = {"native/include/pkcs11_params.gen.h": structures, "native/ckteec/mechanism_layouts.gen.h": table}
"""What is generated."""

if __name__ == "__main__":
    sys.exit(main(__doc__, FILES))
