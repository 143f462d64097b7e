# SPDX-License-Identifier: Apache-2.0
"""Several PKCS#11 applications in this process that serve the same tokens, as worker processes do."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator

from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.token.neighbours import SessionCount
from softee.pkcs11_ta.token.policy import Policy
from softee.stores.base import Store
from softee.stores.memory import MemoryStore
from softee.stores.shown import ShownStore
from softee.tee.secure_storage import SecureStorage, head_keys
from support.token_world import AS_OPTEE, CHEAP, NOW, ROOT_KEY


class Family:
    """What its members have in common: the store, what is shown of it, turns and counts."""

    def __init__(self, store: Store | None = None, *, slots: int = 1, policy: Policy = AS_OPTEE) -> None:
        below = store or MemoryStore()
        self.shown = [0] * (len(vaults(slots)) + 1)
        self.turns: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self.counts: dict[tuple[int, int], SessionCount] = {}
        self.shut: dict[tuple[int, int], int] = {}
        self._policies = [policy] * slots
        SecureStorage(below, ROOT_KEY, PKCS11_APPLICATION, vaults(slots))
        self.store = ShownStore(below, head_keys(PKCS11_APPLICATION, vaults(slots)), self.shown)

    def member(self, number: int, store: Store | None = None) -> Pkcs11Application:
        """Return a new application, over a store of its own making where one is given."""
        names = vaults(len(self._policies))
        storage = SecureStorage(store or self.store, ROOT_KEY, PKCS11_APPLICATION, names, self.shown)
        return Pkcs11Application(
            storage,
            clock=lambda: NOW,
            policies=self._policies,
            pin_cost=CHEAP,
            neighbours=FamilyNeighbours(self, number),
        )


class FamilyNeighbours:
    """The others of a family, as one of its members sees them."""

    def __init__(self, family: Family, number: int) -> None:
        self._family = family
        self._number = number

    @contextlib.contextmanager
    def turn(self, slot: int) -> Iterator[None]:
        with self._family.turns[slot]:
            yield

    def tell(self, slot: int, count: SessionCount) -> None:
        self._family.counts[self._number, slot] = count

    def elsewhere(self, slot: int) -> SessionCount:
        total = SessionCount()
        for (number, its), count in self._family.counts.items():
            if its == slot and number != self._number:
                total = total.plus(count)
        return total

    @contextlib.contextmanager
    def alone(self, slot: int) -> Iterator[bool]:
        yield not self.elsewhere(slot).all

    def shut(self, slot: int, times: int) -> None:
        self._family.shut[self._number, slot] = times

    def is_shut(self, slot: int) -> bool:
        return any(
            times and its == slot and number != self._number for (number, its), times in self._family.shut.items()
        )
