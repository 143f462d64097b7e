# SPDX-License-Identifier: Apache-2.0
"""A PKCS#11 session: one client's conversation with one token.

A session runs one command at a time (``lock``, taken by dispatch); different sessions run in parallel.
"""

import threading
from typing import TYPE_CHECKING

from softee.names import CKR, CKS, CKU, SessionFlag
from softee.pkcs11_ta.errors import Pkcs11Error
from softee.pkcs11_ta.login import STATES, User
from softee.pkcs11_ta.objects import FIRST_SESSION_HANDLE, Pkcs11Object
from softee.pkcs11_ta.operations import Operations

if TYPE_CHECKING:
    from softee.pkcs11_ta.client import Client
    from softee.pkcs11_ta.session_objects import SessionObjects
    from softee.pkcs11_ta.tokens import Token


class Session:
    """One open session. ``objects`` are the client's session objects on this token, of all its sessions."""

    __slots__ = ("client", "closed", "handle", "lock", "objects", "operations", "read_write", "token")

    def __init__(
        self, handle: int, client: "Client", token: "Token", objects: "SessionObjects", *, read_write: bool
    ) -> None:
        self.handle = handle
        self.client = client
        self.token = token
        self.objects = objects
        self.read_write = read_write
        self.operations = Operations()
        self.closed = False
        self.lock = threading.Lock()

    @property
    def user(self) -> User:
        """Who is logged in to the token for this client."""
        return self.token.logins.get(self.client)

    @property
    def state(self) -> CKS:
        """The session's state (CK_SESSION_INFO.state)."""
        return STATES[self.user, self.read_write]

    @property
    def flags(self) -> SessionFlag:
        """CK_SESSION_INFO.flags."""
        return SessionFlag.SERIAL_SESSION | (SessionFlag.RW_SESSION if self.read_write else SessionFlag(0))

    def object(self, handle: int) -> Pkcs11Object:
        """Return the object that this session may see under ``handle``.

        Raises:
            Pkcs11Error: CKR_OBJECT_HANDLE_INVALID, also for a private object while the user is not logged in.

        """
        private = self.user is CKU.USER
        if handle >= FIRST_SESSION_HANDLE:
            return self.objects.get(handle, private=private)
        return self.token.objects.get(handle, private=private)

    def require_read_write(self) -> None:
        """Raise CKR_SESSION_READ_ONLY in a read-only session."""
        if not self.read_write:
            raise Pkcs11Error(CKR.SESSION_READ_ONLY, "the session is read-only; open it with CKF_RW_SESSION")
