# SPDX-License-Identifier: Apache-2.0
"""``softee top``: who uses a running secure world, and how much: once, or again and again."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from softee.cli.failure import CliError
from softee.cli.operator_session import OperatorSession, operator_session
from softee.cli.options import json_option, socket_option
from softee.cli.output import write_json
from softee.cli.places import require_answering_socket
from softee.cli.tables import print_table
from softee.cli.top.asked import statistics
from softee.cli.top.rates import Rates, rates
from softee.cli.top.tables import summary, tables


@click.command()
@socket_option
@click.option("--interval", type=click.FloatRange(0.1, 5), default=1.0, metavar="SECONDS", help="Time between looks.")
@click.option("--once", is_flag=True, help="Show it once, and exit.")
@json_option
def top(*, socket: Path | None, interval: float, once: bool, as_json: bool) -> None:
    """Show who uses the secure world: tokens with the PIN tries that are left, clients, mechanisms, calls a second.

    For root and the secure world's own user. It asks the secure world to count, which goes on for ten seconds after
    the last look. Tries are those that the user with the most wrong PINs has left. --json implies --once.
    """
    answering = require_answering_socket(socket)
    with operator_session(answering, "does not say who uses it") as session:
        looks = _looks(session, interval)
        if as_json:
            write_json(msgspec.to_builtins(next(looks)))
        elif once:
            _print(next(looks))
        elif not sys.stdout.isatty():
            raise CliError("What is shown live needs a terminal; add --once.")
        else:
            from softee.cli.top import screen  # noqa: PLC0415 - once needs none

            screen.show(looks)


def _looks(session: OperatorSession, interval: float) -> Iterator[Rates]:
    """Give what is done in each interval, without end."""
    before = statistics(session)
    while True:
        time.sleep(interval)
        after = statistics(session)
        yield rates(before, after)
        before = after


def _print(found: Rates) -> None:
    click.echo(f"{summary(found)}, over {found.seconds:.1f} s.")
    for table in tables(found):
        if table.rows:
            click.echo()
            print_table(table.columns, table.rows)
