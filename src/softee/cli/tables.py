# SPDX-License-Identifier: Apache-2.0
"""What people see: tables whose cells are never folded, so that a path can be copied, and a sign that something runs.

What is shown may be whatever somebody gave an object as its label, so nothing in it steers the terminal.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import click

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Styled:
    """A cell with a colour of click's, which a terminal shows."""

    text: str
    colour: str


Cell = str | Styled


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table, a line for each row. The last column may be as long as it likes."""
    from rich.cells import cell_len  # noqa: PLC0415 - a command that answers in JSON does without rich

    table = [[_plain(cell) for cell in row] for row in ([Styled(name, "") for name in columns], *rows)]
    widths = [max(cell_len(cell.text) for cell in column) for column in zip(*table, strict=True)]
    for number, row in enumerate(table):
        gaps = [" " * (width - cell_len(cell.text) + 2) for width, cell in zip(widths, row, strict=True)]
        last = max((at for at, cell in enumerate(row) if cell.text), default=0)
        gaps[last:] = [""] * len(gaps[last:])
        click.echo("".join(_styled(cell, bold=number == 0) + gap for cell, gap in zip(row, gaps, strict=True)))


def print_fields(fields: Iterable[tuple[str, Cell]]) -> None:
    """Print names and values, one in a line."""
    print_table(("what", "value"), fields)


@contextmanager
def busy(sentence: str) -> Iterator[None]:
    """Show on the terminal, if stderr is one, that something takes its time."""
    from rich.console import Console  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(sentence):
        yield


def progress(what: str) -> Callable[[list[T]], Iterator[T]]:
    """Return what goes through a list and shows on the terminal, if stderr is one, how far it has got."""

    def watched(rows: list[T]) -> Iterator[T]:
        from rich.console import Console  # noqa: PLC0415 - as above
        from rich.progress import track  # noqa: PLC0415

        console = Console(stderr=True)
        yield from track(rows, what, console=console, transient=True, disable=not console.is_terminal)

    return watched


def printable(text: str) -> str:
    """Escape what could steer a terminal."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _plain(cell: Cell) -> Styled:
    return Styled(printable(cell), "") if isinstance(cell, str) else Styled(printable(cell.text), cell.colour)


def _styled(cell: Styled, *, bold: bool) -> str:
    return click.style(cell.text, fg=cell.colour or None, bold=bold or None) if cell.colour or bold else cell.text
