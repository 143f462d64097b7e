# SPDX-License-Identifier: Apache-2.0
"""``softee setup``."""

import os
from pathlib import Path

import click

from softee.cli.failure import CliError
from softee.cli.options import path


@click.command()
@click.option("--remove", is_flag=True, help="Undo it. Keys stay, with the user whose they are.")
@path("--root", "The root directory of another system, as that of an image.", "DIR")
def setup(*, remove: bool, root: Path | None) -> None:
    """Set the system's secure world up: user, folders, settings, units of systemd, the module for programs.

    Packages do the same; this is for machines without one. Each thing that is done is said. What is there already
    stays, and so do settings that were changed. It takes root.
    """
    from softee.cli.setup.machine import Machine  # noqa: PLC0415 - no other command needs this code
    from softee.cli.setup.work import program, set_up, take_away  # noqa: PLC0415 - likewise

    if os.geteuid() != 0:
        raise CliError("Only root can set the system's secure world up; a user's own needs nothing: `softee run`.")
    machine = Machine(root.absolute() if root else Path("/"))
    for done in (take_away if remove else set_up)(machine, program()):
        click.echo(done)
