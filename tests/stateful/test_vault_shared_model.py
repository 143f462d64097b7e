# SPDX-License-Identifier: Apache-2.0
"""Three secure worlds over one store, against one plain dictionary: whatever each does, none is lost and all agree."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from softee.stores.base import ConflictError
from softee.stores.memory import MemoryStore
from softee.stores.shown import ShownStore
from softee.tee.secure_storage import head_keys
from softee.tee.vault import Change, Vault
from support.stores import APPLICATION, VAULTS, open_storage

WORLDS = st.integers(0, 2)
CONTENTS = st.binary(max_size=20)
COLOURS = (b"red", b"green")


class ThreeWorlds(RuleBasedStateMachine):
    """``things`` and ``head`` are what is committed; ``known`` is the epoch up to which each world has looked."""

    def __init__(self) -> None:
        super().__init__()
        below, self.numbers = MemoryStore(), [0] * (len(VAULTS) + 1)
        open_storage(below)
        self.store = ShownStore(below, head_keys(APPLICATION, VAULTS), self.numbers)
        self.worlds = [self.open() for _ in range(3)]
        self.known = [0, 0, 0]
        self.epoch = 0
        self.things: dict[int, tuple[bytes, bytes]] = {}
        self.head = b""
        self.used: set[int] = set()

    def open(self) -> Vault:
        return open_storage(self.store, shown=self.numbers).vault("slot-0")

    def begin(self, world: int) -> Change:
        """Begin a change in a world; where it is behind, such a change first fails and alters nothing."""
        vault = self.worlds[world]
        if self.known[world] < self.epoch:
            late = vault.change()
            late.set_head(b"too late")
            try:
                late.commit()
            except ConflictError:
                self.look(world)
            else:
                raise AssertionError("a change that was begun on an old head was committed")
        return vault.change()

    def end(self, world: int, change: Change) -> None:
        change.commit()
        self.epoch += 1
        self.known[world] = self.epoch

    @rule(world=WORLDS, content=CONTENTS, colour=st.sampled_from(COLOURS))
    def add(self, world: int, content: bytes, colour: bytes) -> None:
        change, vault = self.begin(world), self.worlds[world]
        number = change.add(content, vault.key, 0, [vault.key.term(colour)])
        assert number not in self.used
        self.end(world, change)
        self.used.add(number)
        self.things[number] = content, colour

    @rule(world=WORLDS, data=st.data(), content=CONTENTS, colour=st.sampled_from(COLOURS))
    def replace(self, world: int, data: st.DataObject, content: bytes, colour: bytes) -> None:
        if self.things:
            number = data.draw(st.sampled_from(sorted(self.things)))
            change, vault = self.begin(world), self.worlds[world]
            change.replace(number, content, vault.key, 0, [vault.key.term(colour)])
            self.end(world, change)
            self.things[number] = content, colour

    @rule(world=WORLDS, data=st.data())
    def remove(self, world: int, data: st.DataObject) -> None:
        if self.things:
            number = data.draw(st.sampled_from(sorted(self.things)))
            change = self.begin(world)
            change.remove(number)
            self.end(world, change)
            del self.things[number]

    @rule(world=WORLDS, content=CONTENTS)
    def set_head(self, world: int, content: bytes) -> None:
        change = self.begin(world)
        change.set_head(content)
        self.end(world, change)
        self.head = content

    @rule(world=WORLDS)
    def look(self, world: int) -> None:
        self.worlds[world].refresh()
        self.known[world] = self.epoch

    @rule(world=WORLDS)
    def restart(self, world: int) -> None:
        self.worlds[world] = self.open()
        self.known[world] = self.epoch

    @rule(world=WORLDS, data=st.data())
    def read(self, world: int, data: st.DataObject) -> None:
        """A world that is behind gives the newest content, or says that it is behind: never an old one."""
        vault = self.worlds[world]
        if vault.entries:
            number = data.draw(st.sampled_from(sorted(vault.entries)))
            try:
                content = vault.read(number, vault.key)
            except ConflictError:
                assert self.known[world] < self.epoch
            else:
                assert content == self.things[number][0]

    @invariant()
    def each_world_knows_whether_it_is_behind(self) -> None:
        assert [vault.is_behind for vault in self.worlds] == [known < self.epoch for known in self.known]

    @invariant()
    def a_world_that_is_not_behind_shows_what_the_model_does(self) -> None:
        for vault in self.worlds:
            if not vault.is_behind:
                assert vault.head == self.head
                assert vault.find([]) == sorted(self.things)
                for colour in COLOURS:
                    having = sorted(number for number, (_, its) in self.things.items() if its == colour)
                    assert vault.find([vault.key.term(colour)]) == having


TestThreeWorlds = ThreeWorlds.TestCase
TestThreeWorlds.settings = settings(max_examples=40, stateful_step_count=40)
