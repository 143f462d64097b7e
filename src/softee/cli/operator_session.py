# SPDX-License-Identifier: Apache-2.0
"""What the command line asks of a running secure world as its operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softee.cli.failure import CliError
from softee.client import ClientError, TeeClient, TeeSession
from softee.names import OPERATOR_APPLICATION, OperatorCommand, ParamType, TeeResult
from softee.wire.values import Memref, Value

_PIECE = 512 << 10
_MASK = 0xFFFFFFFF


class OperatorSession:
    """A session with the operator's application. ``refusal`` is what is said of a secure world that refuses."""

    def __init__(self, session: TeeSession, refusal: str) -> None:
        self._session = session
        self._refusal = refusal

    def read(self, command: OperatorCommand) -> bytes:
        """Have something kept by a BEGIN command, and return it. Raises CliError, ClientError."""
        return b"".join(self._pieces(command))

    def _pieces(self, command: OperatorCommand) -> Iterator[bytes]:
        size = Value(ParamType.VALUE_OUTPUT)
        self._invoke(command, size, None)
        whole, begin = size.a | size.b << 32, 0
        while begin < whole:
            piece = Memref(ParamType.MEMREF_OUTPUT, capacity=_PIECE)
            place = Value(ParamType.VALUE_INPUT, begin & _MASK, begin >> 32)
            self._invoke(OperatorCommand.READ_COPY, place, piece)
            if not piece.out:
                raise CliError(f"The secure world {self._refusal}: what it says ends too early.")
            begin += len(piece.out)
            yield bytes(piece.out)

    def _invoke(self, command: int, value: Value, output: Memref | None) -> None:
        result = self._session.invoke(command, (value, output, None, None))
        if result != TeeResult.SUCCESS:
            raise CliError(f"The secure world {self._refusal}: {result:#010x}.")


@contextmanager
def operator_session(socket: Path, refusal: str) -> Iterator[OperatorSession]:
    """Open a session as the operator of the secure world at a socket: as root, or as its own user.

    Raises:
        CliError: it refuses, or does not answer; ``refusal`` is what the sentence says then of the secure world.

    """
    try:
        with TeeClient(socket) as client, client.open_session(OPERATOR_APPLICATION) as session:
            yield OperatorSession(session, refusal)
    except ClientError as error:
        raise CliError(f"The secure world at {socket} {refusal}: {error}.") from None
