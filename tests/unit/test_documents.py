# SPDX-License-Identifier: Apache-2.0
"""What the documents say of files and limits is so."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from softee.daemon.settings import Limits, Pkcs11Settings
from softee.daemon.slot_settings import SlotSettings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/softee"
DOCUMENTS = sorted(path for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md") for path in ROOT.glob(pattern))

FILE = r"(?:[\w.-]+/)*[\w*-]+\.(?:py|c|h|sh|md|toml|example)"
FOLDER = r"(?:src|tests|docs|native|tools|bench|examples)/[\w./*-]*"
NAMED = re.compile(f"`({FILE}|{FOLDER})`")
LINKED = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")


def exists(name: str, document: Path) -> bool:
    """Tell whether there is a file of that name: from the root or a package, or anywhere where it has no folder."""
    bases = (document.parent, ROOT, PACKAGE, PACKAGE / "pkcs11_ta", PACKAGE / "pkcs11_ta/mechanisms")
    anywhere = () if "/" in name else tuple(ROOT / folder for folder in ("src", "native", "tests", "examples"))
    return any(any(base.glob(name)) for base in bases) or any(any(folder.rglob(name)) for folder in anywhere)


def by_path(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_path)
def test_the_files_that_a_document_names_exist(document: Path) -> None:
    names = {name for name in NAMED.findall(document.read_text()) if "NAME" not in name and "FAMILY" not in name}
    assert not sorted(name for name in names if not exists(name, document))


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_path)
def test_the_links_of_a_document_lead_somewhere(document: Path) -> None:
    assert not [target for target in LINKED.findall(document.read_text()) if not (document.parent / target).exists()]


def require_tests(named: list[tuple[str, str]]) -> None:
    for path, name in named:
        assert re.search(rf"^\s*def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}::{name}"


ATTACKS = [row for row in (ROOT / "docs/vulnerabilities.md").read_text().splitlines() if re.match(r"\| \d+ \|", row)]
HELD = re.compile(r"`([\w/.-]+)::(\w+)`")


@pytest.mark.parametrize("row", ATTACKS, ids=[row.split("|")[1].strip() for row in ATTACKS])
def test_a_known_attack_is_excluded_by_what_exists_or_is_open(row: str) -> None:
    held = HELD.findall(row)
    assert held or "**Open" in row
    require_tests(held)
    assert row.count("::") == len(held)


def test_known_attacks_are_numbered() -> None:
    assert [int(row.split("|")[1]) for row in ATTACKS] == list(range(1, len(ATTACKS) + 1))


def limits() -> Iterator[tuple[str, str, str]]:
    """Yield name, value and place of each limit in ARCHITECTURE.md's table."""
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## Limits", 1)[1].split("\n## ", 1)[0]
    for row in table.splitlines():
        if row.startswith("| `"):
            names, values, place = (cell.strip() for cell in row.split("|")[1:4])
            pairs = zip(re.findall(r"`(\w+)`", names), values.split(", "), strict=True)
            yield from ((name, value, place) for name, value in pairs)


def spellings(value: float) -> set[str]:
    """Return how a limit may be written."""
    spelled = {f"{value:g}", f"{value:,}", f"{value:g} s", f"0x{int(value):X}"}
    for unit, size in (("KiB", 1 << 10), ("MiB", 1 << 20)):
        spelled.add(f"{value / size:g} {unit}")
    mebibytes, rest = divmod(int(value), 1 << 20)
    return spelled | {f"{mebibytes} MiB + {rest >> 10} KiB"}


@pytest.mark.parametrize(("name", "value", "place"), list(limits()))
def test_a_limit_is_where_and_what_the_architecture_says(name: str, value: str, place: str) -> None:
    if place.startswith("settings"):
        home: object = {"[limits]": Limits(), "[pkcs11]": Pkcs11Settings()}[place.split("`")[1]]
    else:
        home = importlib.import_module("softee." + place.strip("`").removesuffix(".py").replace("/", "."))
    assert value in spellings(getattr(home, name))


def test_every_setting_that_is_a_limit_is_in_the_table() -> None:
    named = {name for name, _, place in limits() if place.startswith("settings")}
    no_limits = {*SlotSettings.__struct_fields__, "slot", "ticket_age"}
    assert named == {*Limits.__struct_fields__, *Pkcs11Settings.__struct_fields__} - no_limits


SECURITY = (ROOT / "SECURITY.md").read_text()
GUARANTEES = [int(number) for number in re.findall(r"^(\d+)\. ", SECURITY, re.MULTILINE)]
TESTED = {int(row.split("|")[1]): row for row in SECURITY.splitlines() if re.match(r"\| \d+ \|", row)}
OF_A_GUARANTEE = re.compile(r"^\s*def test_invariant_(\d+)_", re.MULTILINE)


def test_guarantees_are_numbered_and_each_names_its_tests() -> None:
    assert GUARANTEES == [*TESTED] == list(range(1, len(GUARANTEES) + 1))


@pytest.mark.parametrize("number", GUARANTEES)
def test_a_guarantee_is_held_by_tests_that_exist(number: int) -> None:
    held = HELD.findall(TESTED[number])
    assert len(held) >= 3
    assert TESTED[number].count("::") == len(held)
    require_tests(held)


def test_tests_that_are_named_after_a_guarantee_mean_one_that_there_is() -> None:
    named = {
        int(found) for path in (ROOT / "tests").rglob("*.py") for found in OF_A_GUARANTEE.findall(path.read_text())
    }
    assert named
    assert named <= set(GUARANTEES)
