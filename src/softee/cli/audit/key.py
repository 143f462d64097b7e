# SPDX-License-Identifier: Apache-2.0
"""``softee audit key``: for whoever verifies the log elsewhere."""

from pathlib import Path

import click

from softee.cli.audit.places import answering, end_of
from softee.cli.options import config_option, out_option, root_key_option, socket_option, state_option
from softee.cli.output import write_out
from softee.cli.settings import settings_from


@click.command()
@config_option
@state_option
@root_key_option
@socket_option
@out_option
def key(
    *, config: Path | None, state: Path | None, root_key: str | None, socket: Path | None, out: Path | None
) -> None:
    """Print the public key, in PEM, by which this installation signs its audit log: an Ed25519 key that never changes.

    Keep it where the log's files are verified (`softee audit verify --key`): it cannot be had from them.
    """
    settings = settings_from(config=config, state=state, root_key=root_key)
    write_out(end_of(settings, answering(socket, state)).public_key.encode(), out)
