# SPDX-License-Identifier: Apache-2.0
"""Who owns the disk, keeps whatever was ever written to it, and may cut the power at any step, gets no free guess.

A try of a PIN is counted by a change of the head alone, and checked when that has returned. Whatever the attacker puts
back, no state that is taken has fewer tries counted than were checked.
"""

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from softee.stores.base import StoreError
from softee.stores.memory import MemoryStore
from softee.tee.anchor import AnchoredStore, AnchorError
from softee.tee.sealing import TamperedError
from support.anchors import FakeCounter, WatchedStore
from support.stores import ROOT_KEY, open_storage, restore

if TYPE_CHECKING:
    from softee.tee.vault import Vault

CRASHES = st.sampled_from(["none", "before the store", "before the counter", "after the counter"])


class Anchor(RuleBasedStateMachine):
    """One installation, its counter, and all that its disk ever held."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = FakeCounter()
        self.seen: list[dict[bytes, bytes]] = [{}]
        self.checked = 0
        self.store: AnchoredStore | None = None
        self.disk = WatchedStore(self.seen)
        self.vault: Vault | None = None

    @initialize()
    def found(self) -> None:
        """The first start."""
        assert self.start({})

    def start(self, records: dict[bytes, bytes]) -> bool:
        """Start with these records; tell whether that is taken."""
        self.store = self.vault = None
        plain = MemoryStore()
        restore(plain, records)
        self.disk = WatchedStore(self.seen)
        MemoryStore.commit(self.disk, expected={}, puts=records)
        try:
            self.store = AnchoredStore(self.disk, self.counter, ROOT_KEY)
            self.vault = open_storage(self.store).vault("slot-0")
        except (TamperedError, StoreError, AnchorError):
            return False
        return True

    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        """The attacker puts back whatever he has ever seen; where it is refused, what was there last is taken again."""
        now = dict(self.seen[-1]) if self.vault is None else {k: r.value for k, r in self.disk.range(b"")}
        if not self.start(dict(data.draw(st.sampled_from(self.seen)))):
            self.start(now)

    @rule(data=st.data())
    def cut_the_power_while_it_starts(self, data: st.DataObject) -> None:
        """It starts, and does not get to its end."""
        self.counter.fails_before = data.draw(st.booleans())
        self.counter.fails_after = not self.counter.fails_before
        self.start(dict(data.draw(st.sampled_from(self.seen))))
        self.counter.fails_before = self.counter.fails_after = False
        self.store = self.vault = None

    @rule(crash=CRASHES)
    def try_a_pin(self, crash: str) -> None:
        """Count a try, and check it where that has returned."""
        if self._change(crash, counted=1):
            self.checked += 1

    @rule(crash=CRASHES)
    def change_an_object(self, crash: str) -> None:
        self._change(crash, counted=0)

    @rule(crash=CRASHES)
    def a_second_passes(self, crash: str) -> None:
        if self.store is not None:
            self._do(crash, self.store.settle)

    def _change(self, crash: str, counted: int) -> bool:
        vault = self.vault
        if vault is None:
            return False
        change = vault.change()
        if counted:
            change.set_head(b"x" * (len(vault.head) + 1))
        else:
            change.add(b"object", vault.key, 0, [])
        return self._do(crash, change.commit)

    def _do(self, crash: str, step: object) -> bool:
        """Do a step, and have the process end where it crashes."""
        assert callable(step)
        self.disk.refuses = crash == "before the store"
        self.counter.fails_before = crash == "before the counter"
        self.counter.fails_after = crash == "after the counter"
        try:
            step()
        except (StoreError, AnchorError):
            if self.disk.refuses or not self.checked % 2:  # else it goes on, as a process that outlives the failure
                self.store = self.vault = None
            return False
        finally:
            self.disk.refuses = self.counter.fails_before = self.counter.fails_after = False
        return True

    @invariant()
    def no_try_was_free(self) -> None:
        if self.vault is not None:
            self.vault.refresh()
            assert len(self.vault.head) >= self.checked


TestAnchor = Anchor.TestCase
TestAnchor.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
