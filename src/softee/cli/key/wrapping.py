# SPDX-License-Identifier: Apache-2.0
"""``softee key wrap`` and ``softee key unwrap``: keys, encrypted with an AES key of a token (NIST SP 800-38F)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from softee.cli.cryptoki.choice import TokenChoice, the_one
from softee.cli.cryptoki.described import KEYS
from softee.cli.cryptoki.kinds import KINDS, USES, WRAPPING, guarded, key_attributes
from softee.cli.cryptoki.options import named, naming_a_new_object, on_a_token, on_objects
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.key.making import new_id, told
from softee.cli.options import json_option, out_option
from softee.cli.output import read_in, write_out
from softee.names import CKM, CKO, MechanismFlag

_FAMILIES: Final = {name.partition(":")[0]: kind for name, kind in KINDS.items()}


def _by(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name the AES key that wraps."""
    for option in (
        click.option("--by-id", metavar="HEX", help="The CKA_ID of the AES key that encrypts."),
        click.option("--by-label", metavar="TEXT", help="Its label."),
        click.option("--by-uri", metavar="URI", help="Its PKCS#11 URI."),
    ):
        command = option(command)
    return command


@click.command()
@on_objects
@_by
@on_a_token
@out_option
def wrap(
    *,
    token: TokenChoice,
    name: Uri,
    by_id: str | None,
    by_label: str | None,
    by_uri: str | None,
    out: Path | None,
) -> None:
    """Write a private or secret key, encrypted with an AES key of the same token, into a file.

    The key must have been made with --extractable, the AES key with --use wrap. AES Key Wrap with Padding is used.
    """
    if out is None:
        raise CliError("Name a file with --out: what is written is not text.", 2)
    by = named(by_uri, by_label, by_id)
    with token.session(name) as session:
        wanted = the_one(session, name, "key", (CKO.PRIVATE_KEY, CKO.SECRET_KEY))
        write_out(session.wrap(*_wrapping(session, by, MechanismFlag.WRAP), wanted), out)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--type", "family", type=click.Choice(list(_FAMILIES)), required=True, help="The type of the key in the file."
)
@naming_a_new_object
@click.option("--use", "uses", type=click.Choice(list(USES)), multiple=True, help="What it is for.")
@click.option("--extractable", is_flag=True, help="It may leave the token again, wrapped with another key.")
@_by
@on_a_token
@json_option
def unwrap(
    file: Path,
    *,
    token: TokenChoice,
    family: str,
    label: str,
    key_id: str | None,
    uses: tuple[str, ...],
    extractable: bool,
    by_id: str | None,
    by_label: str | None,
    by_uri: str | None,
    as_json: bool,
) -> None:
    """Make a key of FILE, which `softee key wrap` has written, on a token."""
    kind, by, wrapped = _FAMILIES[family], named(by_uri, by_label, by_id), read_in(file)
    key_class = CKO.SECRET_KEY if kind.public is None else CKO.PRIVATE_KEY
    with token.session(write=True) as session:
        mechanism, key = _wrapping(session, by, MechanismFlag.UNWRAP)
        made = key_attributes(key_class, kind.key_type, label, new_id(session, key_id, KEYS), uses or kind.uses)
        handle = session.unwrap(mechanism, key, wrapped, made | guarded(extractable=extractable))
        told(session, handle, as_json=as_json)


def _wrapping(session: Session, by: Uri, use: MechanismFlag) -> tuple[CKM, int]:
    """Return the mechanism that the token has for AES keys, and the named key's handle. Raises CliError."""
    key = the_one(session, by, "AES key that encrypts", (CKO.SECRET_KEY,))
    for mechanism in WRAPPING:
        if session.module.can(session.token.slot, mechanism, use):
            return mechanism, key
    raise CliError("The token has no AES key wrap with padding.")
