# SPDX-License-Identifier: Apache-2.0
"""Objects against a plain dictionary: create, copy, change, read, find, destroy, log in and out, restart, at random."""

from dataclasses import dataclass

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
from support.samples import as_template, sample
from support.token_world import Answer, Caller, make_application, template

KINDS = ("data", "AES key", "EC private key")
LABELS = st.sampled_from([b"", b"a", b"b"])

Wanted = dict[int, AttributeValue]


@dataclass
class Model:
    """What we know of one object."""

    kind: str
    attributes: Wanted
    alive: bool = True

    def has(self, attribute: int) -> bool:
        return self.attributes[attribute] is True


class Objects(RuleBasedStateMachine):
    """One client, one session at a time, one token."""

    models = Bundle("models")

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.caller = Caller(make_application(self.store))
        self.session = self.caller.set_up()
        self.logged_in = True
        self.known: dict[int, Model] = {}

    def visible(self, handle: int) -> bool:
        model = self.known.get(handle)
        return model is not None and model.alive and (self.logged_in or not model.has(CKA.PRIVATE))

    def call(self, command: Command[OnObjectWithTemplate], handle: int, changes: Wanted) -> Answer:
        return self.caller.call(command, self.session, handle, template(*as_template(changes)))

    @rule(
        target=models,
        kind=st.sampled_from(KINDS),
        label=LABELS,
        token=st.booleans(),
        private=st.booleans(),
        stiff=st.sampled_from([None, "MODIFIABLE", "COPYABLE", "DESTROYABLE"]),
    )
    def make(self, kind: str, label: bytes, *, token: bool, private: bool, stiff: str | None) -> int | None:
        changes: dict[str, AttributeValue] = {"LABEL": label, "TOKEN": token, "PRIVATE": private}
        if stiff:
            changes[stiff] = False
        if private and not self.logged_in:
            wanted = template(*as_template(sample(kind, **changes)))
            assert self.caller.call(c.CREATE_OBJECT, self.session, wanted).rv is CKR.USER_NOT_LOGGED_IN
            return None
        handle = create(self.caller, self.session, kind, **changes)
        assert handle not in self.known
        attributes: Wanted = {CKA.MODIFIABLE: True, CKA.COPYABLE: True, CKA.DESTROYABLE: True}
        attributes |= {CKA[name]: value for name, value in changes.items()}
        self.known[handle] = Model(kind, attributes)
        return handle

    @rule(target=models, handle=models, label=LABELS, token=st.booleans(), private=st.booleans())
    def copy(self, handle: int | None, label: bytes, *, token: bool, private: bool) -> int | None:
        if handle is None:
            return None
        changes: Wanted = {CKA.LABEL: label, CKA.TOKEN: token, CKA.PRIVATE: private}
        answer = self.call(c.COPY_OBJECT, handle, changes)
        expected = self.expected(handle, CKA.COPYABLE)
        model = self.known.get(handle, Model("", {}))
        if expected is CKR.OK and model.has(CKA.PRIVATE) and not private:
            expected = CKR.TEMPLATE_INCONSISTENT
        if expected is CKR.OK and private and not self.logged_in:
            expected = CKR.USER_NOT_LOGGED_IN
        assert answer.rv is expected
        if expected is not CKR.OK:
            return None
        self.known[answer.handle] = Model(model.kind, {**model.attributes, **changes})
        return answer.handle

    @rule(handle=models, label=LABELS)
    def set_label(self, handle: int | None, label: bytes) -> None:
        if handle is None:
            return
        expected = self.expected(handle, CKA.MODIFIABLE)
        assert self.call(c.SET_ATTRIBUTE_VALUE, handle, {CKA.LABEL: label}).rv is expected
        if expected is CKR.OK:
            self.known[handle].attributes[CKA.LABEL] = label

    @rule(handle=models)
    def destroy(self, handle: int | None) -> None:
        if handle is None:
            return
        expected = self.expected(handle, CKA.DESTROYABLE)
        assert self.caller.call(c.DESTROY_OBJECT, self.session, handle).rv is expected
        if expected is CKR.OK:
            self.known[handle].alive = False

    @rule(handle=models)
    def read(self, handle: int | None) -> None:
        if handle is None or not self.visible(handle):
            return
        for attribute, value in self.known[handle].attributes.items():
            ((_, raw),) = as_template({attribute: value})
            assert get(self.caller, self.session, handle, attribute) == raw

    @rule(label=LABELS, token=st.none() | st.booleans(), private=st.none() | st.booleans(), destroyable=st.booleans())
    def find(self, label: bytes, *, token: bool | None, private: bool | None, destroyable: bool) -> None:
        wanted: Wanted = {CKA.LABEL: label, CKA.DESTROYABLE: destroyable}
        wanted |= {kind: value for kind, value in ((CKA.TOKEN, token), (CKA.PRIVATE, private)) if value is not None}
        expected = [
            handle
            for handle in self.known
            if self.visible(handle) and wanted.items() <= self.known[handle].attributes.items()
        ]
        found = search(self.caller, self.session, template(*as_template(wanted)))
        assert sorted(found) == sorted(expected)

    @precondition(lambda self: self.logged_in)
    @rule()
    def log_out(self) -> None:
        assert self.caller.logout(self.session) is CKR.OK
        self.logged_in = False
        for model in self.known.values():
            model.alive &= model.has(CKA.TOKEN) or not model.has(CKA.PRIVATE)

    @precondition(lambda self: not self.logged_in)
    @rule()
    def log_in(self) -> None:
        assert self.caller.login(self.session) is CKR.OK
        self.logged_in = True

    @rule()
    def restart(self) -> None:
        """The daemon ends and starts again over the same store: what was acknowledged on the token is there."""
        self.caller = Caller(make_application(self.store))
        self.session = self.caller.open()
        self.logged_in = False
        # Session handles begin anew with each client, so that those of the old one may come again.
        self.known = {handle: model for handle, model in self.known.items() if model.has(CKA.TOKEN)}

    @invariant()
    def all_that_is_visible_is_found_and_nothing_else(self) -> None:
        found = search(self.caller, self.session, template(), at_once=512)
        assert sorted(found) == sorted(handle for handle in self.known if self.visible(handle))

    def expected(self, handle: int, permission: CKA) -> CKR:
        if not self.visible(handle):
            return CKR.OBJECT_HANDLE_INVALID
        return CKR.OK if self.known[handle].has(permission) else CKR.ACTION_PROHIBITED


TestObjects = Objects.TestCase
TestObjects.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
