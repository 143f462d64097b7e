# SPDX-License-Identifier: Apache-2.0
"""``softee token unlock``: the way back for who knows the PIN that others have locked."""

from pathlib import Path

import click

from softee.cli.cryptoki.options import pin_options
from softee.cli.failure import state_failures
from softee.cli.options import config_option, root_key_option, state_option
from softee.cli.pin import SO_VARIABLE, VARIABLE, PinSource
from softee.cli.settings import settings_from
from softee.cli.tables import printable
from softee.names import CKU


@click.command()
@click.argument("label")
@click.option("--so", is_flag=True, help="The security officer's PIN instead of the user's.")
@pin_options("right", "")
@config_option
@state_option
@root_key_option
def unlock(
    *,
    label: str,
    so: bool,
    pin_file: Path | None,
    pin_fd: int | None,
    config: Path | None,
    state: Path | None,
    root_key: str | None,
) -> None:
    """Forget the wrong tries that have locked a PIN of the token LABEL.

    It takes the root key and the right PIN, and a state that no secure world uses meanwhile. The SO can also set the
    user's PIN anew (C_InitPIN), which unlocks it as well.
    """
    from softee.daemon.at_rest.unlocking import unlock as unlock_pin  # noqa: PLC0415 - the help needs no cryptography

    settings = settings_from(config=config, state=state, root_key=root_key)
    whose = "security officer" if so else "user"
    source = PinSource(pin_file, pin_fd, SO_VARIABLE if so else VARIABLE)
    pin = source.read(f"PIN of the {whose} of token {printable(label)}")
    try:
        with state_failures():
            unlock_pin(settings, label, CKU.SO if so else CKU.USER, pin)
    finally:
        pin.wipe()
    click.echo(f'The PIN of the {whose} of token "{printable(label)}" is unlocked.')
