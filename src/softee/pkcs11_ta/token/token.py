# SPDX-License-Identifier: Apache-2.0
"""A token: its sealed state, its objects, who is logged in, and the user key while somebody is."""

import threading
from collections.abc import Hashable
from typing import Protocol
from uuid import UUID

from softee.names import CKU
from softee.pkcs11_ta.token.change_count import ChangeCount
from softee.pkcs11_ta.token.objects import TokenObjects
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.presented import PresentedObjects
from softee.pkcs11_ta.token.state import TokenState, decode_state
from softee.tee.keys import wipe
from softee.tee.sealing import SealKey
from softee.tee.vault import Vault


class TokenSession(Protocol):
    """What a token must know of a session that is open with it."""

    @property
    def read_write(self) -> bool:
        """The session may change token objects."""
        ...


class Token:
    """One token in its slot.

    ``lock`` guards the state, the vault's changes, sessions and logins, and is held for moments only. ``pin_lock``
    makes PIN checks wait for each other, so that right PINs given at the same time never use up the tries; it is taken
    before ``lock`` and held during the costly computation.
    """

    def __init__(self, vault: Vault, installation: UUID, policy: Policy, changes: ChangeCount) -> None:
        self.slot = changes.place
        self.policy = policy
        self.vault = vault
        self.lock = threading.RLock()
        self.pin_lock = threading.Lock()
        self.changes = changes
        self.objects = TokenObjects(vault, changes)
        self.presented = PresentedObjects(policy)
        self.state: TokenState = decode_state(vault.head)
        self.sessions: set[TokenSession] = set()
        self.logins: dict[Hashable, CKU] = {}
        self.serial_number = f"{_serial(installation, self.slot):016x}"
        self._user_key: bytearray | None = None
        self._seal_key: SealKey | None = None

    @property
    def pin_secret(self) -> bytes:
        """What a PIN is mixed with: 32 bytes that take the root key and this token's vault to know."""
        return self.vault.derive("pin")

    @property
    def identity_secret(self) -> bytes:
        """What wraps the user key for a TEE identity: likewise."""
        return self.vault.derive("identity")

    @property
    def user_key(self) -> bytearray | None:
        """The secret that seals private objects; None while nobody is logged in. Not to be kept."""
        return self._user_key

    def is_free(self) -> bool:
        """Say whether ``lock`` could be had at once, at this moment."""
        free = self.lock.acquire(blocking=False)
        if free:
            self.lock.release()
        return free

    def store(self, state: TokenState) -> None:
        """Put a state on the disk. What C_GetTokenInfo shows is ``state``, which the caller sets when it is true.

        Raises:
            StoreError: nothing has changed.

        """
        with self.lock:
            change = self.vault.change()
            change.set_head(state.encode())
            change.commit()

    def reset(self, state: TokenState) -> None:
        """Replace the state and destroy all objects, together (C_InitToken)."""
        with self.lock:
            change = self.vault.change()
            change.clear()
            change.set_head(state.encode())
            with self.changes.changing():
                change.commit()
            self.state = state
            self.objects.forget_all()

    def hold_user_key(self, client: Hashable, user: CKU, user_key: bytearray) -> None:
        """Log a client in. ``user_key`` is what its PIN has opened; the first login's is kept until the last logout."""
        with self.lock:
            self.logins[client] = user
            if self._user_key is None:
                self._user_key = bytearray(user_key)
                self._seal_key = SealKey(user_key)
                self.objects.admit(self._seal_key)

    def forget_user_key(self) -> None:
        """Let go of the user key, and of what it has opened."""
        self.objects.dismiss()
        if self._seal_key is not None:
            self._seal_key.wipe()
        if self._user_key is not None:
            wipe(self._user_key)
        self._seal_key = self._user_key = None


def _serial(installation: UUID, slot: int) -> int:
    """Return 64 bits, unique per installation and slot, that never change: the UUID's first half plus the slot."""
    return ((installation.int >> 64) + slot) & 0xFFFFFFFFFFFFFFFF
