# SPDX-License-Identifier: Apache-2.0
"""A client context, its TEE sessions, and their commands. All buffers travel inline (1 MiB in all, less a little)."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from softee.client.channel import ClientChannel
from softee.client.connection import connect, connect_to_first
from softee.client.errors import ClientError, RefusedError
from softee.names import LoginMethod, TeeResult
from softee.wire.codec import WireError
from softee.wire.messages import (
    NO_SECRET,
    Cancel,
    CloseSession,
    Hello,
    HelloReply,
    Invoke,
    InvokeReply,
    OpenSession,
    OpenSessionReply,
    Request,
    ResultReply,
)
from softee.wire.parameters import Parameters
from softee.wire.values import NO_PARAMS, Params

R = TypeVar("R")

SILENCE = 10.0
"""Seconds without a word after which a request has failed (docs/wire-protocol.md, "Time")."""


class TeeClient:
    """A channel to the secure world, with a client context of its own or joined to another's."""

    def __init__(self, path: Path | None = None, *, join: bytes = NO_SECRET, silence: float = SILENCE) -> None:
        """Connect and say hello.

        Args:
            path: the socket; None: the first at which a secure world answers (client/places.py).
            join: the ``secret`` of a client of this process, whose context this channel joins; at the same ``path``.
            silence: seconds without a word after which a request has failed.

        Raises:
            NotRunningError: nobody answers.
            UntrustedError: it is another user's.
            RefusedError: there are too many clients, or none has that secret.
            ClientError: it does not speak this protocol.

        """
        self.path, connection = (path, connect(path, silence)) if path else connect_to_first(silence)
        """The socket at which the secure world answered."""
        self._channel = ClientChannel(connection)
        try:
            reply = self.ask(Hello(secret=join), HelloReply.decode)
            if reply.result != TeeResult.SUCCESS:
                raise RefusedError("the channel", reply.result)
        except ClientError:
            self.close()
            raise
        self.secret = reply.secret
        """The context's secret, with which further channels of this process join it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_session(
        self,
        uuid: UUID,
        *,
        login: LoginMethod = LoginMethod.PUBLIC,
        login_data: int = 0,
        params: Params = NO_PARAMS,
    ) -> "TeeSession":
        """Open a session with a trusted application; its answers go into ``params``.

        Args:
            uuid: the application's.
            login: how this process wants to be identified.
            login_data: the gid for GROUP.
            params: what the application wants to know.

        Raises:
            RefusedError: no such application, or it does not want this client.
            ClientError: the channel broke.

        """
        parameters = Parameters(params)
        request = OpenSession(uuid, login, login_data, 0, parameters)
        reply = self.ask(request, lambda payload: OpenSessionReply.decode(payload, parameters))
        if reply.result != TeeResult.SUCCESS:
            raise RefusedError("the session", reply.result, reply.origin)
        return TeeSession(self, reply.session)

    def cancel(self, session: int, cancel_id: int) -> int:
        """Ask for the end of a request of another channel, and return the result."""
        return self.ask(Cancel(session, cancel_id), ResultReply.decode).result

    def close(self) -> None:
        """Close the channel. The context ends with its last channel."""
        self._channel.close()

    def ask(self, message: Request, decode: Callable[[memoryview], R]) -> R:
        """Send a request and decode its reply. Raises ClientError."""
        payload = self._channel.request(message.TYPE, message.encode())
        try:
            return decode(payload)
        except WireError as error:
            self.close()
            raise ClientError(f"the secure world's reply makes no sense: {error}") from None


class TeeSession:
    """A TEE session with a trusted application. ``number`` is the same on all channels of the context."""

    def __init__(self, client: TeeClient, number: int) -> None:
        self.number = number
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ClientError):  # with the channel, the session is gone too
            self.close()

    def invoke(self, command: int, params: Params = NO_PARAMS) -> int:
        """Run a command; its answers go into ``params``.

        Returns:
            The result, a TeeResult where it is one that softee knows.

        Raises:
            ClientError: the channel broke.

        """
        parameters = Parameters(params)
        request = Invoke(self.number, command, 0, parameters)
        return self._client.ask(request, lambda payload: InvokeReply.decode(payload, parameters)).result

    def close(self) -> None:
        """Close the session. Raises ClientError."""
        result = self._client.ask(CloseSession(self.number), ResultReply.decode).result
        if result != TeeResult.SUCCESS:
            raise RefusedError("closing the session", result)
