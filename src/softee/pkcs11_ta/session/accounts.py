# SPDX-License-Identifier: Apache-2.0
"""How much memory the session objects of a uid take, of all its clients together: none takes what others need."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Final

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error

MOST_OF_A_UID: Final = 128 << 20
"""Bytes of all session objects of a uid."""


class Accounts:
    """Bytes by uid. Safe to use from several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._bytes: Counter[int] = Counter()

    def of(self, uid: int) -> "Account":
        """Return what a uid's clients book on."""
        return Account(self, uid)

    def book(self, uid: int, size: int) -> None:
        """Add to what a uid takes; a negative size gives back. Raises CKR_DEVICE_MEMORY, and then nothing is added."""
        with self._guard:
            if size > 0 and self._bytes[uid] + size > MOST_OF_A_UID:
                detail = f"the session objects of a uid may take {MOST_OF_A_UID} bytes; destroy some"
                raise Pkcs11Error(CKR.DEVICE_MEMORY, detail)
            self._bytes[uid] += size
            if not self._bytes[uid]:
                del self._bytes[uid]


class Account:
    """One uid's part of the accounts."""

    def __init__(self, accounts: Accounts, uid: int) -> None:
        self._accounts = accounts
        self._uid = uid

    def book(self, size: int) -> None:
        """Add to what the uid takes. Raises as ``Accounts.book``."""
        self._accounts.book(self._uid, size)


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What one client may have: sessions, and what its uid may still book."""

    sessions: int
    account: Account
