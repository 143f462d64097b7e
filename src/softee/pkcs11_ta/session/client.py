# SPDX-License-Identifier: Apache-2.0
"""A client (one TEE session) and its PKCS#11 sessions, each a conversation with one token.

A session runs one command at a time (``lock``, taken by dispatch); different sessions run in parallel.
"""

import itertools
import threading

from softee.names import CKR, CKS, CKU, SessionFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.session.login_rules import STATES, User, check_open
from softee.pkcs11_ta.session.objects import SessionObjects
from softee.pkcs11_ta.session.operations import Operations
from softee.pkcs11_ta.token.object import FIRST_SESSION_HANDLE, Pkcs11Object
from softee.pkcs11_ta.token.pins import PinWrapper
from softee.pkcs11_ta.token.slots import Slots
from softee.pkcs11_ta.token.token import Token
from softee.tee.application import ClientIdentity


class Session:
    """One open session. ``objects`` are the client's session objects on this token, of all its sessions."""

    __slots__ = ("client", "closed", "handle", "lock", "objects", "operations", "read_write", "token")

    def __init__(
        self, handle: int, client: "Pkcs11Client", token: Token, objects: SessionObjects, *, read_write: bool
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

    def object(self, handle: int, bad_handle: CKR = CKR.OBJECT_HANDLE_INVALID) -> Pkcs11Object:
        """Return the object that this session may see under ``handle``.

        Raises:
            Pkcs11Error: ``bad_handle``, also for a private object while the user is not logged in.

        """
        private = self.user is CKU.USER
        objects = self.objects if handle >= FIRST_SESSION_HANDLE else self.token.objects
        try:
            return objects.get(handle, private=private)
        except Pkcs11Error as error:
            if error.rv is CKR.OBJECT_HANDLE_INVALID:
                raise Pkcs11Error(bad_handle, error.detail) from None
            raise

    def require_read_write(self) -> None:
        """Raise CKR_SESSION_READ_ONLY in a read-only session."""
        if not self.read_write:
            raise Pkcs11Error(CKR.SESSION_READ_ONLY, "the session is read-only; open it with CKF_RW_SESSION")


LAST_HANDLE = 0xFFFFFFFE
"""The largest 32-bit number is CK_UNAVAILABLE_INFORMATION."""


class Pkcs11Client:
    """One client. Handles count up from 1 and are not used again, so that a stale one never names another session."""

    def __init__(self, identity: ClientIdentity, slots: Slots, pins: PinWrapper, max_sessions: int) -> None:
        self.identity = identity
        self.slots = slots
        self.pins = pins
        self.max_sessions = max_sessions
        self.sessions: dict[int, Session] = {}
        self._objects: dict[int, SessionObjects] = {}
        self._handles = itertools.count(1)

    def session(self, handle: int) -> Session:
        """Return an open session. Raises CKR_SESSION_HANDLE_INVALID."""
        try:
            return self.sessions[handle]
        except KeyError:
            raise Pkcs11Error(CKR.SESSION_HANDLE_INVALID, f"this client has no session {handle}") from None

    def open(self, token: Token, *, read_write: bool) -> Session:
        """Open a session.

        Raises:
            Pkcs11Error: CKR_SESSION_COUNT, CKR_SESSION_READ_WRITE_SO_EXISTS.

        """
        limit = self.max_sessions
        with token.lock:
            if len(self.sessions) >= limit:
                raise Pkcs11Error(CKR.SESSION_COUNT, f"a client may have {limit} sessions; close some")
            check_open(token.logins.get(self), read_write=read_write)
            handle = next(self._handles)
            if handle > LAST_HANDLE:
                raise Pkcs11Error(CKR.SESSION_COUNT, "the client has used up its handles; C_Finalize begins them anew")
            objects = self._objects.setdefault(token.slot, SessionObjects())
            session = Session(handle, self, token, objects, read_write=read_write)
            self.sessions[session.handle] = session
            token.sessions.add(session)
            return session

    def close_session(self, session: Session) -> None:
        """Close a session whose lock the caller holds. The client's last one on a token logs it out."""
        token = session.token
        with token.lock:
            session.closed = True
            session.operations.clear()
            del self.sessions[session.handle]
            token.sessions.discard(session)
            session.objects.close_session(session.handle)
            if not self.sessions_with(token):
                self.logout(token)

    def close_all(self, token: Token) -> None:
        """Close all sessions of this client with a token, each when its running command is done."""
        for session in self.sessions_with(token):
            with session.lock:
                if not session.closed:
                    self.close_session(session)

    def close(self) -> None:
        """End the client."""
        for token in {session.token for session in self.sessions.values()}:
            self.close_all(token)

    def logout(self, token: Token) -> None:
        """Log this client out: its operations end and its private session objects go; the last one takes the key."""
        with token.lock:
            if token.logins.pop(self, None) is None:
                return
            for session in self.sessions_with(token):
                session.operations.clear()
                session.objects.forget_private()
            if not token.logins:
                token.forget_user_key()

    def sessions_with(self, token: Token) -> list[Session]:
        """Return this client's open sessions with a token."""
        return [session for session in list(self.sessions.values()) if session.token is token]
