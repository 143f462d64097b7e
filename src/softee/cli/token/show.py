# SPDX-License-Identifier: Apache-2.0
"""``softee token list`` and ``softee token show``."""

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.module import Token
from softee.cli.cryptoki.options import on_a_module
from softee.cli.cryptoki.uri import uri_of
from softee.cli.options import json_option
from softee.cli.output import write_json
from softee.cli.tables import Cell, Styled, print_fields, print_table
from softee.names import CKM, TokenFlag


@click.command("list")
@on_a_module
@json_option
def list_(*, token: TokenChoice, as_json: bool) -> None:
    """List the slots that have a token, initialized or not."""
    with token.loaded() as module:
        found = [one for one in module.tokens() if token.means(one)]
    if as_json:
        write_json([as_dict(one) for one in found])
    else:
        print_table(("slot", "label", "model", "serial", "PIN", "uri"), map(_row, found))


@click.command()
@on_a_module
@json_option
def show(*, token: TokenChoice, as_json: bool) -> None:
    """Show what a token says of itself, and its mechanisms."""
    with token.loaded() as module:
        found = token.among(module.tokens())
        names = [_mechanism(number) for number in module.mechanisms(found.slot)]
    if as_json:
        write_json(as_dict(found) | {"mechanisms": names})
        return
    fields = as_dict(found) | {"flags": ", ".join(flag_names(found)), "mechanisms": ", ".join(names)}
    print_fields((name, str(value)) for name, value in fields.items())


def as_dict(token: Token) -> dict[str, object]:
    """Return what programs are told of a token."""
    return {
        "slot": token.slot,
        "label": token.label if token.initialized else None,
        "manufacturer": token.manufacturer,
        "model": token.model,
        "serial": token.serial,
        "initialized": token.initialized,
        "flags": flag_names(token),
        "uri": str(uri_of(token)) if token.initialized else None,
    }


def flag_names(token: Token) -> list[str]:
    """Return a token's CKF_* flags in words."""
    return [str(flag.name).lower().replace("_", " ") for flag in TokenFlag if flag in token.flags]


def _row(token: Token) -> tuple[Cell, ...]:
    if not token.initialized:
        return str(token.slot), Styled("uninitialized", "bright_black"), token.model, token.serial, "", ""
    return str(token.slot), token.label, token.model, token.serial, _pin(token.flags), str(uri_of(token))


def _pin(flags: TokenFlag) -> str:
    """Say how it stands with the user's PIN."""
    for flag, words in _PIN_STATES.items():
        if flag in flags:
            return words
    return "none"


_PIN_STATES = {
    TokenFlag.USER_PIN_LOCKED: "locked",
    TokenFlag.USER_PIN_FINAL_TRY: "one try left",
    TokenFlag.USER_PIN_COUNT_LOW: "was wrong",
    TokenFlag.USER_PIN_TO_BE_CHANGED: "to be changed",
    TokenFlag.USER_PIN_INITIALIZED: "set",
}
"""In the order in which they count."""


def _mechanism(number: int) -> str:
    return f"CKM_{CKM(number).name}" if number in set(CKM) else f"{number:#x}"
