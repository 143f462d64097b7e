# SPDX-License-Identifier: Apache-2.0
"""A vault against a dictionary: any changes, failed commits and restarts, and both always show the same."""

from contextlib import suppress
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from softee.stores.base import StoreError
from softee.stores.memory import MemoryStore
from softee.tee.sealing import SealKey
from softee.tee.vault import Change
from support.stores import FailingStore, open_storage

USER_KEY = SealKey(bytes(32))
COLOURS = (b"red", b"green", b"blue")
contents = st.binary(max_size=20)
colours = st.sets(st.sampled_from(COLOURS))


@dataclass(frozen=True)
class Thing:
    """What the model knows of an object."""

    content: bytes
    compartment: int
    colours: frozenset[bytes]


class VaultMachine(RuleBasedStateMachine):
    """``things`` and ``head`` are committed; ``new_things`` and ``new_head`` are what the open change makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FailingStore(MemoryStore())
        self.vault = open_storage(self.store).vault("slot-0")
        self.things: dict[int, Thing] = {}
        self.head = b""
        self.used: set[int] = set()
        self.change: Change | None = None
        self.new_things: dict[int, Thing] = {}
        self.new_head = b""

    def key(self, compartment: int) -> SealKey:
        return USER_KEY if compartment else self.vault.key

    def terms(self, colours: set[bytes] | frozenset[bytes]) -> list[bytes]:
        return [self.vault.key.term(colour) for colour in colours]

    def open_change(self) -> Change:
        if self.change is None:
            self.change = self.vault.change()
            self.new_things, self.new_head = dict(self.things), self.head
        return self.change

    @rule(content=contents, compartment=st.integers(0, 1), colours=colours)
    def add(self, content: bytes, compartment: int, colours: set[bytes]) -> None:
        number = self.open_change().add(content, self.key(compartment), compartment, self.terms(colours))
        assert number not in self.used
        self.new_things[number] = Thing(content, compartment, frozenset(colours))

    @rule(data=st.data(), content=contents, compartment=st.integers(0, 1), colours=colours)
    def replace(self, data: st.DataObject, content: bytes, compartment: int, colours: set[bytes]) -> None:
        change = self.open_change()
        if self.new_things:
            number = data.draw(st.sampled_from(sorted(self.new_things)))
            change.replace(number, content, self.key(compartment), compartment, self.terms(colours))
            self.new_things[number] = Thing(content, compartment, frozenset(colours))

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        change = self.open_change()
        if self.new_things:
            number = data.draw(st.sampled_from(sorted(self.new_things)))
            change.remove(number)
            del self.new_things[number]

    @rule(count=st.integers(100, 300))
    def add_many(self, count: int) -> None:
        for _ in range(count):
            self.add(b"", 0, {b"red"})

    @rule()
    def clear(self) -> None:
        self.open_change().clear()
        self.new_things.clear()

    @rule(data=contents)
    def set_head(self, data: bytes) -> None:
        self.open_change().set_head(data)
        self.new_head = data

    @precondition(lambda self: self.change is not None)
    @rule()
    def commit(self) -> None:
        assert self.change is not None
        self.change.commit()
        self.change = None
        self.used |= self.new_things.keys()
        self.things, self.head = self.new_things, self.new_head

    @precondition(lambda self: self.change is not None)
    @rule()
    def commit_fails(self) -> None:
        assert self.change is not None
        self.store.failing = True
        with suppress(StoreError):  # a change of nothing does not ask the store
            self.change.commit()
        self.store.failing = False
        self.change = None

    @rule()
    def restart(self) -> None:
        self.change = None
        self.vault = open_storage(self.store).vault("slot-0")

    @invariant()
    def vault_and_model_show_the_same(self) -> None:
        assert self.vault.head == self.head
        assert self.vault.find([]) == sorted(self.things)
        for colour in COLOURS:
            having = sorted(number for number, thing in self.things.items() if colour in thing.colours)
            assert self.vault.find(self.terms({colour})) == having
        for number in sorted(self.things)[-20:]:
            thing, entry = self.things[number], self.vault.entries[number]
            assert self.vault.read(number, self.key(thing.compartment)) == thing.content
            assert entry.compartment == thing.compartment
            assert entry.terms == frozenset(self.terms(thing.colours))


TestVaultMachine = VaultMachine.TestCase
TestVaultMachine.settings = settings(max_examples=40, stateful_step_count=30)
