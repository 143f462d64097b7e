# SPDX-License-Identifier: Apache-2.0
"""What whoever operates the secure world may ask it, root and its own user.

A copy of the store while it runs, which is sealed as it is on the disk: no key is in it that the disk does not hold.
That a token is left by all who have sessions with it, so that it can be initialized. Who does what, what is wrong, and
how the audit log ends.

A trusted application of the daemon's own, on the same socket as all others.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from softee.daemon.health import health
from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.shut_tokens import end_sessions, slots_of
from softee.names import OPERATOR_APPLICATION, OperatorCommand, ParamType, TeeResult
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.token.slots import Slots
from softee.pkcs11_ta.token.token import Token
from softee.stores.base import Store, StoreError
from softee.stores.requests import Records, encode, row
from softee.tee.application import ClientIdentity, TeeError, TrustedApplication
from softee.tee.audit import END, LATEST, note
from softee.tee.parameters import ParameterError, output_buffer, value
from softee.tee.sealing import TamperedError
from softee.wire.values import Params

if TYPE_CHECKING:
    from softee.daemon.metrics.statistics import Statistics

log = logging.getLogger(__name__)

LEFT_WITHIN: Final = 10.0
"""Seconds that running commands have to end where a token is shut."""
_LOOK_EVERY: Final = 0.01


class OperatorApplication:
    """The application, over the store that all others share, and beside them."""

    uuid: UUID = OPERATOR_APPLICATION

    def __init__(
        self,
        store: Store,
        applications: Sequence[TrustedApplication] = (),
        counts: SharedCounts | None = None,
        all_workers: Callable[[], bool] = lambda: True,
    ) -> None:
        """Take the store, the applications that it is asked about, and what tells whether all workers serve."""
        slots = slots_of(applications)
        self._store = store
        self._slots = slots
        self._applications = applications
        self._counts = counts
        self._health = lambda: health(store, slots, all_workers)

    def open_session(self, client: ClientIdentity, params: Params) -> "OperatorSession":  # noqa: ARG002 - nothing to ask
        """Open a session. Raises TEE_ERROR_ACCESS_DENIED for whoever is neither root nor the secure world's user."""
        if client.uid not in {0, os.geteuid()}:
            raise TeeError(TeeResult.ACCESS_DENIED, f"uid {client.uid} is not the operator")
        return OperatorSession(self._store, client, self._health, self._slots, self._statistics())

    def _statistics(self) -> "Statistics | None":
        if self._counts is None:
            return None
        from softee.daemon.metrics.statistics import Statistics  # noqa: PLC0415 - a secure world starts sooner without

        return Statistics(self._counts, self._applications)


class OperatorSession:
    """One TEE session, with the copy that was begun in it, and the tokens that it keeps shut."""

    def __init__(
        self,
        store: Store,
        client: ClientIdentity,
        get_health: Callable[[], int],
        slots: Slots | None = None,
        statistics: "Statistics | None" = None,
    ) -> None:
        self._store = store
        self._client = client
        self._health = get_health
        self._slots = slots
        self._guard = threading.Lock()
        self._copy = b""
        self._shut: list[Token] = []
        self._commands: dict[int, Callable[[Params], TeeResult]] = {
            OperatorCommand.BEGIN_COPY: partial(self._begin, self._records),
            OperatorCommand.READ_COPY: self._read,
            OperatorCommand.SHUT_TOKEN: self._shut_token,
            OperatorCommand.AUDIT_END: self._audit_end,
            OperatorCommand.BEGIN_AUDIT_LATEST: partial(self._begin, self._latest_events),
            OperatorCommand.HEALTH: self._tell_health,
        }
        if statistics is not None:
            self._commands[OperatorCommand.BEGIN_STATISTICS] = partial(self._begin, statistics.encoded)
            self._commands[OperatorCommand.BEGIN_OBJECTS] = partial(self._begin, statistics.encoded_objects)

    def invoke(self, command: int, params: Params) -> TeeResult:
        """Run a command."""
        run = self._commands.get(command)
        if run is None:
            raise TeeError(TeeResult.NOT_SUPPORTED, f"there is no command {command}")
        with self._guard:
            return run(params)

    def is_quick(self, command: int, params: Params) -> bool:  # noqa: ARG002 - the Protocol's
        """Say that all take their time."""
        return False

    def wait(self, command: int, params: Params) -> float:  # noqa: ARG002 - the Protocol's
        """Let nothing wait."""
        return 0.0

    def close(self, *, returns: bool = False) -> None:  # noqa: ARG002 - the Protocol's
        """Forget the copy, and let sessions be opened again with the tokens that are shut."""
        self._copy = b""
        while self._shut:
            self._shut.pop().reopen()

    def _note(self, event: str, **told: object) -> None:
        """Note what the operator does. Raises TEE_ERROR_STORAGE_NOT_AVAILABLE: it must be noted, and cannot."""
        try:
            note(self._store, {"event": event, "uid": self._client.uid, "pid": self._client.pid, **told})
        except StoreError as error:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, str(error)) from error

    def _records(self) -> bytes:
        self._note("backup")
        return encode(Records([row(key, record) for key, record in self._store.range(b"")]))

    def _begin(self, made: Callable[[], bytes], params: Params) -> TeeResult:
        """Keep what is made now."""
        size = value(params[0], "parameter 0")
        try:
            self._copy = made()
        except StoreError as error:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, str(error)) from error
        size.a, size.b = len(self._copy) & 0xFFFFFFFF, len(self._copy) >> 32
        return TeeResult.SUCCESS

    def _audit_end(self, params: Params) -> TeeResult:
        target = output_buffer(params[0], "parameter 0")
        try:
            told = self._store.get(END)
        except StoreError as error:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, str(error)) from error
        if told is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "there is no audit log")
        return TeeResult.SUCCESS if target.reply(told.value) else TeeResult.SHORT_BUFFER

    def _latest_events(self) -> bytes:
        told = self._store.get(LATEST)
        return b"" if told is None else told.value

    def _read(self, params: Params) -> TeeResult:
        place = value(params[0], "parameter 0")
        target = output_buffer(params[1], "parameter 1")
        begin = place.a | place.b << 32
        target.reply(self._copy[begin : begin + target.capacity])
        return TeeResult.SUCCESS

    def _shut_token(self, params: Params) -> TeeResult:
        asked = value(params[0], "parameter 0")
        if asked.type is not ParamType.VALUE_INOUT:
            raise ParameterError("parameter 0 must go both ways")
        token = self._token(asked.a)
        self._note("shut-token", slot=token.slot, token=token.serial_number)
        before = token.session_count().all
        if token not in self._shut:
            token.shut()
            self._shut.append(token)
        end_sessions(token)
        asked.b = _left(token)
        asked.a = max(0, before - asked.b)
        log.info("an operator has shut the token in slot %d: %d sessions were ended", token.slot, asked.a)
        return TeeResult.SUCCESS

    def _tell_health(self, params: Params) -> TeeResult:
        value(params[0], "parameter 0").a = self._health()
        return TeeResult.SUCCESS

    def _token(self, slot: int) -> Token:
        if self._slots is None:
            raise TeeError(TeeResult.NOT_SUPPORTED, "there are no tokens here")
        try:
            return self._slots.token(slot)
        except Pkcs11Error as error:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, error.detail) from error
        except (StoreError, TamperedError) as error:
            raise TeeError(TeeResult.CORRUPT_OBJECT, str(error)) from error


def _left(token: Token) -> int:
    """Return how many sessions are left with a shut token when no more of them end, or it takes too long."""
    until = time.monotonic() + LEFT_WITHIN
    while (left := token.session_count().all) and time.monotonic() < until:
        time.sleep(_LOOK_EVERY)
    return left
