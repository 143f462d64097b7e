# SPDX-License-Identifier: Apache-2.0
"""docs/deviations.md has every difference that the comparison with a board expects."""

from pathlib import Path

from board.differential.expected import expected

PAGE = Path(__file__).parents[2] / "docs" / "deviations.md"


def _rows() -> set[str]:
    lines = (line for line in PAGE.read_text().splitlines() if line.startswith("| "))
    return {line.split(" | ")[0].removeprefix("| ") for line in lines}


def test_every_expected_difference_has_a_row() -> None:
    assert {one.row for one in expected()} <= _rows()
