# SPDX-License-Identifier: Apache-2.0
"""The options by which a command line names a token and objects, packed into one argument each."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.options import Decorator, path
from softee.cli.output import hexadecimal
from softee.cli.pin import PinSource

Command = Callable[..., Any]

_TOKEN = (
    click.option(
        "--module",
        type=click.Path(path_type=Path),
        envvar="SOFTEE_MODULE",
        help="Another PKCS#11 module than softee's; also SOFTEE_MODULE.",
    ),
    click.option("--token", metavar="LABEL", help="The token's label; needed where several are initialized."),
    click.option("--slot", type=int, metavar="N", help="The token's slot."),
)
_PIN = (
    path("--pin-file", "A file whose first line is the PIN; else SOFTEE_PIN, or a prompt."),
    click.option("--pin-fd", type=int, metavar="N", help="A descriptor from which the PIN is read."),
)
_LOGIN = click.option("--no-login", is_flag=True, help="See what is public, and ask for no PIN.")


def on_a_module(command: Command) -> Command:
    """Hand a command the ``token`` that its options name, of which no PIN is known."""

    @wraps(command)
    def packed(*, module: Path | None, token: str | None, slot: int | None, **rest: object) -> object:
        return command(token=TokenChoice(module, token, slot), **rest)

    return _with(packed, *_TOKEN)


def on_a_token(command: Command) -> Command:
    """Hand a command the ``token`` that its options name, with its user's PIN."""

    @wraps(command)
    def packed(
        *,
        module: Path | None,
        token: str | None,
        slot: int | None,
        pin_file: Path | None,
        pin_fd: int | None,
        **rest: object,
    ) -> object:
        return command(token=TokenChoice(module, token, slot, PinSource(pin_file, pin_fd)), **rest)

    return _with(packed, *_TOKEN, *_PIN)


def pin_options(whose: str, prefix: str) -> Decorator:
    """Return the two options by which a PIN is given, with names that begin with ``prefix``."""
    file = path(f"--{prefix}pin-file", f"A file whose first line is the {whose} PIN.")
    descriptor = click.option(
        f"--{prefix}pin-fd", type=int, metavar="N", help=f"A descriptor from which the {whose} PIN is read."
    )
    return lambda command: file(descriptor(command))


def login_if_wanted(command: Command) -> Command:
    """Let --no-login leave the login out, of a command that is ``on_a_token``."""

    @wraps(command)
    def packed(*, token: TokenChoice, no_login: bool, **rest: object) -> object:
        return command(token=token.without_login() if no_login else token, **rest)

    return _with(packed, _LOGIN)


def on_objects(command: Command) -> Command:
    """Hand a command the ``name`` of objects, a Uri."""

    @wraps(command)
    def packed(*, uri: str | None, label: str | None, key_id: str | None, **rest: object) -> object:
        return command(name=named(uri, label, key_id), **rest)

    return _with(
        packed,
        click.argument("uri", required=False),
        click.option("--label", metavar="TEXT", help="The object's label (CKA_LABEL)."),
        click.option("--id", "key_id", metavar="HEX", help="The object's CKA_ID."),
    )


def naming_a_new_object(command: Command) -> Command:
    """Hand a command the ``label`` and the ``key_id`` of what it makes."""
    return _with(
        command,
        click.option("--label", metavar="TEXT", default="", help="The label that it gets (CKA_LABEL)."),
        click.option("--id", "key_id", metavar="HEX", help="The CKA_ID that it gets."),
    )


def named(uri: str | None, label: str | None, key_id: str | None) -> Uri:
    """Return a name that is given by a URI, or by label and identifier.

    Raises:
        CliError: it is given both ways, or is not well formed.

    """
    if uri is None:
        return Uri(label=label, id=None if key_id is None else hexadecimal(key_id, "--id"))
    if label is not None or key_id is not None:
        raise CliError("Name an object by its URI, or by --label and --id, not by both.", 2)
    return Uri.parse(uri)


def _with(command: Command, *options: Decorator) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
