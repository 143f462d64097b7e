# SPDX-License-Identifier: Apache-2.0
"""Has the secure world's operator end what programs do with a token, so that it can be emptied."""

from collections.abc import Iterator
from contextlib import contextmanager

from softee.cli.cryptoki.module import Token
from softee.cli.failure import CliError
from softee.cli.token.ours import place_of
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
    place = place_of(token)
    if place is None:
        yield None
        return
    try:
        with TeeClient(place.socket) as client, client.open_session(OPERATOR_APPLICATION) as session:
            counts = Value(ParamType.VALUE_INOUT, place.slot)
            result = session.invoke(OperatorCommand.SHUT_TOKEN, (counts, None, None, None))
            if result != TeeResult.SUCCESS:
                raise CliError(f"The secure world does not end sessions with the token: {result:#010x}.")
            if counts.b:
                raise CliError(f"{counts.b} sessions with the token do not end: what runs in them takes too long.")
            yield counts.a
    except RefusedError as error:
        raise CliError(_denied(error)) from None
    except ClientError as error:
        raise CliError(f"The secure world at {place.socket} does not answer: {error}.") from None


def _denied(error: RefusedError) -> str:
    if error.result == TeeResult.ACCESS_DENIED:
        return "Programs have sessions with the token; root, or the secure world's own user, ends them by this command."
    return f"The secure world does not end sessions with the token: {error}."
