# SPDX-License-Identifier: Apache-2.0
"""``softee token set-pin``: C_SetPIN and C_InitPIN."""

from pathlib import Path

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.options import on_a_module, pin_options
from softee.cli.cryptoki.session import opened
from softee.cli.pin import NEW_VARIABLE, SO_VARIABLE, VARIABLE, PinSource, user_prompt
from softee.cli.tables import printable
from softee.names import CKU


@click.command()
@on_a_module
@click.option("--so", is_flag=True, help="As the SO, set the user's PIN: the first one, or after it was locked.")
@click.option("--of-so", is_flag=True, help="Change the SO's PIN instead.")
@pin_options("old", "")
@pin_options("new", "new-")
def set_pin(
    *,
    token: TokenChoice,
    so: bool,
    of_so: bool,
    pin_file: Path | None,
    pin_fd: int | None,
    new_pin_file: Path | None,
    new_pin_fd: int | None,
) -> None:
    """Change the PIN of a token's user, or of its SO.

    The old PIN, with --so and --of-so the SO's, comes from --pin-file, --pin-fd, SOFTEE_PIN (the SO's from
    SOFTEE_SO_PIN) or a prompt; the new one from --new-pin-file, --new-pin-fd, SOFTEE_NEW_PIN or a prompt.
    """
    as_so = so or of_so
    with token.loaded() as module:
        found = token.among(module.tokens())
        prompt = f"PIN of the SO of token {printable(found.label)}" if as_so else user_prompt(found.label)
        old = PinSource(pin_file, pin_fd, SO_VARIABLE if as_so else VARIABLE).read(prompt)
        with opened(module, found, write=True) as session:
            session.login(CKU.SO if as_so else CKU.USER, old)
            new = PinSource(new_pin_file, new_pin_fd, NEW_VARIABLE).read("New PIN", new=True)
            if so and not of_so:
                session.init_pin(new)
            else:
                session.set_pin(old, new)
    click.echo(f'The PIN of the {"SO" if of_so else "user"} of token "{printable(found.label)}" is changed.')
