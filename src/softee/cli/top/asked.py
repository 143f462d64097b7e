# SPDX-License-Identifier: Apache-2.0
"""What a secure world tells its operator of who uses it, as ``softee top`` and ``softee web`` ask for it."""

from typing import TypeVar

import msgspec

from softee.cli.failure import CliError
from softee.cli.operator_session import OperatorSession
from softee.daemon.metrics.told import ObjectTold, Told
from softee.names import OperatorCommand

T = TypeVar("T")


def statistics(session: OperatorSession) -> Told:
    """Return what is told now. Raises CliError, ClientError."""
    return _decoded(session.read(OperatorCommand.BEGIN_STATISTICS), Told)


def public_objects(session: OperatorSession) -> list[ObjectTold]:
    """Return what is told of the tokens' public objects. Raises CliError, ClientError."""
    return _decoded(session.read(OperatorCommand.BEGIN_OBJECTS), list[ObjectTold])


def _decoded(document: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(document, type=kind)
    except msgspec.MsgspecError as error:
        raise CliError(f"The secure world says something else than who uses it: {error}.") from None
