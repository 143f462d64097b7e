# SPDX-License-Identifier: Apache-2.0
"""The operations that a client has saved (C_GetOperationState), and may go on with (C_SetOperationState).

They never leave the secure world, nor outlive the client's connection to it. What the application gets is a random
number that nobody can guess, and that means nothing to another client.
"""

import os
import threading
from dataclasses import dataclass, field
from typing import Final

from softee.names import CKR, CKS
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import DigestOperation
from softee.pkcs11_ta.session.operations import Operation
from softee.pkcs11_ta.token.token import Token

STATE_SIZE: Final = 32
"""Bytes of the number that a saved state has."""

MAX_STATES: Final = 256
"""A client's saved states. PKCS#11 has no way to give one back, so the oldest makes room for a new one."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A digest as it was when it was saved, and where: a session of another token or state does not go on with it."""

    token: Token
    session_state: CKS
    operation: Operation[DigestOperation]

    def taken(self) -> Operation[DigestOperation]:
        """Return an operation to go on with; the saved one stays as it is."""
        return self.operation.as_far(self.operation.running.copy())


@dataclass(slots=True)
class SavedStates:
    """One client's. Its sessions run at the same time."""

    _saved: dict[bytes, SavedState] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def save(self, token: Token, session_state: CKS, operation: Operation[DigestOperation]) -> bytes:
        """Keep an operation as it is now, and return its number."""
        number = os.urandom(STATE_SIZE)
        copied = operation.as_far(operation.running.copy())
        with self._lock:
            if len(self._saved) >= MAX_STATES:
                del self._saved[next(iter(self._saved))]
            self._saved[number] = SavedState(token, session_state, copied)
        return number

    def find(self, number: bytes, token: Token, session_state: CKS) -> SavedState:
        """Return what was saved under a number in such a session. Raises CKR_SAVED_STATE_INVALID."""
        with self._lock:
            saved = self._saved.get(number)
        if saved is None:
            raise Pkcs11Error(CKR.SAVED_STATE_INVALID, "this client has no saved state of this number, or no more")
        if saved.token is not token or saved.session_state is not session_state:
            raise Pkcs11Error(CKR.SAVED_STATE_INVALID, "the state was saved with another token, or in another state")
        return saved
