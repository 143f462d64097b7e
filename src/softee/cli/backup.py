# SPDX-License-Identifier: Apache-2.0
"""``softee backup``: a copy of the state, while the secure world runs or not, sealed or in a file of its own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from softee.cli.failure import CliError, state_failures
from softee.cli.operator_session import operator_session
from softee.cli.options import config_option, json_option, root_key_option, socket_option, state_option
from softee.cli.output import write_json
from softee.cli.passphrase import lent, with_passphrase
from softee.cli.pin import PinSource
from softee.cli.places import answering_socket
from softee.cli.settings import settings_from
from softee.cli.tables import progress
from softee.names import OperatorCommand

if TYPE_CHECKING:
    from softee.daemon.at_rest.portable import Row
    from softee.daemon.settings import Settings


@click.command()
@click.argument("target", metavar="DIRECTORY|FILE", type=click.Path(path_type=Path))
@click.option("--encrypted", is_flag=True, help="One FILE that a passphrase opens, on any machine, without a root key.")
@with_passphrase
@config_option
@state_option
@root_key_option
@socket_option
@json_option
def backup(
    *,
    target: Path,
    encrypted: bool,
    passphrase: PinSource,
    config: Path | None,
    state: Path | None,
    root_key: str | None,
    socket: Path | None,
    as_json: bool,
) -> None:
    """Copy the state, all tokens at one moment, into a new directory, or with --encrypted into one new file.

    The secure world that answers is asked for it, as root or as its own user; where none answers, or with --state,
    the state is read that no secure world uses. In a directory it stays sealed, and opens with the root key, which is
    kept apart: keep a copy of that as well, in another place. The file takes the root key to make, and the passphrase
    alone to open: `softee restore` puts it back, under the root key of the machine where it then is.
    """
    answering = socket or (None if state else answering_socket())
    settings = settings_from(config=config, state=state, root_key=root_key)
    source = f"what {answering} has" if answering else str(settings.state)
    with state_failures():
        records = _records(settings, answering)
        if encrypted:
            count = _write_file(settings, target.absolute(), source, records, passphrase)
            file, said = target.absolute(), "The passphrase opens it, on any machine: run `softee restore` there."
        else:
            from softee.daemon.at_rest.backup import write_copy  # noqa: PLC0415 - the help does not wait for cryptography

            count, file = len(records), write_copy(target.absolute(), records)
            said = "It opens with the root key of the original: keep that elsewhere."
    if as_json:
        write_json({"file": str(file), "records": count, "encrypted": encrypted})
    else:
        click.echo(f"{file} has all {count} records. {said}")


def _records(settings: "Settings", answering: Path | None) -> "list[Row]":
    from softee.daemon.at_rest.backup import copy_of  # noqa: PLC0415 - as above

    return _asked_for(answering) if answering else copy_of(settings)


def _write_file(settings: "Settings", file: Path, source: str, records: "list[Row]", passphrase: PinSource) -> int:
    """Write a file that a passphrase opens, and return how many records are in it."""
    from softee.daemon.at_rest.portable import made_portable, write_portable  # noqa: PLC0415
    from softee.daemon.at_rest.verification import verify_store  # noqa: PLC0415
    from softee.daemon.failures import opening  # noqa: PLC0415 - as above

    state = made_portable(source, records, settings.root_key)
    try:
        with opening(state.store, settings.root_key):
            reports = verify_store(state.store, state.root_key, settings.pkcs11.slots)
        with lent(passphrase, f"New passphrase of {file}", new=True) as secret:
            count = write_portable(file, state, secret, progress("Records"))
    finally:
        state.wipe()
    if any(report.damaged for report in reports):
        said = "Something in the state is damaged, and so it is in the backup: see `softee verify`."
        click.echo(f"softee: {said}", err=True)
    return count


def _asked_for(socket: Path) -> "list[Row]":
    """Return all records of the secure world at a socket."""
    from softee.stores.requests import Records, decode_reply, records_of  # noqa: PLC0415 - as above

    with operator_session(socket, "gives no copy") as session:
        reply = decode_reply(session.read(OperatorCommand.BEGIN_COPY))
    if not isinstance(reply, Records):
        raise CliError(f"The secure world at {socket} gives something else than a copy.")
    return records_of(reply)
