# SPDX-License-Identifier: Apache-2.0
"""``softee doctor``: looks at everything, and says what is wrong and how to mend it."""

import json
from dataclasses import asdict
from itertools import chain

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from softee.cli.doctor.files import check_source, check_state
from softee.cli.doctor.finding import Finding, Verdict
from softee.cli.doctor.installation import check_libraries, check_programs
from softee.cli.doctor.profiles import check_profiles
from softee.cli.doctor.service import check_service
from softee.cli.options import ConfigOption, JsonOption, RootKeyOption, StateOption, settings_from

_COLOURS = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red"}


def doctor(
    *,
    config: ConfigOption = None,
    state: StateOption = None,
    root_key: RootKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with this installation and how to mend it. Exits 1 where something is wrong."""
    settings = settings_from(config=config, state=state, root_key=root_key)
    findings = list(
        chain(
            check_libraries(),
            check_source(settings.root_key, settings.state),
            check_state(settings.state),
            check_profiles(settings),
            check_service(settings.socket),
            check_programs(),
        )
    )
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        Console().print(_table(findings))
    raise typer.Exit(1 if any(finding.verdict == Verdict.WRONG for finding in findings) else 0)


def _table(findings: list[Finding]) -> Table:
    table = Table("check", "verdict")
    table.add_column("what", overflow="fold")
    table.add_column("what to do", overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        table.add_row(
            finding.check, f"[{colour}]{finding.verdict}[/{colour}]", escape(finding.what), escape(finding.mend)
        )
    return table
