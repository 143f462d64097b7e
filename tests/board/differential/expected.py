# SPDX-License-Identifier: Apache-2.0
"""The list of differences that are known, ``expected.toml``, and what is not in it."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from board.differential.script import Difference

LIST = Path(__file__).with_name("expected.toml")


@dataclass(frozen=True)
class Expected:
    """Some differences of one kind. ``row`` stands in docs/deviations.md."""

    calls: str
    board: str
    softee: str
    row: str

    def is_this(self, difference: Difference) -> bool:
        """Tell whether a difference is one of these."""
        return (
            re.fullmatch(self.calls, difference.label) is not None
            and re.fullmatch(self.board, difference.board, re.DOTALL) is not None
            and re.fullmatch(self.softee, difference.softee, re.DOTALL) is not None
        )


def expected() -> list[Expected]:
    """Return the list."""
    found: list[dict[str, Any]] = tomllib.loads(LIST.read_text())["difference"]
    return [Expected(calls, board, softee, one["row"]) for one in found for calls, board, softee in one["are"]]


def unexplained(differences: Iterable[Difference], known: Iterable[Expected]) -> list[str]:
    """Return the differences that nothing in the list is about, and what in the list is about none of them."""
    known = list(known)
    used: set[Expected] = set()
    found = []
    for difference in differences:
        matching = [one for one in known if one.is_this(difference)]
        used.update(matching)
        if not matching:
            found.append(f"{difference.label}: {difference.board} on the board, {difference.softee} here")
    return found + [f"no difference any more: {one}" for one in known if one not in used]
