# SPDX-License-Identifier: Apache-2.0
"""Three secure worlds with one token against one plain dictionary: whatever one does, all see at their next call."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from softee.names import CKA, CKR
from softee.stores.memory import MemoryStore
from support.commands import c
from support.families import Family
from support.object_calls import create, get, search
from support.token_world import Caller, template

WORLDS = st.integers(0, 2)
LABELS = st.sampled_from([b"a", b"b", b"c"])


class FamilyMachine(RuleBasedStateMachine):
    """``labels`` are those of the token's public objects, by handle. Each world has one client, which is logged in."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.family = Family(self.store)
        self.callers = [Caller(self.family.member(number)) for number in range(3)]
        self.sessions = [self.callers[0].set_up(), 0, 0]
        self.labels: dict[int, bytes] = {}
        self.used: set[int] = set()
        for world in (1, 2):
            self.enter(world)

    def enter(self, world: int) -> None:
        self.sessions[world] = self.callers[world].open()
        assert self.callers[world].login(self.sessions[world]) is CKR.OK

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.labels)))

    @rule(world=WORLDS, label=LABELS)
    def make(self, world: int, label: bytes) -> None:
        handle = create(self.callers[world], self.sessions[world], "data", TOKEN=True, PRIVATE=False, LABEL=label)
        assert handle not in self.used
        self.used.add(handle)
        self.labels[handle] = label

    @precondition(lambda self: self.labels)
    @rule(world=WORLDS, data=st.data(), label=LABELS)
    def rename(self, world: int, data: st.DataObject, label: bytes) -> None:
        handle = self.pick(data)
        wanted = template((CKA.LABEL, label))
        self.callers[world].ok(c.SET_ATTRIBUTE_VALUE, self.sessions[world], handle, wanted)
        self.labels[handle] = label

    @precondition(lambda self: self.labels)
    @rule(world=WORLDS, data=st.data())
    def destroy(self, world: int, data: st.DataObject) -> None:
        handle = self.pick(data)
        self.callers[world].ok(c.DESTROY_OBJECT, self.sessions[world], handle)
        del self.labels[handle]

    @precondition(lambda self: self.labels)
    @rule(world=WORLDS, data=st.data())
    def read(self, world: int, data: st.DataObject) -> None:
        handle = self.pick(data)
        assert get(self.callers[world], self.sessions[world], handle, CKA.LABEL) == self.labels[handle]

    @rule(world=WORLDS)
    def die_and_begin_anew(self, world: int) -> None:
        self.family.counts.clear()
        self.callers[world] = Caller(self.family.member(world))
        self.enter(world)

    @rule()
    def all_begin_anew(self) -> None:
        self.family = Family(self.store)
        for world in range(3):
            self.callers[world] = Caller(self.family.member(world))
            self.enter(world)

    @invariant()
    def each_world_finds_what_there_is(self) -> None:
        for caller, session in zip(self.callers, self.sessions, strict=True):
            assert sorted(search(caller, session, template(), at_once=512)) == sorted(self.labels)

    @invariant()
    def each_world_finds_it_by_label(self) -> None:
        for caller, session in zip(self.callers, self.sessions, strict=True):
            having = sorted(handle for handle, label in self.labels.items() if label == b"a")
            assert sorted(search(caller, session, template((CKA.LABEL, b"a")), at_once=512)) == having


TestFamily = FamilyMachine.TestCase
TestFamily.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
