# SPDX-License-Identifier: Apache-2.0
"""``softee doctor``: looks at everything, and says what is wrong and how to mend it."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import click

from softee.cli.doctor.client_settings import check_client_settings
from softee.cli.doctor.files import check_source, check_state
from softee.cli.doctor.finding import Finding, Verdict
from softee.cli.doctor.installation import check_cryptography, check_libraries, check_programs
from softee.cli.doctor.profiles import check_profiles
from softee.cli.doctor.restart import check_restart
from softee.cli.doctor.service import check_service
from softee.cli.options import config_option, json_option, path
from softee.cli.output import write_json
from softee.cli.settings import settings_from
from softee.cli.tables import Cell, Styled, print_table

_COLOURS = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red"}


@click.command()
@config_option
@path("--state", "The state directory; in `softee run`, that of its secure world.", "DIR", variable="SOFTEE_STATE")
@click.option("--root-key", metavar="SOURCE", envvar="SOFTEE_ROOT_KEY", help="The source of the root key; likewise.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, config: Path | None, state: Path | None, root_key: str | None, as_json: bool) -> None:
    """Say what is wrong with this installation and how to mend it. Exits 1 where something is wrong."""
    settings = settings_from(config=config, state=state, root_key=root_key)
    findings = list(
        chain(
            check_libraries(),
            check_cryptography(),
            check_source(settings.root_key, settings.state),
            check_state(settings.state),
            check_profiles(settings),
            check_client_settings(),
            check_service(settings.socket),
            check_restart(settings.state),
            check_programs(),
        )
    )
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        print_table(("check", "verdict", "what"), _rows(findings))
    ctx.exit(1 if any(finding.verdict == Verdict.WRONG for finding in findings) else 0)


def _rows(findings: list[Finding]) -> Iterator[tuple[Cell, ...]]:
    for finding in findings:
        yield finding.check, Styled(str(finding.verdict), _COLOURS[finding.verdict]), finding.what
        if finding.mend:
            yield "", "", f"to do: {finding.mend}"
