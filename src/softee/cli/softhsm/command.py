# SPDX-License-Identifier: Apache-2.0
"""``softee import softhsm``: what is on a token of SoftHSM2's goes on another token, object by object."""

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.described import CLASSES
from softee.cli.cryptoki.kinds import number
from softee.cli.cryptoki.options import on_a_token, pin_options
from softee.cli.cryptoki.refusals import RefusedError
from softee.cli.cryptoki.session import Session
from softee.cli.failure import CliError
from softee.cli.options import json_option
from softee.cli.output import write_json
from softee.cli.pin import PinSource
from softee.cli.softhsm.place import USER_PIN, label_of, the_token, token_folder
from softee.cli.softhsm.secrets import unlocked
from softee.cli.softhsm.stored import BadStoreError, StoredObject, StoredToken
from softee.cli.softhsm.templates import Attributes, NotTakenError, opened, template_of
from softee.cli.tables import print_table, progress
from softee.names import CKA
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes

_VARIABLE = "SOFTEE_FROM_PIN"
_NAMES = (CKA.CLASS, CKA.LABEL, CKA.ID)

Name = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an object; ``why`` says why it was not taken, ``left_out`` what does not hold of it any more."""

    object_class: str
    label: str
    id: str
    taken: bool
    why: str | None
    left_out: list[str]


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--from", "label", metavar="LABEL", help="The token's label; needed where FOLDER has several.")
@pin_options("SoftHSM2 user's", "from-")
@on_a_token
@json_option
@click.pass_context
def softhsm(
    ctx: click.Context,
    *,
    folder: Path | None,
    label: str | None,
    from_pin_file: Path | None,
    from_pin_fd: int | None,
    token: TokenChoice,
    as_json: bool,
) -> None:
    """Put what is on a token of SoftHSM2's on a token: keys that are not extractable too, certificates and data.

    FOLDER is where SoftHSM2 has its tokens (directories.tokendir), or one of them, by files or by SQLite; without it
    SoftHSM2's configuration is asked. It is read only, and no program should change it meanwhile. The PIN of its user
    comes from --from-pin-file, --from-pin-fd, SOFTEE_FROM_PIN or a prompt, that of the other token as ever. Done again,
    it takes what is not there yet. Exits 1 where something was not taken.
    """
    stored = the_token(folder or token_folder(), label)
    key = _unlocked(stored, PinSource(from_pin_file, from_pin_fd, _VARIABLE))
    with token.session(write=True) as session:
        there = {_name_of(session, handle) for handle in session.find({})}
        outcomes = [_take(session, one, key, there) for one in progress("Objects")(stored.objects)]
    if as_json:
        write_json([asdict(outcome) for outcome in outcomes])
    else:
        _tell(outcomes)
    ctx.exit(0 if all(outcome.taken for outcome in outcomes) else 1)


def _unlocked(token: StoredToken, source: PinSource) -> SecretBytes:
    """Return the key of a token's private objects."""
    blob = token.about.attributes.get(USER_PIN)
    if not isinstance(blob, bytes):
        raise CliError("The user of SoftHSM2's token has no PIN; then there is nothing private on it that anybody has.")
    pin = source.read(f"PIN of the user of SoftHSM2's token {label_of(token)}")
    try:
        key = unlocked(blob, pin)
    except BadStoreError as error:
        raise CliError(f"SoftHSM2's token cannot be read: {error}.") from None
    finally:
        pin.wipe()
    if key is None:
        raise CliError("This is not the PIN of the user of SoftHSM2's token.")
    return key


def _take(session: Session, stored: StoredObject, key: SecretBytes, there: set[Name]) -> Outcome:
    attributes: Attributes = {}
    try:
        attributes = opened(stored, key)
        taken = template_of(attributes)
        if _named(attributes) not in there:
            session.create(taken.template)
    except (NotTakenError, RefusedError) as error:
        return _outcome(stored, attributes, str(error).rstrip("."), [])
    return _outcome(stored, attributes, None, taken.left_out)


def _outcome(stored: StoredObject, attributes: Attributes, why: str | None, left_out: list[str]) -> Outcome:
    object_class, label, key_id = _named(attributes)
    shown = CLASSES.get(object_class, stored.name)
    return Outcome(shown, label.decode(errors="replace"), key_id.hex(), why is None, why, left_out)


def _named(attributes: Attributes) -> Name:
    object_class, label, key_id = (attributes.get(one, b"") for one in _NAMES)
    return (
        object_class if isinstance(object_class, int) else -1,
        bytes(label) if isinstance(label, bytes | bytearray) else b"",
        bytes(key_id) if isinstance(key_id, bytes | bytearray) else b"",
    )


def _name_of(session: Session, handle: int) -> Name:
    found = session.attributes(handle, _NAMES)
    return number(found, CKA.CLASS), found.get(CKA.LABEL, b""), found.get(CKA.ID, b"")


def _tell(outcomes: list[Outcome]) -> None:
    rows = [(one.object_class, one.label, one.id, one.why or "taken") for one in outcomes]
    print_table(("class", "label", "id", "what became of it"), rows)
    left_out = sorted({name for one in outcomes for name in one.left_out})
    if left_out:
        click.echo(f"Does not come along, since the objects were made elsewhere: {', '.join(left_out)}.")
