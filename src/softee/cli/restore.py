# SPDX-License-Identifier: Apache-2.0
"""``softee restore``: a state comes back from a file that a passphrase opens, on this machine or on another one."""

from dataclasses import asdict
from pathlib import Path

import click

from softee.cli.failure import state_failures
from softee.cli.options import config_option, json_option, root_key_option, state_option
from softee.cli.output import write_json
from softee.cli.passphrase import lent, with_passphrase
from softee.cli.pin import PinSource
from softee.cli.settings import settings_from
from softee.cli.tables import busy
from softee.cli.verify import report_lines


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Set a state that is there aside, into a folder beside it.")
@click.option("--damaged", is_flag=True, help="Also a backup in which something is damaged, for what is good.")
@with_passphrase
@config_option
@state_option
@root_key_option
@json_option
def restore(
    *,
    file: Path,
    replace: bool,
    damaged: bool,
    passphrase: PinSource,
    config: Path | None,
    state: Path | None,
    root_key: str | None,
    as_json: bool,
) -> None:
    """Put back the state in FILE, which `softee backup --encrypted` made, under the root key of this machine.

    The root key is made where there is none yet. No secure world may use the state meanwhile. Every record is looked
    at before anything is replaced. Keys and PINs are as they were when the backup was made, tries of PINs too.
    """
    from softee.daemon.at_rest.restoring import restore as restore_state  # noqa: PLC0415 - the help needs no cryptography

    settings = settings_from(config=config, state=state, root_key=root_key)
    with lent(passphrase, f"Passphrase of {file}") as secret, state_failures(), busy("Every record is looked at."):
        restored = restore_state(settings, file, secret, replace=replace, damaged=damaged)
    if as_json:
        kept = str(restored.kept) if restored.kept else None
        tokens = [asdict(report) for report in restored.reports]
        write_json({"state": str(settings.state), "kept": kept, "found": tokens})
        return
    for line in report_lines(restored.reports):
        click.echo(line)
    click.echo(f"The state {settings.state} is as it was in the backup. It opens with {settings.root_key}.")
    if restored.kept:
        click.echo(f"What was there before is in {restored.kept}; delete it when it is not needed any more.")
