# SPDX-License-Identifier: Apache-2.0
"""A client: one TEE session with the application, and all PKCS#11 sessions that it has opened.

Session handles and session objects are the client's own; no other client can name them. Changes to a client's sessions
with a token happen under that token's lock.
"""

import itertools
from typing import TYPE_CHECKING

from softee.names import CKR
from softee.pkcs11_ta.errors import Pkcs11Error
from softee.pkcs11_ta.login import check_open
from softee.pkcs11_ta.session_objects import SessionObjects
from softee.pkcs11_ta.sessions import Session
from softee.tee.application import ClientIdentity

if TYPE_CHECKING:
    from softee.pkcs11_ta.application import Pkcs11Application
    from softee.pkcs11_ta.tokens import Token

LAST_HANDLE = 0xFFFFFFFE
"""The largest 32-bit number is CK_UNAVAILABLE_INFORMATION."""


class Client:
    """One client. Handles count up from 1 and are not used again, so that a stale one never names another session."""

    def __init__(self, identity: ClientIdentity, application: "Pkcs11Application") -> None:
        self.identity = identity
        self.application = application
        self.sessions: dict[int, Session] = {}
        self._objects: dict[int, SessionObjects] = {}
        self._handles = itertools.count(1)

    def session(self, handle: int) -> Session:
        """Return an open session. Raises CKR_SESSION_HANDLE_INVALID."""
        try:
            return self.sessions[handle]
        except KeyError:
            raise Pkcs11Error(CKR.SESSION_HANDLE_INVALID, f"this client has no session {handle}") from None

    def open(self, token: "Token", *, read_write: bool) -> Session:
        """Open a session.

        Raises:
            Pkcs11Error: CKR_SESSION_COUNT, CKR_SESSION_READ_WRITE_SO_EXISTS.

        """
        limit = self.application.max_sessions
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
                token.logout(self)

    def close_all(self, token: "Token") -> None:
        """Close all sessions of this client with a token, each when its running command is done."""
        for session in self.sessions_with(token):
            with session.lock:
                if not session.closed:
                    self.close_session(session)

    def close(self) -> None:
        """End the client."""
        for token in {session.token for session in self.sessions.values()}:
            self.close_all(token)

    def sessions_with(self, token: "Token") -> list[Session]:
        """Return this client's open sessions with a token."""
        return [session for session in list(self.sessions.values()) if session.token is token]
