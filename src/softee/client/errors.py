# SPDX-License-Identifier: Apache-2.0
"""Why a client could not do what it was asked: four kinds, since a caller acts differently on each.

One may start a secure world where none runs (NotRunningError), must not where somebody else's is in the way
(UntrustedError), does not know what became of a request that was cut short (ClientError, SilenceError), and has an
answer where it was refused (RefusedError).
"""

from typing import Final

from softee.wire.places import CLIENT_SETTINGS

TEE: Final = 3
"""The origin of what the core itself answers (names.Origin.TEE, which takes its time to import)."""


class ClientError(Exception):
    """The secure world cannot be used. After it the client's channel is closed, but for RefusedError."""


class NotRunningError(ClientError):
    """Nobody answers at the socket. Nothing was sent."""


class UntrustedError(ClientError):
    """Another user's secure world is at the socket, which would get the PINs. Nothing was sent. ``uid`` says whose."""

    def __init__(self, what: str, uid: int) -> None:
        mend = f"set SOFTEE_SERVER_UID={uid}, or server_uid in {CLIENT_SETTINGS}"
        super().__init__(f"{what}, who is neither root nor you; if that is right, {mend}")
        self.uid = uid


class SilenceError(ClientError):
    """Nothing was heard for too long. Whether the request was carried out is not known."""


class RefusedError(ClientError):
    """The secure world or the trusted application refused, and the channel goes on.

    ``result`` says why and ``origin`` which of the two it was, in GlobalPlatform's numbers.
    """

    def __init__(self, what: str, result: int, origin: int = TEE) -> None:
        super().__init__(f"{what} was refused: {_name(result)}")
        self.result = result
        self.origin = origin


def _name(result: int) -> str:
    from softee.names import TeeResult  # noqa: PLC0415 - a quick command that is not refused does without

    try:
        return f"TEE_ERROR_{TeeResult(result).name}"
    except ValueError:
        return f"{result:#010x}"
