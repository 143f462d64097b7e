# SPDX-License-Identifier: Apache-2.0
"""Write docs/coverage.md: what of PKCS#11 there is, here and elsewhere, and what proves it; --check: is it stale?"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Any

from generation import ROOT, main
from proofs import cited, tests_of
from softee.names import CKM, CKO, MechanismFlag
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.objects.kinds import KINDS, PROFILE
from softee.pkcs11_ta.token.profiles import PROFILES

NOTE = "<!-- Made by tools/gen_docs_coverage.py from the tables and the tests. Do not edit. -->"
INTRODUCTION = """\
Every function and mechanism of PKCS#11 3.2: whether softee has it, OP-TEE 4.10's token and SoftHSM2 2.7, and the tests
that speak of it most (the contract tests run over each mechanism besides, and all vectors also through the shared
object). [generated/mechanisms.md](generated/mechanisms.md) has the parameters and key sizes of softee's."""

_REFUSED = re.compile(r"CK_RV (C_\w+)\([^)]*\)\s*\{\s*return refuse\(")
_DEFINED = re.compile(r"^CK_ENTRY\((C_\w+)\)", re.MULTILINE)


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((ROOT / "tools" / "pkcs11-32.json").read_text())
    return facts


@cache
def _others() -> dict[str, Any]:
    return tomllib.loads((ROOT / "tools" / "other_tokens.toml").read_text())


@cache
def _left_out() -> dict[str, Any]:
    return tomllib.loads((ROOT / "tools" / "left_out.toml").read_text())


def page() -> str:
    """Return the page."""
    sections = {
        "Functions": functions,
        "Mechanisms": mechanisms,
        "Object classes": classes,
        "Left out": left_out,
        "Rules of the standard": rules,
    }
    lines = ["# What softee has of PKCS#11", NOTE, "", INTRODUCTION]
    for title, section in sections.items():
        lines += ["", f"## {title}", "", *section()]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _heading(*cells: str) -> Iterable[str]:
    yield _row(*cells)
    yield "|" + "---|" * len(cells)


def _named(tests: Iterable[str]) -> str:
    return ", ".join(f"`{test}`" for test in tests)


@cache
def _own_functions() -> frozenset[str]:
    """Return the functions that the library exports and does not refuse."""
    sources = [file.read_text() for file in (ROOT / "native" / "ckteec").glob("*.c")]
    defined = {name for text in sources for name in _DEFINED.findall(text)}
    return frozenset(defined - {name for text in sources for name in _REFUSED.findall(text)})


def functions() -> Iterable[str]:
    """Return which functions do more than refuse."""
    commands = {command.function: f"c.{command.name}" for command in reversed(COMMANDS)}
    yield from _heading("function", "since", "softee", *_others(), "tests")
    for function in _facts()["functions"]:
        name = function["name"]
        here = name in _own_functions()
        elsewhere = [
            _yes(function["since"] <= other["version"] and name not in other["lacks"]) for other in _others().values()
        ]
        tests = _named(tests_of(name, commands.get(name, name))) if here else ""
        yield _row(name, function["since"], _yes(here), *elsewhere, tests)


def _yes(had: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if had else ""


def mechanisms() -> Iterable[str]:
    """Return which mechanisms there are, and what each does in the profile that has most of it."""
    yield from _heading("mechanism", "softee", "profiles", *_others(), "tests")
    for name in _facts()["mechanisms"]:
        short = name.removeprefix("CKM_")
        number = CKM[short]
        here = MECHANISMS.get(number)
        elsewhere = [_yes(short in other["mechanisms"]) for other in _others().values()]
        does = _functions(here.flags) if here else ""
        profiles = ", ".join(policy.name for policy in PROFILES.values() if number in policy.mechanisms)
        off = "off by default" if here and not profiles else profiles
        yield _row(name, does, off, *elsewhere, _named(tests_of(f"CKM_{number.name}")) if here else "")


def _functions(flags: MechanismFlag) -> str:
    return ", ".join(str(flag.name).lower().replace("_", " ") for flag in MechanismFlag if flag in flags)


def classes() -> Iterable[str]:
    """Return which classes of objects there are, and why the others are not."""
    whys: dict[str, str] = _left_out()["classes"]
    yield from _heading("class", "softee", "why not, or how")
    for name in (one for one in _facts()["constants"]["CKO"] if one != "CKO_VENDOR_DEFINED"):
        short = name.removeprefix("CKO_")
        here = any(kind.object_class is CKO[short] for kind in (*KINDS, PROFILE))
        yield _row(name, _yes(here), whys.get(short, ""))


def left_out() -> Iterable[str]:
    """Return the mechanisms that there are not, by reason."""
    names = [name.removeprefix("CKM_") for name in _facts()["mechanisms"]]
    missing = [name for name in names if CKM[name] not in MECHANISMS]
    for reason in _left_out()["reason"]:
        of_it = [name for name in missing if re.fullmatch(reason["names"], name)]
        missing = [name for name in missing if name not in of_it]
        if of_it:
            yield f"* {reason['why']}: {', '.join(of_it)}."
    if missing:
        yield f"* not yet: {', '.join(missing)}."


def rules() -> Iterable[str]:
    """Return the sections of the standard that tests cite."""
    yield from _heading("section", "test")
    for section, file, test in cited():
        yield _row(section, f"`{file}`" + (f", {test}" if test else ""))


if __name__ == "__main__":
    sys.exit(main(__doc__, {"docs/coverage.md": page}))
