# SPDX-License-Identifier: Apache-2.0
"""``softee token move`` and ``softee token import``: one token goes to another installation, with all that is on it."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softee.cli.cryptoki.options import pin_options
from softee.cli.failure import CliError, state_failures
from softee.cli.options import config_option, json_option, path, root_key_option, state_option, yes_option
from softee.cli.output import confirm, write_json
from softee.cli.passphrase import lent, with_passphrase
from softee.cli.pin import SO_VARIABLE, PinSource
from softee.cli.settings import settings_from
from softee.cli.tables import printable
from softee.names import CKU

if TYPE_CHECKING:
    from softee.daemon.at_rest.moving import Destination
    from softee.pkcs11_ta.token.token import Token

_SLOT = click.option("--slot", type=int, metavar="N", help="The empty slot that it gets; else the first.")


def _with_both_pins(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command ``pins``, by whose they are."""

    @wraps(command)
    def packed(
        *,
        pin_file: Path | None,
        pin_fd: int | None,
        so_pin_file: Path | None,
        so_pin_fd: int | None,
        **rest: object,
    ) -> object:
        pins = {CKU.USER: PinSource(pin_file, pin_fd), CKU.SO: PinSource(so_pin_file, so_pin_fd, SO_VARIABLE)}
        return command(pins=pins, **rest)

    return pin_options("user's", "")(pin_options("SO's", "so-")(packed))


@click.command()
@click.argument("label")
@path("--to-file", "Into a new file that a passphrase opens; `softee token import` takes it from there.")
@path("--to-state", "Into the state in this directory, made where there is none.", "DIR")
@click.option("--to-root-key", metavar="SOURCE", help="What opens that state, made where missing.")
@path("--to-config", "The settings of that state, where it has some of its own (an anchor).")
@_SLOT
@_with_both_pins
@with_passphrase
@config_option
@state_option
@root_key_option
@yes_option
@json_option
def move(
    *,
    label: str,
    to_file: Path | None,
    to_state: Path | None,
    to_root_key: str | None,
    to_config: Path | None,
    slot: int | None,
    pins: dict[CKU, PinSource],
    passphrase: PinSource,
    config: Path | None,
    state: Path | None,
    root_key: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Move the token LABEL out of a state: into another state here, or into a file for another machine.

    It takes the root key, and the PINs of the user and of the security officer, which the token keeps; and no secure
    world may use the state meanwhile. The slot is emptied when the token is on the disk elsewhere. Its serial number
    changes. Where --yes is not given, that is asked first.
    """
    from softee.daemon.at_rest.moving import move_to_file, move_to_state  # noqa: PLC0415 - the help needs no cryptography

    if (to_file is None) is (to_state is None and to_config is None):
        raise CliError("Say where the token goes: --to-file FILE, or --to-state DIR with --to-root-key.", 2)
    settings = settings_from(config=config, state=state, root_key=root_key)
    confirm(f'This takes the token "{label}" out of {settings.state}.', yes=yes)
    if to_file is None:
        with state_failures():
            moved = move_to_state(settings, label, _asking(pins, label), _other(to_config, to_state, to_root_key, slot))
        _tell(moved, as_json=as_json)
        return
    file = to_file.absolute()
    with lent(passphrase, f"New passphrase of {file}", new=True) as secret, state_failures():
        move_to_file(settings, label, _asking(pins, label), file, secret)
    if as_json:
        write_json({"file": str(file), "label": label})
    else:
        said = f'The token "{label}" is in {file} now, and nowhere else: run `softee token import` where it goes.'
        click.echo(printable(said))


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--token", "label", metavar="LABEL", help="The token's label; needed where the file has several.")
@_SLOT
@_with_both_pins
@with_passphrase
@config_option
@state_option
@root_key_option
@json_option
def import_(
    *,
    file: Path,
    label: str | None,
    slot: int | None,
    pins: dict[CKU, PinSource],
    passphrase: PinSource,
    config: Path | None,
    state: Path | None,
    root_key: str | None,
    as_json: bool,
) -> None:
    """Put the token in FILE, which `softee token move` or `softee backup --encrypted` made, into an empty slot.

    It takes the token's PINs and the file's passphrase, and a state that no secure world uses meanwhile. The file
    stays as it is: destroy it, for whoever tries PINs on a second copy has the tries of a PIN once more.
    """
    from softee.daemon.at_rest.moving import Destination, import_token  # noqa: PLC0415 - the help needs no cryptography

    there = Destination(settings_from(config=config, state=state, root_key=root_key), slot)
    with lent(passphrase, f"Passphrase of {file}") as secret, state_failures():
        moved = import_token(file, secret, _asking(pins, label), there, label)
    _tell(moved, as_json=as_json)


def _asking(pins: dict[CKU, PinSource], label: str | None) -> Callable[[CKU], bytearray]:
    of_token = f" of token {printable(label)}" if label else ""

    def ask(user: CKU) -> bytearray:
        whose = "SO" if user is CKU.SO else "user"
        return pins[user].read(f"PIN of the {whose}{of_token}")

    return ask


def _other(config: Path | None, state: Path | None, root_key: str | None, slot: int | None) -> "Destination":
    """Return the other state. The anchor of this machine's settings is not its own, if it has no settings."""
    import msgspec  # noqa: PLC0415 - as above

    from softee.daemon.at_rest.moving import Destination  # noqa: PLC0415

    settings = settings_from(config=config, state=state, root_key=root_key)
    return Destination(settings if config else msgspec.structs.replace(settings, anchor=None), slot)


def _tell(token: "Token", *, as_json: bool) -> None:
    from softee.daemon.at_rest.moving import label_of  # noqa: PLC0415 - as above

    label = label_of(token)
    if as_json:
        write_json({"label": label, "slot": token.slot, "serial": token.serial_number})
    else:
        serial = f"Its serial number is {token.serial_number}, where a URI names it by that."
        click.echo(printable(f'The token "{label}" is in slot {token.slot} now, and has its PINs. {serial}'))
