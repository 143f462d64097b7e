# SPDX-License-Identifier: Apache-2.0
"""Tickets: a login that comes back when the secure world does.

A ticket is the user key, sealed under a key that is never on a disk, and bound to the process (by the kernel's word),
its uid and TEE identity, the token, the user, and the credential that the login was made with. Beside the ticket key is
kept which logins are alive: one that has ended (C_Logout, the process' death) has a ticket that opens nothing, whoever
has kept it. The client keeps the ticket, which tells it nothing, and no PIN.
"""

import hashlib
import secrets
import struct
from collections.abc import Callable
from typing import Final, Protocol

from softee.names import CKU
from softee.pkcs11_ta.token.state import Credential
from softee.pkcs11_ta.token.token import Token
from softee.tee.application import ClientIdentity
from softee.tee.keys import wipe
from softee.tee.sealing import SealKey, TamperedError

LOGIN_SIZE: Final = 16
"""Bytes of a login's random number."""

Clock = Callable[[], int]
"""Seconds since the machine has started, also those in which it slept (CLOCK_BOOTTIME)."""


class LiveLogins(Protocol):
    """The logins that are alive, in a place that outlives the secure world's process. Safe from several threads."""

    def put(self, login: bytes, process: bytes, called: int) -> bool:
        """Note a login of a process, and when it has made its last call. False: there is no room."""
        ...

    def call(self, login: bytes, called: int) -> None:
        """Note when a login has made its last call, if it is alive."""
        ...

    def last_call(self, login: bytes) -> int | None:
        """Return when a login has made its last call; None: it is not alive."""
        ...

    def end(self, login: bytes) -> None:
        """Forget a login."""
        ...


class Tickets:
    """Issues and redeems tickets.

    Args:
        key: the ticket key, of 32 bytes; None: no login comes back.
        logins: those that are alive.
        clock: tells the time.
        max_age: seconds since the last call, after which a login does not come back; None: it always does.

    """

    def __init__(
        self, key: bytes | bytearray | None, logins: LiveLogins, clock: Clock, max_age: int | None = None
    ) -> None:
        self._key = None if key is None else SealKey(key)
        self._logins = logins
        self._clock = clock
        self._max_age = max_age
        self.counts_calls = max_age is not None and key is not None
        """Whether it matters when a login makes a call."""

    def issue(self, login: bytes, client: ClientIdentity, token: Token, user: CKU) -> bytes:
        """Return a ticket for a login that is there; b"" where it cannot come back. ``token.lock`` is held."""
        if self._key is None or not client.process or token.user_key is None:
            return b""
        credential = token.state.so if user is CKU.SO else token.state.user
        if credential is None or not self._logins.put(login, client.process, self._clock()):
            return b""
        secret = bytearray(login) + token.user_key
        try:
            return self._key.seal(_context(client, token, user, credential), secret)
        finally:
            wipe(secret)

    def redeem(self, ticket: bytes, client: ClientIdentity, token: Token, user: CKU) -> tuple[bytes, bytearray] | None:
        """Return the login's number and the user key, which the caller wipes; None where the login is no more."""
        credential = token.state.so if user is CKU.SO else token.state.user
        if self._key is None or not client.process or credential is None:
            return None
        try:
            secret = self._key.open(_context(client, token, user, credential), ticket)
        except TamperedError:
            return None
        login, user_key = bytes(secret[:LOGIN_SIZE]), secret[LOGIN_SIZE:]
        wipe(secret)
        if self._is_alive(login):
            return login, user_key
        wipe(user_key)
        return None

    def note_call(self, login: bytes) -> None:
        """Remember that a login makes a call now, not more often than matters."""
        now, last = self._clock(), self._logins.last_call(login)
        if last is not None and self._max_age is not None and now - last > self._max_age // 8:
            self._logins.call(login, now)

    def end(self, login: bytes) -> None:
        """Let a login's tickets open nothing from now on."""
        self._logins.end(login)

    def _is_alive(self, login: bytes) -> bool:
        last = self._logins.last_call(login)
        return last is not None and (self._max_age is None or self._clock() - last <= self._max_age)


class NoLogins:
    """Where nothing outlives the secure world, no login is alive."""

    def put(self, _login: bytes, _process: bytes, _called: int) -> bool:
        """Refuse."""
        return False

    def call(self, _login: bytes, _called: int) -> None:
        """Note nothing."""

    def last_call(self, _login: bytes) -> int | None:
        """Know nothing."""
        return None

    def end(self, _login: bytes) -> None:
        """Forget what was never known."""


NO_TICKETS: Final = Tickets(None, NoLogins(), lambda: 0)


def new_login() -> bytes:
    """Return the number of a new login."""
    return secrets.token_bytes(LOGIN_SIZE)


def _context(client: ClientIdentity, token: Token, user: CKU, credential: Credential) -> bytes:
    """Return what a ticket is bound to. A new PIN is a new credential, whose wrapped key is another one."""
    who = struct.pack("<III16s", client.uid, client.login, user, client.uuid.bytes)
    where = hashlib.sha256(token.serial_number.encode() + credential.wrapped).digest()
    return b"softee/1/ticket\0" + who + where + client.process
