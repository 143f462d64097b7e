# SPDX-License-Identifier: Apache-2.0
"""The login machine against a plain model: two clients, one token, sessions, PINs, tries, in any order."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from softee.names import CKR, CKU
from softee.pkcs11_ta.token.token import Token
from support.commands import c
from support.families import Family
from support.token_world import Caller, make_application

PINS = [b"1111", b"2222", b"3333", b"12", b"x" * 129]
USERS = st.sampled_from([CKU.USER, CKU.SO])
LENGTHS = range(4, 129)


@dataclass
class Pin:
    """A PIN and the tries since the last right one."""

    pin: bytes
    failures: int = 0

    def check(self, pin: bytes) -> CKR:
        if self.failures == 7:
            return CKR.PIN_LOCKED
        if pin == self.pin:
            self.failures = 0
            return CKR.OK
        self.failures += 1
        return CKR.PIN_LOCKED if self.failures == 7 else CKR.PIN_INCORRECT


@dataclass
class Model:
    """What a token should be."""

    pins: dict[CKU, Pin] = field(default_factory=dict)
    logins: dict[int, CKU] = field(default_factory=dict)
    sessions: dict[tuple[int, int], bool] = field(default_factory=dict)

    def of(self, client: int) -> list[bool]:
        return [writes for (owner, _), writes in self.sessions.items() if owner == client]

    def check(self, user: CKU, pin: bytes) -> CKR:
        return self.pins[user].check(pin) if user in self.pins else CKR.USER_PIN_NOT_INITIALIZED


Handle = tuple[int, int]


class LoginMachine(RuleBasedStateMachine):
    """Rules are calls; each compares the answer with the model's."""

    sessions: Bundle[Handle] = Bundle("sessions")

    def make_callers(self) -> list[Caller]:
        application = make_application(slots=1)
        return [Caller(application), Caller(application)]

    @initialize()
    def start(self) -> None:
        self.callers = self.make_callers()
        self.model = Model()

    @rule(target=sessions, client=st.integers(0, 1), writes=st.booleans())
    def open(self, client: int, writes: bool) -> Handle:  # noqa: FBT001 - hypothesis passes by keyword
        answer = self.callers[client].call(c.OPEN_SESSION, 0, 6 if writes else 4)
        if not writes and self.model.logins.get(client) is CKU.SO:
            assert answer.rv is CKR.SESSION_READ_WRITE_SO_EXISTS
            return client, 0
        assert answer.rv is CKR.OK
        self.model.sessions[client, answer.handle] = writes
        return client, answer.handle

    @rule(session=consumes(sessions))
    def close(self, session: Handle) -> None:
        answer = self.callers[session[0]].call(c.CLOSE_SESSION, session[1]).rv
        known = self.model.sessions.pop(session, None) is not None
        assert answer is (CKR.OK if known else CKR.SESSION_HANDLE_INVALID)
        self._forget_login(session[0])

    @rule(client=st.integers(0, 1))
    def close_all(self, client: int) -> None:
        self.callers[client].ok(c.CLOSE_ALL_SESSIONS, 0)
        self.model.sessions = {key: writes for key, writes in self.model.sessions.items() if key[0] != client}
        self._forget_login(client)

    def _forget_login(self, client: int) -> None:
        if not self.model.of(client):
            self.model.logins.pop(client, None)

    @rule(client=st.integers(0, 1), pin=st.sampled_from(PINS))
    def init_token(self, client: int, pin: bytes) -> None:
        answer = self.callers[client].init_token(pin=pin)
        model = self.model
        if model.sessions:
            assert answer is CKR.SESSION_EXISTS
        elif CKU.SO not in model.pins:
            assert answer is (CKR.OK if len(pin) in LENGTHS else CKR.ARGUMENTS_BAD)
        else:
            assert answer is model.pins[CKU.SO].check(pin)
        if answer is CKR.OK:
            model.pins = {CKU.SO: Pin(pin)}

    @rule(session=sessions, user=USERS, pin=st.sampled_from(PINS))
    def login(self, session: Handle, user: CKU, pin: bytes) -> None:
        answer = self.callers[session[0]].login(session[1], user, pin)
        assert answer is self._expected_login(session, user, pin)
        if answer is CKR.OK:
            self.model.logins[session[0]] = user

    def _expected_login(self, session: Handle, user: CKU, pin: bytes) -> CKR:
        current = self.model.logins.get(session[0])
        if session not in self.model.sessions:
            return CKR.SESSION_HANDLE_INVALID
        if current is not None:
            return CKR.USER_ALREADY_LOGGED_IN if current is user else CKR.USER_ANOTHER_ALREADY_LOGGED_IN
        if user is CKU.SO and not all(self.model.of(session[0])):
            return CKR.SESSION_READ_ONLY_EXISTS
        return self.model.check(user, pin)

    @rule(session=sessions)
    def logout(self, session: Handle) -> None:
        answer = self.callers[session[0]].logout(session[1])
        if session not in self.model.sessions:
            assert answer is CKR.SESSION_HANDLE_INVALID
        elif self.model.logins.pop(session[0], None) is None:
            assert answer is CKR.USER_NOT_LOGGED_IN
        else:
            assert answer is CKR.OK

    @rule(session=sessions, pin=st.sampled_from(PINS))
    def init_pin(self, session: Handle, pin: bytes) -> None:
        answer = self.callers[session[0]].init_pin(session[1], pin)
        if session not in self.model.sessions:
            assert answer is CKR.SESSION_HANDLE_INVALID
        elif self.model.logins.get(session[0]) is not CKU.SO:
            assert answer is CKR.USER_NOT_LOGGED_IN
        elif len(pin) not in LENGTHS:
            assert answer is CKR.PIN_LEN_RANGE
        else:
            assert answer is CKR.OK
            self.model.pins[CKU.USER] = Pin(pin)

    @rule(session=sessions, old=st.sampled_from(PINS), new=st.sampled_from(PINS))
    def set_pin(self, session: Handle, old: bytes, new: bytes) -> None:
        answer = self.callers[session[0]].set_pin(session[1], old, new)
        user = CKU.SO if self.model.logins.get(session[0]) is CKU.SO else CKU.USER
        if session not in self.model.sessions:
            assert answer is CKR.SESSION_HANDLE_INVALID
            return
        if not self.model.sessions[session]:
            assert answer is CKR.SESSION_READ_ONLY
            return
        checked = self.model.check(user, old)
        if checked is CKR.OK and len(new) not in LENGTHS:
            assert answer is CKR.PIN_LEN_RANGE
        else:
            assert answer is checked
        if answer is CKR.OK:
            self.model.pins[user] = Pin(new)

    @invariant()
    def the_flags_are_the_model_s(self) -> None:
        if not hasattr(self, "model"):
            return
        flags = 0x405 if self.model.pins else 0x880005
        for user, shift in ((CKU.USER, 16), (CKU.SO, 20)):
            if user in self.model.pins:
                failures = self.model.pins[user].failures
                flags |= (8 if user is CKU.USER else 0) | (
                    (failures > 0) + (failures > 5) * 2 + (failures > 6) * 4
                ) << shift
        assert [caller.token_flags() for caller in self.callers] == [flags, flags]

    @invariant()
    def the_user_key_is_there_exactly_while_somebody_is_logged_in(self) -> None:
        for token in self.tokens():
            assert (token.user_key is not None) == bool(self.logins_in(token))
            assert token.session_count().all == len(self.model.sessions)

    def tokens(self) -> list[Token]:
        """Return the token as each secure world has it."""
        applications = {id(caller.application): caller.application for caller in self.callers}
        return [application.slots.token(0) for application in applications.values()]

    def logins_in(self, token: Token) -> list[int]:
        """Return the clients that are logged in, of the secure world that has this token."""
        owners = [client for client, caller in enumerate(self.callers) if caller.application.slots.token(0) is token]
        return [client for client in owners if client in self.model.logins]


class LoginInTwoWorlds(LoginMachine):
    """The same, where each client is in a secure world of its own."""

    def make_callers(self) -> list[Caller]:
        family = Family()
        return [Caller(family.member(number)) for number in range(2)]


TestLogin = LoginMachine.TestCase
TestLogin.settings = settings(max_examples=40, stateful_step_count=50)

TestLoginInTwoWorlds = LoginInTwoWorlds.TestCase
TestLoginInTwoWorlds.settings = settings(max_examples=40, stateful_step_count=50)
