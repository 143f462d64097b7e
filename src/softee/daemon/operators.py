# SPDX-License-Identifier: Apache-2.0
"""What whoever operates the secure world may ask it, root and its own user: a copy of the store while it runs.

A trusted application of the daemon's own, on the same socket as all others. What it gives is sealed as it is on the
disk: no key is in it that the disk does not hold.
"""

import os
import threading
from uuid import UUID

from softee.names import OPERATOR_APPLICATION, OperatorCommand, TeeResult
from softee.stores.base import Store, StoreError
from softee.stores.requests import Records, encode, row
from softee.tee.application import ClientIdentity, TeeError
from softee.tee.parameters import output_buffer, value
from softee.wire.values import Params


class OperatorApplication:
    """The application, over the store that all others share."""

    uuid: UUID = OPERATOR_APPLICATION

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_session(self, client: ClientIdentity, params: Params) -> "OperatorSession":  # noqa: ARG002 - nothing to ask
        """Open a session. Raises TEE_ERROR_ACCESS_DENIED for whoever is neither root nor the secure world's user."""
        if client.uid not in {0, os.geteuid()}:
            raise TeeError(TeeResult.ACCESS_DENIED, f"uid {client.uid} is not the operator")
        return OperatorSession(self._store)


class OperatorSession:
    """One TEE session, with the copy that was begun in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._copy = b""

    def invoke(self, command: int, params: Params) -> TeeResult:
        """Run a command."""
        with self._guard:
            if command == OperatorCommand.BEGIN_COPY:
                return self._begin(params)
            if command == OperatorCommand.READ_COPY:
                return self._read(params)
        raise TeeError(TeeResult.NOT_SUPPORTED, f"there is no command {command}")

    def is_quick(self, command: int, params: Params) -> bool:  # noqa: ARG002 - the Protocol's
        """Say that all take their time."""
        return False

    def wait(self, command: int, params: Params) -> float:  # noqa: ARG002 - the Protocol's
        """Let nothing wait."""
        return 0.0

    def close(self, *, returns: bool = False) -> None:  # noqa: ARG002 - the Protocol's
        """Forget the copy."""
        self._copy = b""

    def _begin(self, params: Params) -> TeeResult:
        size = value(params[0], "parameter 0")
        try:
            self._copy = encode(Records([row(key, record) for key, record in self._store.range(b"")]))
        except StoreError as error:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, str(error)) from error
        size.a, size.b = len(self._copy) & 0xFFFFFFFF, len(self._copy) >> 32
        return TeeResult.SUCCESS

    def _read(self, params: Params) -> TeeResult:
        place = value(params[0], "parameter 0")
        target = output_buffer(params[1], "parameter 1")
        begin = place.a | place.b << 32
        target.reply(self._copy[begin : begin + target.capacity])
        return TeeResult.SUCCESS
