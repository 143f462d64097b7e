# SPDX-License-Identifier: Apache-2.0
"""The rates on a whole terminal, until the user ends it."""

import contextlib
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as RichTable
from rich.text import Text

from softee.cli.tables import Cell, printable
from softee.cli.top.rates import Rates
from softee.cli.top.tables import Table, summary, tables

_AROUND = 4
"""Lines of a table that are no rows: the title, the columns' names, a rule, an empty line."""


def show(looks: Iterable[Rates], console: Console | None = None) -> None:
    """Show each look in the place of the one before."""
    console = console or Console()
    with contextlib.suppress(KeyboardInterrupt), Live(console=console, screen=True, auto_refresh=False) as live:
        for found in looks:
            live.update(page(found, console.height), refresh=True)


def page(found: Rates, height: int) -> Group:
    """Return what fits into so many lines: the rows that come first."""
    parts: list[RenderableType] = [Text(f"softee: {summary(found)}", style="bold"), Text()]
    room = height - len(parts)
    for table in tables(found):
        if table.rows and room > _AROUND:
            shown = table.rows[: room - _AROUND]
            parts += [_rich(table, shown), Text()]
            room -= len(shown) + _AROUND
    return Group(*parts)


def _rich(table: Table, rows: list[tuple[Cell, ...]]) -> RichTable:
    made = RichTable(title=table.title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        made.add_column(column, no_wrap=True)
    for row in rows:
        made.add_row(*map(_text, row))
    return made


def _text(cell: Cell) -> Text:
    """Return a cell in which nothing steers the terminal, or is taken for markup."""
    return Text(printable(cell)) if isinstance(cell, str) else Text(printable(cell.text), style=cell.colour)
