# SPDX-License-Identifier: Apache-2.0
"""Objects against a plain dictionary: create, copy, change, read, find, destroy, log in and out, restart, at random."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.messages import OnObjectWithTemplate
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.stores.memory import MemoryStore
from support.commands import c
from support.object_calls import create, get, search
from support.samples import OBJECT_SAMPLES, as_template, sample
from support.token_world import Answer, Caller, make_application, template

KINDS = tuple(OBJECT_SAMPLES)
LABELS = st.sampled_from([b"", b"a", b"b"])

Wanted = dict[int, AttributeValue]


@dataclass(eq=False)
class Model:
    """What we know of one object. ``stale``: the handles that it had in earlier logins."""

    kind: str
    attributes: Wanted
    handle: int
    alive: bool = True
    stale: list[int] = field(default_factory=list)

    def has(self, attribute: int) -> bool:
        return self.attributes[attribute] is True

    @property
    def sleeps_when_logged_out(self) -> bool:
        return self.alive and self.has(CKA.TOKEN) and self.has(CKA.PRIVATE)


class Objects(RuleBasedStateMachine):
    """One client, one session at a time, one token."""

    models = Bundle("models")

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.caller = Caller(make_application(self.store))
        self.session = self.caller.set_up()
        self.logged_in = True
        self.known: list[Model] = []

    def visible(self, model: Model) -> bool:
        return model.alive and (self.logged_in or not model.has(CKA.PRIVATE))

    def call(self, command: Command[OnObjectWithTemplate], model: Model, changes: Wanted) -> Answer:
        return self.caller.call(command, self.session, model.handle, template(*as_template(changes)))

    def add(self, kind: str, attributes: Wanted, handle: int) -> Model:
        assert all(handle not in (model.handle, *model.stale) for model in self.known)
        self.known.append(Model(kind, attributes, handle))
        return self.known[-1]

    @rule(
        target=models,
        kind=st.sampled_from(KINDS),
        label=LABELS,
        token=st.booleans(),
        private=st.booleans(),
        stiff=st.sampled_from([None, "MODIFIABLE", "COPYABLE", "DESTROYABLE"]),
    )
    def make(self, kind: str, label: bytes, *, token: bool, private: bool, stiff: str | None) -> Model | None:
        changes: dict[str, AttributeValue] = {"LABEL": label, "TOKEN": token, "PRIVATE": private}
        if stiff:
            changes[stiff] = False
        if private and not self.logged_in:
            wanted = template(*as_template(sample(kind, **changes)))
            assert self.caller.call(c.CREATE_OBJECT, self.session, wanted).rv is CKR.USER_NOT_LOGGED_IN
            return None
        attributes: Wanted = {CKA.MODIFIABLE: True, CKA.COPYABLE: True, CKA.DESTROYABLE: True}
        attributes |= {CKA[name]: value for name, value in changes.items()}
        return self.add(kind, attributes, create(self.caller, self.session, kind, **changes))

    @rule(target=models, model=models, label=LABELS, token=st.booleans(), private=st.booleans())
    def copy(self, model: Model | None, label: bytes, *, token: bool, private: bool) -> Model | None:
        if model is None:
            return None
        changes: Wanted = {CKA.LABEL: label, CKA.TOKEN: token, CKA.PRIVATE: private}
        answer = self.call(c.COPY_OBJECT, model, changes)
        expected = self.expected(model, CKA.COPYABLE)
        if expected is CKR.OK and model.has(CKA.PRIVATE) and not private:
            expected = CKR.TEMPLATE_INCONSISTENT
        if expected is CKR.OK and private and not self.logged_in:
            expected = CKR.USER_NOT_LOGGED_IN
        assert answer.rv is expected
        if expected is not CKR.OK:
            return None
        return self.add(model.kind, {**model.attributes, **changes}, answer.handle)

    @rule(model=models, label=LABELS)
    def set_label(self, model: Model | None, label: bytes) -> None:
        if model is None:
            return
        expected = self.expected(model, CKA.MODIFIABLE)
        assert self.call(c.SET_ATTRIBUTE_VALUE, model, {CKA.LABEL: label}).rv is expected
        if expected is CKR.OK:
            model.attributes[CKA.LABEL] = label

    @rule(model=models)
    def destroy(self, model: Model | None) -> None:
        if model is None:
            return
        expected = self.expected(model, CKA.DESTROYABLE)
        assert self.caller.call(c.DESTROY_OBJECT, self.session, model.handle).rv is expected
        if expected is CKR.OK:
            model.alive = False

    @rule(model=models)
    def read(self, model: Model | None) -> None:
        if model is None or not self.visible(model):
            return
        for attribute, value in model.attributes.items():
            ((_, raw),) = as_template({attribute: value})
            assert get(self.caller, self.session, model.handle, attribute) == raw

    @rule(model=models)
    def use_an_old_handle(self, model: Model | None) -> None:
        for stale in model.stale if model else ():
            assert self.caller.call(c.GET_OBJECT_SIZE, self.session, stale).rv is CKR.OBJECT_HANDLE_INVALID

    @rule(label=LABELS, token=st.none() | st.booleans(), private=st.none() | st.booleans(), destroyable=st.booleans())
    def find(self, label: bytes, *, token: bool | None, private: bool | None, destroyable: bool) -> None:
        wanted: Wanted = {CKA.LABEL: label, CKA.DESTROYABLE: destroyable}
        wanted |= {kind: value for kind, value in ((CKA.TOKEN, token), (CKA.PRIVATE, private)) if value is not None}
        expected = [
            model.handle for model in self.known if self.visible(model) and wanted.items() <= model.attributes.items()
        ]
        found = search(self.caller, self.session, template(*as_template(wanted)))
        assert sorted(found) == sorted(expected)

    @precondition(lambda self: self.logged_in)
    @rule()
    def log_out(self) -> None:
        assert self.caller.logout(self.session) is CKR.OK
        self.logged_in = False
        for model in self.known:
            if model.sleeps_when_logged_out:
                model.stale.append(model.handle)
            model.alive &= model.has(CKA.TOKEN) or not model.has(CKA.PRIVATE)

    @precondition(lambda self: not self.logged_in)
    @rule()
    def log_in(self) -> None:
        """Private token objects come back in their order, under new handles."""
        assert self.caller.login(self.session) is CKR.OK
        self.logged_in = True
        found = sorted(search(self.caller, self.session, template((CKA.TOKEN, True), (CKA.PRIVATE, True)), at_once=512))
        back = [model for model in self.known if model.sleeps_when_logged_out]
        for model, handle in zip(back, found, strict=True):
            model.handle = handle

    @rule()
    def restart(self) -> None:
        """The daemon ends and starts again over the same store: what was acknowledged on the token is there."""
        self.caller = Caller(make_application(self.store))
        self.session = self.caller.open()
        self.logged_in = False
        # Handles of session and private objects begin anew with each client: those of the old one may come again.
        for model in self.known:
            model.alive &= model.has(CKA.TOKEN)
            model.stale.clear()
            if model.has(CKA.PRIVATE) or not model.alive:
                model.handle = 0
        self.known = [model for model in self.known if model.alive]

    @invariant()
    def all_that_is_visible_is_found_and_nothing_else(self) -> None:
        found = search(self.caller, self.session, template(), at_once=512)
        assert sorted(found) == sorted(model.handle for model in self.known if self.visible(model))

    def expected(self, model: Model, permission: CKA) -> CKR:
        if not self.visible(model):
            return CKR.OBJECT_HANDLE_INVALID
        return CKR.OK if model.has(permission) else CKR.ACTION_PROHIBITED


TestObjects = Objects.TestCase
TestObjects.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
