# SPDX-License-Identifier: Apache-2.0
"""``softee selftest``: does the cryptography of this installation give the answers that are published."""

from typing import NamedTuple

import click

from softee.cli.options import json_option
from softee.cli.output import write_json
from softee.cli.tables import Cell, Styled, print_table


@click.command()
@json_option
@click.pass_context
def selftest(ctx: click.Context, *, as_json: bool) -> None:
    """Compute what published documents give the answers of, by each mechanism's own code. Exits 1 where one is wrong.

    A secure world checks some of them each time it starts, and does not start where one is wrong.
    """
    from softee.pkcs11_ta.known_answers.at_start import AT_START  # noqa: PLC0415 - the help needs no cryptography
    from softee.pkcs11_ta.known_answers.outcome import wrong  # noqa: PLC0415 - likewise
    from softee.pkcs11_ta.known_answers.table import KNOWN_ANSWERS  # noqa: PLC0415 - likewise

    rows = [_Row(one.name, one.source, wrong(one), one in AT_START) for one in KNOWN_ANSWERS]
    if as_json:
        write_json([_as_dict(row) for row in rows])
    else:
        print_table(("what", "verdict", "at start", "published"), map(_shown, rows))
    ctx.exit(1 if any(row.wrong for row in rows) else 0)


class _Row(NamedTuple):
    """What is told of a known answer; ``wrong`` says what is, and is empty where nothing is."""

    name: str
    published: str
    wrong: str
    at_start: bool


def _as_dict(row: _Row) -> dict[str, object]:
    return row._asdict() | {"right": not row.wrong, "wrong": row.wrong or None}


def _shown(row: _Row) -> tuple[Cell, ...]:
    verdict = Styled(f"WRONG: {row.wrong}", "red") if row.wrong else Styled("right", "green")
    return row.name, verdict, "yes" if row.at_start else "", row.published
