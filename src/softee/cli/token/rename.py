# SPDX-License-Identifier: Apache-2.0
"""``softee token rename``: another label, which PKCS#11 has for emptied tokens alone (C_InitToken)."""

from pathlib import Path

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.module import require_label
from softee.cli.cryptoki.options import on_a_module, pin_options
from softee.cli.cryptoki.refusals import SENTENCES
from softee.cli.failure import CliError
from softee.cli.options import json_option
from softee.cli.output import write_json
from softee.cli.pin import SO_VARIABLE, PinSource
from softee.cli.tables import printable
from softee.cli.token.ours import Place, place_of
from softee.cli.token_client import RefusedCommandError, token_client
from softee.names import CKR, CKU

_REFUSALS = dict(SENTENCES) | {CKR.FUNCTION_NOT_SUPPORTED: "The secure world that answers cannot rename tokens"}


@click.command()
@click.argument("label")
@on_a_module
@pin_options("SO's", "so-")
@json_option
def rename(label: str, *, token: TokenChoice, so_pin_file: Path | None, so_pin_fd: int | None, as_json: bool) -> None:
    """Give a token another LABEL. All that is on it stays, and so do its PINs.

    The SO's PIN comes from --so-pin-file, --so-pin-fd, SOFTEE_SO_PIN or a prompt. PKCS#11 has no function for this:
    only softee's tokens can be renamed, not those of another module.
    """
    require_label(label)
    with token.loaded() as module:
        found = token.among(module.tokens())
    place = place_of(found)
    if place is None:
        raise CliError(f'The token "{found.label}" is none of the secure world\'s, which alone renames its tokens.')
    so_pin = PinSource(so_pin_file, so_pin_fd, SO_VARIABLE).read(f"PIN of the SO of token {printable(found.label)}")
    try:
        _rename(place, label, so_pin)
    finally:
        so_pin.wipe()
    if as_json:
        write_json({"slot": found.slot, "label": label, "before": found.label})
    else:
        click.echo(printable(f'The token "{found.label}" is now called "{label}".'))


def _rename(place: Place, label: str, so_pin: bytearray) -> None:
    with token_client(place.socket) as client:
        session = client.open_session(place.slot, write=True)
        try:
            client.login(session, CKU.SO, so_pin)
            client.rename_token(session, label)
        except RefusedCommandError as error:
            sentence = _REFUSALS.get(CKR(error.rv)) if error.rv in set(CKR) else None
            raise CliError(f"{sentence} ({error})." if sentence else str(error)) from None
