# SPDX-License-Identifier: Apache-2.0
"""Which tests prove what, read from the tests themselves: the names that they use, and the sections that they cite."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache

from generation import ROOT

SHOWN = 3
"""Tests that are named for one thing: those that speak of it most."""

_FOLDERS = (
    "tests/vectors",
    "tests/attacks",
    "tests/unit",
    "tests/contract",
    "tests/interop",
    "tests/native",
    "native/tests",
)
_NAME = re.compile(r"\b(?:C(?:KM)?_\w+|CKM\.\w+|c\.[A-Z][A-Z_]+)\b")
_CITED = re.compile(r"PKCS#11 3\.2\s+§(\d+(?:\.\d+)*)")
_TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)


@cache
def _texts() -> Mapping[str, str]:
    """Return the tests' files, by their paths in the repository."""
    files = (file for folder in _FOLDERS for file in sorted((ROOT / folder).rglob("*.[pc]*")))
    return {str(file.relative_to(ROOT)): file.read_text() for file in files if file.suffix in {".py", ".c"}}


@cache
def _uses() -> Mapping[str, Counter[str]]:
    """Return how often each file speaks of a name, by name; ``CKM.X`` is ``CKM_X``."""
    uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path, text in _texts().items():
        for name in _NAME.findall(text):
            uses[name.replace("CKM.", "CKM_")][path] += 1
    return uses


def tests_of(*names: str) -> list[str]:
    """Return the files that speak most of one of ``names``, vectors first."""
    total: Counter[str] = sum((_uses()[name] for name in names if name in _uses()), Counter())
    vectors = [path for path, _ in total.most_common() if path.startswith("tests/vectors/")]
    others = [path for path, _ in total.most_common() if path not in vectors]
    return [*vectors, *others][:SHOWN]


def cited() -> Iterable[tuple[str, str, str]]:
    """Yield (section, file, test) for every section of the standard that a test cites, in the sections' order."""
    found = {
        (section, path, _test_around(text, match.start()))
        for path, text in _texts().items()
        for match in _CITED.finditer(text)
        for section in [match[1]]
    }
    return sorted(found, key=lambda one: ([int(part) for part in one[0].split(".")], *one[1:]))


def _test_around(text: str, place: int) -> str:
    """Return the test whose body, or whose decorators and comments, a citation stands in; "" for a whole file's."""
    before = [match for match in _TEST.finditer(text) if match.start() < place]
    after = [match for match in _TEST.finditer(text) if match.start() > place]
    indented = text[text.rfind("\n", 0, place) + 1 :].startswith(" ")
    if indented and before:
        return before[-1][1]
    return after[0][1] if after and before else ""
