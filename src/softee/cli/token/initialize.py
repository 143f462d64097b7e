# SPDX-License-Identifier: Apache-2.0
"""``softee token init`` and ``softee token wipe``: C_InitToken, which destroys what was there."""

from pathlib import Path

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.module import Module, Token
from softee.cli.cryptoki.options import on_a_module, pin_options
from softee.cli.cryptoki.refusals import RefusedError
from softee.cli.cryptoki.session import opened
from softee.cli.failure import CliError
from softee.cli.options import json_option, yes_option
from softee.cli.output import confirm, write_json
from softee.cli.pin import SO_VARIABLE, PinSource
from softee.cli.tables import printable
from softee.cli.token.show import as_dict
from softee.cli.token.shutting import shut
from softee.names import CKR, CKU


@click.command()
@click.argument("label")
@on_a_module
@pin_options("user's", "")
@pin_options("SO's", "so-")
@yes_option
@json_option
def init(
    label: str,
    *,
    token: TokenChoice,
    pin_file: Path | None,
    pin_fd: int | None,
    so_pin_file: Path | None,
    so_pin_fd: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Initialize a token, give it a LABEL, and set the PINs of the security officer (SO) and of the user.

    Without --slot and --token it is the first that is not initialized yet. One that is, is emptied, after a question,
    as `softee token wipe` does it.
    """
    with token.loaded() as module:
        found = _to_be_initialized(token, module.tokens())
        if found.initialized:
            confirm(f'This destroys all that is on the token "{found.label}" in slot {found.slot}.', yes=yes)
        so_pin = PinSource(so_pin_file, so_pin_fd, SO_VARIABLE).read("PIN of the SO", new=not found.initialized)
        pin = PinSource(pin_file, pin_fd).read("PIN of the user", new=True)
        found.require_length(so_pin, pin)
        _empty(module, found, label, so_pin, yes=yes)
        made = _same_slot(module, found, label)
        with opened(module, made, write=True) as session:
            session.login(CKU.SO, so_pin)
            session.init_pin(pin)
        made = _same_slot(module, made, label)
    if as_json:
        write_json(as_dict(made))
    else:
        click.echo(f'The token "{label}" in slot {made.slot} is ready.')


@click.command()
@on_a_module
@pin_options("SO's", "so-")
@yes_option
@json_option
def wipe(*, token: TokenChoice, so_pin_file: Path | None, so_pin_fd: int | None, yes: bool, as_json: bool) -> None:
    """Destroy all that is on a token. Its label and the SO's PIN stay; the user's PIN is gone.

    Programs that have sessions with a token of softee's lose them, where root or the secure world's own user asks for
    it: they get CKR_SESSION_HANDLE_INVALID from then on. Others have to wait until these sessions end.
    """
    with token.loaded() as module:
        found = token.among(module.tokens())
        confirm(f'This destroys all that is on the token "{found.label}" in slot {found.slot}.', yes=yes)
        so_pin = PinSource(so_pin_file, so_pin_fd, SO_VARIABLE).read("PIN of the SO")
        ended = _empty(module, found, found.label, so_pin, yes=yes)
    if as_json:
        write_json({"slot": found.slot, "label": found.label, "sessions_ended": ended})
        return
    said = f'The token "{found.label}" in slot {found.slot} is empty; `softee token set-pin --so` sets a user PIN.'
    click.echo(printable(said))
    if ended:
        click.echo(f"{ended} sessions that programs had with it were ended.")


def _empty(module: Module, token: Token, label: str, so_pin: bytearray, *, yes: bool) -> int:
    """Initialize a token; where programs have sessions with it, after these. Returns how many were ended."""
    try:
        module.init_token(token.slot, label, so_pin)
    except RefusedError as error:
        if error.rv != CKR.SESSION_EXISTS:
            raise
        refused = error
    else:
        return 0
    with opened(module, token, write=True) as session:
        session.login(CKU.SO, so_pin)  # a wrong PIN ends nobody's sessions
    confirm(f'Programs have sessions with the token "{token.label}", which are ended.', yes=yes)
    with shut(token) as ended:
        if ended is None:
            raise refused
        module.init_token(token.slot, label, so_pin)
    return ended


def _to_be_initialized(choice: TokenChoice, tokens: list[Token]) -> Token:
    if choice.slot is not None or choice.label is not None:
        return choice.among(tokens)
    fresh = [token for token in tokens if not token.initialized]
    if not fresh:
        raise CliError("Every token is initialized; name the one to be emptied by --slot or --token.")
    return fresh[0]


def _same_slot(module: Module, before: Token, label: str) -> Token:
    """Return a token after it was initialized: in its slot, or in another one that has its label (SoftHSM's move)."""
    tokens = module.tokens()
    same = [token for token in tokens if token.slot == before.slot and token.initialized]
    return next(iter(same), None) or next(token for token in tokens if token.initialized and token.label == label)
