# SPDX-License-Identifier: Apache-2.0
"""``softee verify``: is what is stored what was stored, record by record."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from softee.cli.failure import CliError
from softee.cli.options import ConfigOption, JsonOption, RootKeyOption, StateOption, settings_from
from softee.daemon.logs import escape

if TYPE_CHECKING:
    from softee.daemon.verification import Report

CANNOT_LOOK = 2
"""The status where nothing can be said of the state."""


def verify(
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    root_key: RootKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at every record of a state that no secure world uses now, and say what is damaged and what is still good.

    Exits 1 where something is damaged, 2 where it cannot be looked at.
    """
    from softee.daemon.failures import FAILURES, sentence  # noqa: PLC0415 - the help does not wait for cryptography
    from softee.daemon.verification import verify_state  # noqa: PLC0415 - likewise

    settings = settings_from(config=config, state=state, root_key=root_key)
    try:
        reports = verify_state(settings)
    except FAILURES as error:
        raise CliError(sentence(error), CANNOT_LOOK) from None
    if as_json:
        typer.echo(json.dumps([asdict(report) for report in reports], indent=2))
    else:
        for line in _lines(reports):
            typer.echo(line)
    raise typer.Exit(1 if any(report.damaged for report in reports) else 0)


def _lines(reports: "list[Report]") -> Iterator[str]:
    """Yield what is told. Whoever initializes a token chooses its label: what could steer a terminal is escaped."""
    for report in reports:
        label = f" {escape(report.label)}" if report.label is not None else ""
        yield f"{report.name}{label}: {_judged(report)}"
        for damage in report.damaged:
            yield f"  {escape(damage)}"
    if any(report.damaged for report in reports):
        yield "Bring the state back from a backup, or go on without what is damaged: the rest is served as it was."


def _judged(report: "Report") -> str:
    good = f"good objects: {report.good}"
    private = report.good - report.opened
    if private:
        good += f" (of them private, and compared with their tags only: {private})"
    if not report.is_served:
        return f"damaged, and refused as a whole; {good}"
    return f"damaged objects, which are refused: {len(report.damaged)}; {good}" if report.damaged else good
