# SPDX-License-Identifier: Apache-2.0
"""``softee verify``: is what is stored what was stored, record by record."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softee.cli.failure import state_failures
from softee.cli.options import config_option, json_option, root_key_option, state_option
from softee.cli.output import write_json
from softee.cli.settings import settings_from
from softee.cli.tables import printable

if TYPE_CHECKING:
    from softee.daemon.at_rest.verification import Report

CANNOT_LOOK = 2
"""The status where nothing can be said of the state."""


@click.command()
@config_option
@state_option
@root_key_option
@json_option
@click.pass_context
def verify(ctx: click.Context, *, config: Path | None, state: Path | None, root_key: str | None, as_json: bool) -> None:
    """Look at every record of a state that no secure world uses now, and say what is damaged and what is still good.

    Exits 1 where something is damaged, 2 where it cannot be looked at.
    """
    from softee.daemon.at_rest.verification import verify_state  # noqa: PLC0415 - the help does not wait for cryptography

    settings = settings_from(config=config, state=state, root_key=root_key)
    with state_failures(CANNOT_LOOK):
        reports = verify_state(settings)
    if as_json:
        write_json([asdict(report) for report in reports])
    else:
        for line in report_lines(reports):
            click.echo(line)
        if any(report.damaged for report in reports):
            click.echo(
                "Bring the state back from a backup, or go on without what is damaged: the rest is served as it was."
            )
    ctx.exit(1 if any(report.damaged for report in reports) else 0)


def report_lines(reports: "list[Report]") -> Iterator[str]:
    """Yield what is told. Whoever initializes a token chooses its label: what could steer a terminal is escaped."""
    for report in reports:
        label = f" {printable(report.label)}" if report.label is not None else ""
        yield f"{report.name}{label}: {_judged(report)}"
        for damage in report.damaged:
            yield f"  {printable(damage)}"


def _judged(report: "Report") -> str:
    good = f"good objects: {report.good}"
    private = report.good - report.opened
    if private:
        good += f" (of them private, and compared with their tags only: {private})"
    if not report.is_served:
        return f"damaged, and refused as a whole; {good}"
    return f"damaged objects, which are refused: {len(report.damaged)}; {good}" if report.damaged else good
