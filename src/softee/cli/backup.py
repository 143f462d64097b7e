# SPDX-License-Identifier: Apache-2.0
"""``softee backup``: a copy of the state, while the secure world runs or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softee.cli.failure import CliError, state_failures
from softee.cli.options import config_option, root_key_option, socket_option, state_option
from softee.cli.places import answering_socket
from softee.cli.settings import settings_from
from softee.client import ClientError, TeeClient, TeeSession
from softee.names import OPERATOR_APPLICATION, OperatorCommand, ParamType, TeeResult
from softee.wire.values import Memref, Value

if TYPE_CHECKING:
    from softee.stores.base import Record

_PIECE = 512 << 10
_MASK = 0xFFFFFFFF


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@config_option
@state_option
@root_key_option
@socket_option
def backup(
    *, directory: Path, config: Path | None, state: Path | None, root_key: str | None, socket: Path | None
) -> None:
    """Copy the state into a new DIRECTORY, all tokens at one moment. What is in it stays sealed.

    The secure world that answers is asked for it, as root or as its own user; where none answers, or with --state,
    the state is read that no secure world uses. The copy opens with the root key, which is kept apart: keep a copy of
    that as well, in another place.
    """
    from softee.daemon.backup import copy_of, write_copy  # noqa: PLC0415 - the help does not wait for cryptography

    answering = socket or (None if state else answering_socket())
    settings = settings_from(config=config, state=state, root_key=root_key)
    with state_failures():
        records = _asked_for(answering) if answering else copy_of(settings)
        file = write_copy(directory.absolute(), records)
    click.echo(
        f"{file} has all {len(records)} records. It opens with the root key of the original: keep that elsewhere."
    )


def _asked_for(socket: Path) -> "list[tuple[bytes, Record]]":
    """Return all records of the secure world at a socket."""
    from softee.stores.requests import Records, decode_reply, records_of  # noqa: PLC0415 - as above

    try:
        with TeeClient(socket) as client, client.open_session(OPERATOR_APPLICATION) as session:
            copy = b"".join(_pieces(session))
    except ClientError as error:
        raise CliError(f"The secure world at {socket} gives no copy: {error}.") from None
    reply = decode_reply(copy)
    if not isinstance(reply, Records):
        raise CliError(f"The secure world at {socket} gives something else than a copy.")
    return records_of(reply)


def _pieces(session: TeeSession) -> Iterator[bytes]:
    size = Value(ParamType.VALUE_OUTPUT)
    _invoke(session, OperatorCommand.BEGIN_COPY, size, None)
    whole, begin = size.a | size.b << 32, 0
    while begin < whole:
        piece = Memref(ParamType.MEMREF_OUTPUT, capacity=_PIECE)
        place = Value(ParamType.VALUE_INPUT, begin & _MASK, begin >> 32)
        _invoke(session, OperatorCommand.READ_COPY, place, piece)
        if not piece.out:
            raise CliError("The copy ends too early.")
        begin += len(piece.out)
        yield bytes(piece.out)


def _invoke(session: TeeSession, command: int, value: Value, output: Memref | None) -> None:
    result = session.invoke(command, (value, output, None, None))
    if result != TeeResult.SUCCESS:
        raise CliError(f"The secure world gives no copy: {result:#010x}.")
