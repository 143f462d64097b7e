# SPDX-License-Identifier: Apache-2.0
"""Why a client could not do what it was asked."""

from softee.names import Origin, TeeResult


class ClientError(Exception):
    """The secure world cannot be used. After it the client's channel is closed, but for RefusedError."""


class NotRunningError(ClientError):
    """Nobody answers at the socket, or somebody whom this user should not trust."""


class SilenceError(ClientError):
    """Nothing was heard for too long."""


class RefusedError(ClientError):
    """The secure world or the trusted application refused: ``result`` says why, ``origin`` who."""

    def __init__(self, what: str, result: int, origin: int = Origin.TEE) -> None:
        super().__init__(f"{what} was refused: {_name(result)}")
        self.result = result
        self.origin = origin


def _name(result: int) -> str:
    try:
        return f"TEE_ERROR_{TeeResult(result).name}"
    except ValueError:
        return f"{result:#010x}"
