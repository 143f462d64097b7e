# SPDX-License-Identifier: Apache-2.0
"""Has the secure world's operator end what programs do with a token, so that it can be emptied."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softee.cli.cryptoki.module import Token
from softee.cli.failure import CliError
from softee.cli.places import answering_socket
from softee.cli.token_client import token_client
from softee.client import ClientError, RefusedError, TeeClient
from softee.names import OPERATOR_APPLICATION, OperatorCommand, ParamType, TeeResult
from softee.wire.values import Value


@contextmanager
def shut(token: Token) -> Iterator[int | None]:
    """End all sessions with a token and keep new ones away meanwhile. Yields how many have ended.

    None: it is no token of the secure world that answers; nothing was done.

    Raises:
        CliError: this user may not do that, or some sessions do not end.

    """
    socket = answering_socket()
    slot = _slot_there(socket, token) if socket else None
    if socket is None or slot is None:
        yield None
        return
    try:
        with TeeClient(socket) as client, client.open_session(OPERATOR_APPLICATION) as session:
            counts = Value(ParamType.VALUE_INOUT, slot)
            result = session.invoke(OperatorCommand.SHUT_TOKEN, (counts, None, None, None))
            if result != TeeResult.SUCCESS:
                raise CliError(f"The secure world does not end sessions with the token: {result:#010x}.")
            if counts.b:
                raise CliError(f"{counts.b} sessions with the token do not end: what runs in them takes too long.")
            yield counts.a
    except RefusedError as error:
        raise CliError(_denied(error)) from None
    except ClientError as error:
        raise CliError(f"The secure world at {socket} does not answer: {error}.") from None


def _slot_there(socket: Path, token: Token) -> int | None:
    """Return the slot in which a secure world has a token: whichever module has shown it, its serial number says."""
    with token_client(socket) as client:
        slots = [one.slot for one in client.tokens() if one.serial == token.serial]
    return slots[0] if slots else None


def _denied(error: RefusedError) -> str:
    if error.result == TeeResult.ACCESS_DENIED:
        return "Programs have sessions with the token; root, or the secure world's own user, ends them by this command."
    return f"The secure world does not end sessions with the token: {error}."
