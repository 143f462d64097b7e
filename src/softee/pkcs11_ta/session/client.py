# SPDX-License-Identifier: Apache-2.0
"""A client (one TEE session) and its PKCS#11 sessions, each a conversation with one token.

A session runs one command at a time (``lock``, taken by dispatch); different sessions run in parallel.
"""

import itertools
import threading

from softee.names import CKR, CKS, CKU, SessionFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attestation.attester import Attester
from softee.pkcs11_ta.session.accounts import ClientLimits
from softee.pkcs11_ta.session.login_rules import STATES, User, check_open
from softee.pkcs11_ta.session.objects import SessionObjects
from softee.pkcs11_ta.session.operations import Operations
from softee.pkcs11_ta.session.saved_states import SavedStates
from softee.pkcs11_ta.session.tickets import NO_TICKETS, Tickets, new_login
from softee.pkcs11_ta.token.object import (
    FIRST_PRESENTED_HANDLE,
    FIRST_PRIVATE_HANDLE,
    FIRST_SESSION_HANDLE,
    LAST_SESSION_HANDLE,
    Pkcs11Object,
)
from softee.pkcs11_ta.token.pins import PinWrapper
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.slots import Slots
from softee.pkcs11_ta.token.token import Token
from softee.tee.application import ClientIdentity

_READ_WRITE = SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION


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
        self.operations = Operations(one_at_a_time=token.policy.as_optee)
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
        return _READ_WRITE if self.read_write else SessionFlag.SERIAL_SESSION

    def object(self, handle: int, bad_handle: CKR = CKR.OBJECT_HANDLE_INVALID, *, so_too: bool = False) -> Pkcs11Object:
        """Return the object that this session may see under ``handle``.

        Private objects are the user's; with ``so_too`` the SO gets at private keys as well, to mark them as trusted.

        Raises:
            Pkcs11Error: ``bad_handle``, also for a private object while nobody is logged in who sees it, and for the
                handle that it had in an earlier login.

        """
        private = self.user is CKU.USER or (so_too and self.user is CKU.SO)
        try:
            if handle >= FIRST_PRESENTED_HANDLE:
                return self.token.presented.get(handle)
            if handle >= FIRST_SESSION_HANDLE:
                return self.objects.get(handle, private=private)
            if handle < FIRST_PRIVATE_HANDLE:
                return self.token.objects.get(handle, private=False)
            number = handle - self.client.private_base(self.token)
            return self.token.objects.get_private(number, visible=private)
        except Pkcs11Error as error:
            if error.rv is CKR.OBJECT_HANDLE_INVALID:
                raise Pkcs11Error(bad_handle, error.detail) from None
            raise

    def handle_of(self, obj: Pkcs11Object) -> int:
        """Return the handle under which this session's client knows an object."""
        return self.client.private_base(self.token) + obj.handle if obj.is_token and obj.is_private else obj.handle

    @property
    def is_busy(self) -> bool:
        """A command runs in it."""
        return self.lock.locked()

    def end(self) -> None:
        """Close it, when its running command is done."""
        with self.lock:
            if not self.closed:
                self.client.close_session(self)

    @property
    def changes(self) -> tuple[int, int]:
        """What has changed of the objects that it may see when it is no longer the same."""
        return self.token.vault.revision, self.objects.removed

    def require_read_write(self) -> None:
        """Raise CKR_SESSION_READ_ONLY in a read-only session."""
        if not self.read_write:
            raise Pkcs11Error(CKR.SESSION_READ_ONLY, "the session is read-only; open it with CKF_RW_SESSION")


LAST_HANDLE = 0xFFFFFFFE
"""The largest 32-bit number is CK_UNAVAILABLE_INFORMATION."""


class Pkcs11Client:
    """One client. Handles count up from 1 and are not used again, so that a stale one never names another session."""

    def __init__(
        self,
        identity: ClientIdentity,
        slots: Slots,
        pins: PinWrapper,
        attester: Attester,
        limits: ClientLimits,
        *,
        tickets: Tickets = NO_TICKETS,
    ) -> None:
        self.identity = identity
        self.tickets = tickets
        self.kept_logins: dict[int, bytes] = {}
        """The numbers of its logins that may come back, by slot."""
        self.slots = slots
        self.pins = pins
        self.attester = attester
        self.max_sessions = limits.sessions
        self._account = limits.account
        self.sessions: dict[int, Session] = {}
        self._next_session = 1
        self.saved_states = SavedStates()
        self._objects: dict[int, SessionObjects] = {}
        self._private_bases: dict[int, int] = {}
        self._next_object = FIRST_SESSION_HANDLE
        self._handles = itertools.count(1)

    def begin_after(self, next_session: int, next_object: int) -> None:
        """Give sessions and session objects handles from these on, but for sessions that had theirs before.

        Raises:
            Pkcs11Error: CKR_SESSION_EXISTS: the client has had sessions; CKR_ARGUMENTS_BAD.

        """
        if self.sessions or self._objects:
            raise Pkcs11Error(CKR.SESSION_EXISTS, "only a new client's sessions are restored")
        if not next_session or not FIRST_SESSION_HANDLE <= next_object <= LAST_SESSION_HANDLE + 1:
            raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"handles cannot begin with {next_session:#x} and {next_object:#x}")
        self._next_session, self._next_object = next_session, next_object
        self._handles = itertools.count(next_session)

    def token(self, slot: int) -> Token:
        """Return a slot's token. Raises CKR_SLOT_ID_INVALID where there is none that this client may see."""
        self.policy(slot)
        return self.slots.token(slot)

    def policy(self, slot: int) -> Policy:
        """Return what a slot's token allows. Raises CKR_SLOT_ID_INVALID where this client may not see it."""
        policy = self.slots.policy(slot)
        if not policy.sees(self.identity):
            raise Pkcs11Error(CKR.SLOT_ID_INVALID, f"slot {slot} is not for uid {self.identity.uid}")
        return policy

    def visible_slots(self) -> list[int]:
        """Return the numbers of the slots that this client may see."""
        return [slot for slot in range(self.slots.count) if self.slots.policy(slot).sees(self.identity)]

    def private_base(self, token: Token) -> int:
        """Return what is added to the number of a private token object to make its handle for this client."""
        return self._private_bases.get(token.slot, FIRST_PRIVATE_HANDLE)

    def move_private_handles(self, token: Token) -> None:
        """Give private token objects handles above all that this client has had, which no longer name anything.

        Raises:
            Pkcs11Error: CKR_DEVICE_MEMORY: they have run out.

        """
        base = self.private_base(token) + token.objects.next_number
        if base + token.objects.next_number >= FIRST_SESSION_HANDLE:
            raise Pkcs11Error(CKR.DEVICE_MEMORY, "the client has used up its handles; C_Finalize begins them anew")
        self._private_bases[token.slot] = base

    def reserve_private_handles(self, token: Token, base: int) -> None:
        """Give private token objects the handles that they had in an earlier life of this client, until a login.

        Raises:
            Pkcs11Error: CKR_ARGUMENTS_BAD: they never were.

        """
        if base < FIRST_PRIVATE_HANDLE or base + token.objects.next_number >= FIRST_SESSION_HANDLE:
            raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"{base:#x} is no beginning of private handles")
        self._private_bases[token.slot] = base

    def ticket(self, token: Token, user: CKU) -> bytes:
        """Return a ticket for the login that is there; b"" where it cannot come back. ``token.lock`` is held."""
        login = self.kept_logins.setdefault(token.slot, new_login())
        return self.tickets.issue(login, self.identity, token, user)

    def note_call(self) -> None:
        """Remember that the client makes a call now, where logins that make none do not come back."""
        for login in list(self.kept_logins.values()):
            self.tickets.note_call(login)

    def session(self, handle: int) -> Session:
        """Return an open session. Raises CKR_SESSION_HANDLE_INVALID."""
        try:
            return self.sessions[handle]
        except KeyError:
            raise Pkcs11Error(CKR.SESSION_HANDLE_INVALID, f"this client has no session {handle}") from None

    def open(self, token: Token, *, read_write: bool, handle: int | None = None) -> Session:
        """Open a session, with a new handle, or with one that it had in an earlier life of this client.

        Raises:
            Pkcs11Error: CKR_SESSION_COUNT, CKR_SESSION_READ_WRITE_SO_EXISTS; CKR_TOKEN_NOT_PRESENT while an operator
                keeps sessions away; CKR_ARGUMENTS_BAD for a handle that it cannot have had.

        """
        limit = self.max_sessions
        with token.lock:
            token.require_not_shut()
            if len(self.sessions) >= limit:
                raise Pkcs11Error(CKR.SESSION_COUNT, f"a client may have {limit} sessions; close some")
            check_open(token.logins.get(self), read_write=read_write)
            handle = self._new_handle() if handle is None else self._earlier_handle(handle)
            objects = self._objects.setdefault(token.slot, SessionObjects(self._account, self._next_object))
            session = Session(handle, self, token, objects, read_write=read_write)
            self.sessions[session.handle] = session
            token.enter(session)
            return session

    def _new_handle(self) -> int:
        handle = next(self._handles)
        if handle > LAST_HANDLE:
            raise Pkcs11Error(CKR.SESSION_COUNT, "the client has used up its handles; C_Finalize begins them anew")
        return handle

    def _earlier_handle(self, handle: int) -> int:
        if not 0 < handle < self._next_session or handle in self.sessions:
            raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"no session has had the handle {handle}, or another one has it")
        return handle

    def close_session(self, session: Session) -> None:
        """Close a session whose lock the caller holds. The client's last one on a token logs it out."""
        token = session.token
        with token.lock:
            session.closed = True
            session.operations.clear()
            del self.sessions[session.handle]
            token.leave(session)
            session.objects.close_session(session.handle)
            if not self.sessions_with(token):
                self.logout(token)

    def close_all(self, token: Token) -> None:
        """Close all sessions of this client with a token, each when its running command is done."""
        for session in self.sessions_with(token):
            session.end()

    def close(self, *, returns: bool = False) -> None:
        """End the client. ``returns``: it has lost its connection, and its logins may come back."""
        if returns:
            self.kept_logins.clear()
        for token in {session.token for session in list(self.sessions.values())}:
            self.close_all(token)

    def logout(self, token: Token) -> None:
        """Log this client out: its operations end and its private session objects go; the last one takes the key."""
        with token.lock:
            kept = self.kept_logins.pop(token.slot, None)
            if kept is not None:
                self.tickets.end(kept)
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
