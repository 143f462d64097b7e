# SPDX-License-Identifier: Apache-2.0
"""Puts a note before the answer of each command that the table of events names; the others stay as they are.

Where the log must be written, a command is refused before anything is done if it cannot be. What a command fails with
is noted as well: of failures that a client could provoke without end only as many as its uid's share has, but for wrong
PINs, each of which waits and counts on the token.
"""

import logging
import struct
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from softee.names import CKR, TokenFlag
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.errors import BufferTooSmallError, Pkcs11Error
from softee.pkcs11_ta.audit import naming
from softee.pkcs11_ta.audit.events import Row, events
from softee.pkcs11_ta.audit.naming import Told
from softee.pkcs11_ta.handlers.binding import Answer, Bound, Handlers
from softee.pkcs11_ta.session.answers import answer_to
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Pkcs11Client
from softee.pkcs11_ta.token.token import Token
from softee.stores.base import StoreError, StoreFullError
from softee.tee.audit import Audit
from softee.tee.sealing import TamperedError

_log = logging.getLogger("softee.audit")

_HANDLE: Final = struct.Struct("<I")
_UNBOUNDED: Final = frozenset({CKR.OK, CKR.PIN_INCORRECT})
"""What a client does at the cost of a right, or of a try."""
_LOCKS: Final = {TokenFlag.SO_PIN_LOCKED: "SO", TokenFlag.USER_PIN_LOCKED: "USER"}
_ALL_LOCKS: Final = TokenFlag.SO_PIN_LOCKED | TokenFlag.USER_PIN_LOCKED


class Noting:
    """The notes that an application takes."""

    def __init__(self, audit: Audit, uses: Iterable[str] = ()) -> None:
        """Take the log, and which uses of keys are noted: keys of ``events.USES``."""
        self._audit = audit
        self._rows = events(uses)

    def handlers(self, handlers: Handlers) -> Handlers:
        """Return the handlers, with notes."""
        return {number: self._noted(bound) for number, bound in handlers.items()}

    def is_noted(self, command: int) -> bool:
        """Say whether a command that goes well is noted, which takes a commit."""
        row = self._rows.get(command)
        return row is not None and row.only is None

    def require(self) -> None:
        """Refuse what could not be noted, and must be. Raises StoreError."""
        self._audit.require()

    def note(self, fields: Told) -> None:
        """Note what no command did. Raises StoreError."""
        self._audit.note(fields)

    def ended(self, client: Pkcs11Client) -> None:
        """Note that a client is gone, which logs it out."""
        for slot in range(client.slots.count):
            token = client.slots.opened(slot)
            if token is None or token.logins.get(client) is None:
                continue
            told = {"event": "logout", "result": "CKR_OK", **naming.client(client.identity), **naming.token(token)}
            self._note_anyway({**told, "ended": True})

    def _noted(self, bound: Bound) -> Bound:
        row = self._rows.get(bound.command.number)
        if row is None:
            return bound
        run = self._run if row.only is None else self._run_and_watch
        return Bound(bound.command, partial(run, row, bound))

    def _run_and_watch(self, row: Row, bound: Bound, call: Call, request: object) -> Answer:
        """Run what is an event only where it fails."""
        try:
            return bound.handle(call, request)
        except Pkcs11Error as error:
            if row.only is not None and error.rv in row.only:
                told = self._told(row, bound.command, call, request, _result(call, error))
                self._note({**told, **self._before(row, call, request)}, call)
            raise

    def _run(self, row: Row, bound: Bound, call: Call, request: object) -> Answer:
        if not row.when(call, request):
            return bound.handle(call, request)
        if not row.ends:
            self._require()
        before = self._before(row, call, request)
        locked = _locked(call, request)
        try:
            reply = bound.handle(call, request)
        except BufferTooSmallError:
            raise
        except Exception as error:
            told = self._told(row, bound.command, call, request, _result(call, error))
            self._note({**told, **before}, call)
            self._note_locks(call, request, locked)
            raise
        told = {
            **self._told(row, bound.command, call, request, CKR.OK),
            **before,
            **_made(row, call, reply),
            **row.tells(call),
        }
        if row.ends:
            self._note_anyway(told)
        else:
            self._note(told, call)
        return reply

    def _require(self) -> None:
        try:
            self._audit.require()
        except StoreFullError as error:
            detail = f"nothing is done that the audit log has no room for: {error}"
            raise Pkcs11Error(CKR.DEVICE_MEMORY, detail) from error

    def _note(self, told: Told, call: Call) -> None:
        uid = call.client.identity.uid
        bounded = told["result"] not in {f"CKR_{rv.name}" for rv in _UNBOUNDED}
        self._audit.note(told, about=uid if bounded else None)

    def _note_anyway(self, told: Told) -> None:
        """Note what is done already, and stays done."""
        try:
            self._audit.note(told)
        except StoreError as error:
            _log.error("an event could not be noted: %s", error)

    def _note_locks(self, call: Call, request: object, before: TokenFlag) -> None:
        """Note whose PIN is locked now for the client and was not before."""
        for flag in _locked(call, request) & ~before:
            told = {"event": "lock", "result": "CKR_OK", "user": _LOCKS[flag]}
            self._note({**told, **naming.client(call.client.identity), **_where(call, request)}, call)

    def _told(self, row: Row, command: Command[Any], call: Call, request: object, rv: CKR) -> Told:
        return {
            "event": row.event,
            "result": f"CKR_{rv.name}",
            "function": command.function or command.name,
            **naming.client(call.client.identity),
            **_where(call, request),
            **naming.request(request),
        }

    @staticmethod
    def _before(row: Row, call: Call, request: object) -> Told:
        """Tell of the objects that a request names, while they are there."""
        told: Told = {
            name: naming.named(call.session, getattr(request, of))
            for name, of in row.named.items()
            if hasattr(request, of)
        }
        operation = call.session.operations.latest(row.uses) if row.uses else None
        if operation is not None:
            told["mechanism"] = naming.mechanism(operation.spec.mechanism)
            told["key"] = naming.described(operation.key) if operation.key else {}
        return told


def _result(call: Call, error: Exception) -> CKR:
    """Return what the client is told."""
    if isinstance(error, Pkcs11Error) and hasattr(call, "session"):
        return call.session.token.policy.answer(error.rv, error.optee)
    return answer_to(error)


def _token(call: Call, request: object) -> Token | None:
    """Return the token that a call is about, where there is one that the client may see."""
    if hasattr(call, "session"):
        return call.session.token
    slot = getattr(request, "slot", None)
    try:
        return None if slot is None else call.client.token(slot)
    except (Pkcs11Error, StoreError, TamperedError):
        return None


def _where(call: Call, request: object) -> Told:
    token = _token(call, request)
    if token is not None:
        return naming.token(token)
    slot = getattr(request, "slot", None)
    return {} if slot is None else {"slot": slot}


def _made(row: Row, call: Call, reply: Answer) -> Told:
    """Tell of the objects whose handles a reply begins with."""
    handles = [handle for (handle,) in _HANDLE.iter_unpack(reply[: min(4 * row.makes, len(reply) & ~3)]) if handle]
    return {"made": [naming.named(call.session, handle) for handle in handles]} if handles else {}


def _locked(call: Call, request: object) -> TokenFlag:
    """Return whose PINs are locked for the client, where the request has one."""
    token = _token(call, request) if hasattr(request, "pin") or hasattr(request, "old_pin") else None
    if token is None:
        return TokenFlag(0)
    return token.state.flags(token.policy.counted_as(call.client.identity)) & _ALL_LOCKS
