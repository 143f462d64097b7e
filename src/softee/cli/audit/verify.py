# SPDX-License-Identifier: Apache-2.0
"""``softee audit verify``: is the log as it was written."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softee.cli.audit.places import CANNOT_LOOK, answering, chosen_files, end_of, files_argument
from softee.cli.failure import CliError
from softee.cli.options import config_option, json_option, path, root_key_option, socket_option, state_option
from softee.cli.output import read_in, write_json
from softee.cli.settings import settings_from
from softee.cli.tables import printable

if TYPE_CHECKING:
    from softee.daemon.settings import Settings
    from softee.tee.audit_verification import AuditReport, Finding


@click.command()
@files_argument()
@path("--key", "The public key of the log: with it nobody is asked how the log ends.")
@click.option("--complete", is_flag=True, help="Call it damage as well if the log does not begin with line 1.")
@config_option
@state_option
@root_key_option
@socket_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    files: tuple[Path, ...],
    key: Path | None,
    complete: bool,
    config: Path | None,
    state: Path | None,
    root_key: str | None,
    socket: Path | None,
    as_json: bool,
) -> None:
    """Look at every line of the audit log, or of the FILEs that are given, and say what was changed, cut or dropped.

    The secure world that answers says how the log ends, as root or its own user asks; where none answers, or with
    --state, the state does that no secure world uses. With --key the log is verified anywhere, as far as it is signed.

    Exits 1 where something is wrong, 2 where it cannot be looked at.
    """
    settings = settings_from(config=config, state=state, root_key=root_key)
    report = _verified(settings, files, key, answering(socket, state) if key is None else None)
    if complete and report.first > 1:
        report.findings.insert(0, _beginning(report))
    if as_json:
        write_json(asdict(report))
    else:
        for line in _lines(report):
            click.echo(line)
    ctx.exit(1 if report.findings else 0)


def _verified(settings: "Settings", files: tuple[Path, ...], key: Path | None, socket: Path | None) -> "AuditReport":
    from softee.daemon.audit.end import read_lines  # noqa: PLC0415 - the help does not wait for cryptography
    from softee.tee.audit_verification import KeyTextError, load_key, verify_lines  # noqa: PLC0415 - as above

    vouch = end_of(settings, socket) if key is None else None
    text = vouch.public_key if vouch else read_in(key or Path())
    try:
        public = load_key(text)
        lines = read_lines(chosen_files(files, settings))
        return verify_lines(lines, public, vouch, (lambda: end_of(settings, socket)) if socket else None)
    except KeyTextError as error:
        raise CliError(f"{key} is no key of an audit log: {error}.", CANNOT_LOOK) from None
    except OSError as error:
        raise CliError(f"{error.filename} cannot be read: {error.strerror}.", CANNOT_LOOK) from None


def _beginning(report: "AuditReport") -> "Finding":
    from softee.tee.audit_verification import Finding  # noqa: PLC0415 - as above

    return Finding("before the first line", f"lines 1 to {report.first - 1} are missing")


def _lines(report: "AuditReport") -> Iterator[str]:
    for finding in report.findings:
        yield f"{printable(finding.where)}: {printable(finding.what)}"
    if not report.lines:
        yield "There are no lines."
        return
    yield f"Lines {report.first} to {report.last}, {report.lines} in all."
    if report.first > 1:
        yield f"Lines 1 to {report.first - 1} are not here: fine if their files were moved away."
    if report.left_out:
        yield f"Events that could not be written, as the log itself says: {report.left_out}."
    yield _proof(report)
    if report.findings:
        yield f"The log is not as it was written: {len(report.findings)} findings."


def _proof(report: "AuditReport") -> str:
    if report.newest is not None:
        return f"The secure world says that line {report.newest} is the newest."
    if not report.signed:
        return "None of them is signed: nothing is proven."
    rest = report.last - report.signed
    unsigned = f"; the last {rest} lines are not signed yet, and prove nothing" if rest else ""
    return f"They are signed up to line {report.signed}{unsigned}."
