# SPDX-License-Identifier: Apache-2.0
"""What the TEE core asks of a trusted application, and what it tells it of its client."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from softee.names import LoginMethod, TeeResult
from softee.wire.values import Params


class TeeError(Exception):
    """A request ended with a GlobalPlatform result other than TEE_SUCCESS.

    ``detail`` is for the log and never crosses the border.
    """

    def __init__(self, result: TeeResult, detail: str = "") -> None:
        super().__init__(f"TEE_{result.name}: {detail}" if detail else f"TEE_{result.name}")
        self.result = result
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who opened a TEE session, by the kernel's word, and how it asked to be identified.

    ``groups`` are the supplementary groups. ``process`` says which process it is, unlike any other since the machine
    has started; it is empty where that cannot be told. ``uuid`` is the client UUID of the login method, as Linux' TEE
    subsystem makes it: the nil UUID for PUBLIC, a UUIDv5 of ``uid=<hex>`` for USER and of ``gid=<hex>`` for GROUP.
    """

    pid: int
    uid: int
    gid: int
    login: LoginMethod
    uuid: UUID
    groups: frozenset[int] = frozenset()
    process: bytes = b""


class TaSession(Protocol):
    """One TEE session with a trusted application. ``invoke`` is called from several threads at once."""

    def invoke(self, command: int, params: Params) -> TeeResult:
        """Run a command. Answers go into ``params``; any TeeResult may be returned; only TeeError may be raised."""
        ...

    def is_quick(self, command: int, params: Params) -> bool:
        """Say whether a command with these parameters is done within some hundred microseconds, and waits for nobody.

        Of a buffer in a memory file the size is known, and the bytes are not there yet; parameter 0 is never one here.
        It is called when nothing runs in the session, and must not raise. Whoever is not sure says False: the command
        then runs in a thread of its own.
        """
        ...

    def wait(self, command: int, params: Params) -> float:
        """Say for how many seconds a command has to wait before it runs, whoever else runs meanwhile.

        It is called as ``is_quick`` is, for commands that are not quick. Keep-alives are sent meanwhile.
        """
        ...

    def close(self, *, returns: bool = False) -> None:
        """End the session and forget all that belongs to it. No invoke runs or will run. Must not raise.

        ``returns``: the client did not ask for it; it has lost its connection, and may come back.
        """
        ...


class TrustedApplication(Protocol):
    """A trusted application, one instance for all its sessions."""

    @property
    def uuid(self) -> UUID:
        """The application's UUID."""
        ...

    def open_session(self, client: ClientIdentity, params: Params) -> TaSession:
        """Open a session for a client. Raises TeeError where it is refused."""
        ...
