# SPDX-License-Identifier: Apache-2.0
"""Three clients of one token at once, against a plain model: of what one does, the others see what PKCS#11 shares.

Token objects are everybody's, private ones of those who have logged in; session objects, logins and operations are a
client's own, and go with its sessions.
"""

import hashlib
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from softee.names import CKA, CKM, CKR, CKU
from softee.pkcs11_ta.application import Pkcs11Application
from support.commands import c
from support.families import Family
from support.object_calls import get, search, wire
from support.token_world import USER_PIN, Caller, make_application, template

WHO = st.integers(0, 2)
BYTES = st.binary(max_size=8)
READ_ONLY, READ_WRITE = 4, 6
NOBODY = -1


@dataclass(eq=False)
class Thing:
    """A data object, whose value is its own. ``owner`` and ``session`` are those of a session object."""

    value: bytes
    label: bytes
    token: bool
    private: bool
    owner: int
    session: int


@dataclass(eq=False)
class Client:
    """A client, with its sessions (whether each may write) and what each has been given to digest."""

    caller: Caller
    sessions: dict[int, bool] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    logged_in: bool = False


class ClientsMachine(RuleBasedStateMachine):
    """Rules are calls; each compares the answer with the model's. All clients are in one secure world."""

    def applications(self) -> list[Pkcs11Application]:
        return [make_application(slots=1)] * 3

    @initialize()
    def start(self) -> None:
        self.worlds = self.applications()
        first = Caller(self.worlds[0])
        first.set_up()
        first.tee.close()
        self.clients = [Client(Caller(world)) for world in self.worlds]
        self.things: list[Thing] = []
        self.made = 0

    def visible(self, who: int) -> list[Thing]:
        logged_in = self.clients[who].logged_in
        return [
            thing for thing in self.things if (thing.token or thing.owner == who) and (logged_in or not thing.private)
        ]

    def session_of(self, who: int, data: st.DataObject) -> int:
        """Return one of a client's sessions; where it has none, open one."""
        sessions = self.clients[who].sessions
        if not sessions:
            self.open(who, writes=True)
        return data.draw(st.sampled_from(sorted(sessions)))

    def handle_of(self, who: int, session: int, thing: Thing) -> int:
        (handle,) = search(self.clients[who].caller, session, template((CKA.VALUE, thing.value)))
        return handle

    def forget(self, who: int, *sessions: int) -> None:
        """Sessions of a client have gone, and what goes with them."""
        client = self.clients[who]
        for session in sessions:
            del client.sessions[session]
            client.digests.pop(session, None)
        client.logged_in &= bool(client.sessions)
        self.things = [thing for thing in self.things if not (thing.owner == who and thing.session in sessions)]

    @rule(who=WHO, writes=st.booleans())
    def open(self, who: int, *, writes: bool) -> None:
        client = self.clients[who]
        client.sessions[client.caller.open(flags=READ_WRITE if writes else READ_ONLY)] = writes

    @rule(who=WHO, data=st.data())
    def close(self, who: int, data: st.DataObject) -> None:
        session = self.session_of(who, data)
        self.clients[who].caller.ok(c.CLOSE_SESSION, session)
        self.forget(who, session)

    @rule(who=WHO)
    def go_and_come_back(self, who: int) -> None:
        """The client loses its connection, with all that it has, and makes another one."""
        client = self.clients[who]
        client.caller.tee.close()
        self.forget(who, *client.sessions)
        client.caller = Caller(self.worlds[who])

    @rule(who=WHO, data=st.data())
    def log_in(self, who: int, data: st.DataObject) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        expected = CKR.USER_ALREADY_LOGGED_IN if client.logged_in else CKR.OK
        assert client.caller.login(session, CKU.USER, USER_PIN) is expected
        client.logged_in = True

    @rule(who=WHO, data=st.data())
    def log_out(self, who: int, data: st.DataObject) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        assert client.caller.logout(session) is (CKR.OK if client.logged_in else CKR.USER_NOT_LOGGED_IN)
        if client.logged_in:  # which ends its operations, too
            client.digests.clear()
        client.logged_in = False
        self.things = [thing for thing in self.things if thing.owner != who or not thing.private]

    @rule(who=WHO, data=st.data(), label=BYTES, token=st.booleans(), private=st.booleans())
    def make(self, who: int, data: st.DataObject, label: bytes, *, token: bool, private: bool) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        self.made += 1
        value = b"%d" % self.made
        wanted = wire("data", LABEL=label, VALUE=value, TOKEN=token, PRIVATE=private)
        answer = client.caller.call(c.CREATE_OBJECT, session, wanted)
        if token and not client.sessions[session]:
            assert answer.rv is CKR.SESSION_READ_ONLY
        elif private and not client.logged_in:
            assert answer.rv is CKR.USER_NOT_LOGGED_IN
        else:
            assert answer.rv is CKR.OK
            owner = NOBODY if token else who
            self.things.append(Thing(value, label, token, private, owner, session))

    @rule(who=WHO, data=st.data(), label=BYTES)
    def change(self, who: int, data: st.DataObject, label: bytes) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        if not self.visible(who):
            return
        thing = data.draw(st.sampled_from(self.visible(who)))
        wanted = template((CKA.LABEL, label))
        answer = client.caller.call(c.SET_ATTRIBUTE_VALUE, session, self.handle_of(who, session, thing), wanted)
        assert answer.rv is self.may_write(client, session, thing)
        if answer.rv is CKR.OK:
            thing.label = label

    @rule(who=WHO, data=st.data())
    def destroy(self, who: int, data: st.DataObject) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        if not self.visible(who):
            return
        thing = data.draw(st.sampled_from(self.visible(who)))
        answer = client.caller.call(c.DESTROY_OBJECT, session, self.handle_of(who, session, thing))
        assert answer.rv is self.may_write(client, session, thing)
        if answer.rv is CKR.OK:
            self.things.remove(thing)

    def may_write(self, client: Client, session: int, thing: Thing) -> CKR:
        return CKR.OK if client.sessions[session] or not thing.token else CKR.SESSION_READ_ONLY

    @rule(who=WHO, data=st.data())
    def begin_a_digest(self, who: int, data: st.DataObject) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        answer = client.caller.call(c.DIGEST_INIT, session, CKM.SHA256, b"")
        assert answer.rv is (CKR.OPERATION_ACTIVE if session in client.digests else CKR.OK)
        client.digests.setdefault(session, b"")

    @rule(who=WHO, data=st.data(), part=BYTES)
    def digest_a_part(self, who: int, data: st.DataObject, part: bytes) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        answer = client.caller.call(c.DIGEST_UPDATE, session, data=part)
        assert answer.rv is (CKR.OK if session in client.digests else CKR.OPERATION_NOT_INITIALIZED)
        if session in client.digests:
            client.digests[session] += part

    @rule(who=WHO, data=st.data())
    def end_a_digest(self, who: int, data: st.DataObject) -> None:
        session, client = self.session_of(who, data), self.clients[who]
        answer = client.caller.call(c.DIGEST_FINAL, session)
        if session in client.digests:
            assert answer.output == hashlib.sha256(client.digests.pop(session)).digest()
        else:
            assert answer.rv is CKR.OPERATION_NOT_INITIALIZED

    @invariant()
    def each_client_sees_what_is_its_to_see(self) -> None:
        for who, client in enumerate(self.clients if hasattr(self, "clients") else ()):
            for session in list(client.sessions)[:1]:
                found = search(client.caller, session, template(), at_once=512)
                seen = [[get(client.caller, session, one, kind) for kind in (CKA.VALUE, CKA.LABEL)] for one in found]
                assert sorted(seen) == sorted([thing.value, thing.label] for thing in self.visible(who))


class ClientsOfTwoWorlds(ClientsMachine):
    """The same, where one of the clients is in a secure world of its own."""

    def applications(self) -> list[Pkcs11Application]:
        family = Family()
        first, second = (family.member(number) for number in range(2))
        return [first, first, second]


TestClients = ClientsMachine.TestCase
TestClients.settings = settings(max_examples=30, stateful_step_count=40)

TestClientsOfTwoWorlds = ClientsOfTwoWorlds.TestCase
TestClientsOfTwoWorlds.settings = settings(max_examples=30, stateful_step_count=40)
