# SPDX-License-Identifier: Apache-2.0
"""The slots: which there are, and the token in each."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.token.neighbours import NOBODY, Neighbours
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.token import Token, serial_number
from softee.tee.secure_storage import SecureStorage

if TYPE_CHECKING:
    from uuid import UUID


_PREFIX = "token-"


def vault_names(slots: int) -> tuple[str, ...]:
    """Return the names of the vaults that an application with so many slots needs."""
    return tuple(f"{_PREFIX}{slot}" for slot in range(slots))


def is_token(vault: str) -> bool:
    """Tell whether a vault of that name is a token's."""
    return vault.startswith(_PREFIX)


class Slots:
    """Slots, numbered from 0, each with a policy, over a secure storage that has the vaults of ``vault_names``."""

    def __init__(self, storage: SecureStorage, policies: Sequence[Policy], neighbours: Neighbours = NOBODY) -> None:
        self.count = len(policies)
        self._policies = tuple(policies)
        self.installation: UUID = storage.installation
        self._storage = storage
        self._neighbours = neighbours
        self._current_at = -1
        """The newest revision of any token at which all that are open were current."""
        self._tokens: dict[int, Token] = {}
        self._opening = threading.Lock()

    def require_slot(self, slot: int) -> None:
        """Raise CKR_SLOT_ID_INVALID where there is no such slot."""
        if not 0 <= slot < self.count:
            raise Pkcs11Error(CKR.SLOT_ID_INVALID, f"there is no slot {slot}, only 0 to {self.count - 1}")

    def policy(self, slot: int) -> Policy:
        """Return what a slot's token allows, without opening it. Raises CKR_SLOT_ID_INVALID."""
        self.require_slot(slot)
        return self._policies[slot]

    def serial_numbers(self) -> list[str]:
        """Return the serial numbers of all slots' tokens, without opening them."""
        return [serial_number(self.installation, slot) for slot in range(self.count)]

    def opened(self, slot: int) -> Token | None:
        """Return a slot's token as it was last seen, if it is open."""
        return self._tokens.get(slot)

    def is_free(self, slot: int) -> bool:
        """Say whether a slot's token is open and free at this moment, or there is no such slot."""
        token = self._tokens.get(slot)
        return token.is_free() if token else not 0 <= slot < self.count

    def opens_at_once(self, slot: int) -> bool:
        """Say whether a session with a slot's token could be opened at once, or there is no such slot."""
        token = self._tokens.get(slot)
        return token.opens_at_once() if token else not 0 <= slot < self.count

    def are_current(self) -> bool:
        """Say whether no token that is open here was changed by another secure world since it was last looked at."""
        if self._neighbours is NOBODY:
            return True
        newest = self._storage.newest_shown
        if newest != self._current_at:
            if any(token.vault.is_behind for token in list(self._tokens.values())):
                return False
            self._current_at = newest
        return True

    def token(self, slot: int) -> Token:
        """Return a slot's token, as it is now.

        It is opened when it is first asked for, so that a damaged one hurts no other.

        Raises:
            Pkcs11Error: CKR_SLOT_ID_INVALID.
            TamperedError: its vault is damaged.
            StoreError: the store failed.

        """
        token = self._tokens.get(slot)
        if token is not None:
            token.keep_up()
            return token
        self.require_slot(slot)
        with self._opening:
            if slot not in self._tokens:
                vault = self._storage.vault(vault_names(self.count)[slot])
                policy = self._policies[slot]
                self._tokens[slot] = Token(slot, vault, self.installation, policy, self._neighbours)
            return self._tokens[slot]
