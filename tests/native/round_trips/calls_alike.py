# SPDX-License-Identifier: Apache-2.0
"""An application cannot tell whether the library asks less: random calls in two worlds, and every answer compared.

In one world changes are seen, and the library answers by itself what it may. In the other each call is asked. The token
has a second client, which changes it too.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from native.round_trips.worlds import Client, Said, Template, world
from softee.names import CKA, CKK, CKM, CKO, CKR, CKU, MechanismFlag
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.samples.ec import EDWARDS25519
from support.token_world import AS_OPTEE

EXAMPLES = 300 if os.environ.get("SOFTEE_SOAK") else 30
STEPS = 40

_SECRET: Template = (
    (CKA.CLASS, CKO.SECRET_KEY),
    (CKA.KEY_TYPE, CKK.AES),
    *((usage, True) for usage in (CKA.SIGN, CKA.VERIFY, CKA.ENCRYPT, CKA.DECRYPT)),
    (CKA.VALUE, bytes(range(16))),
)
_PRIVATE: Template = (
    (CKA.CLASS, CKO.PRIVATE_KEY),
    (CKA.KEY_TYPE, CKK.EC_EDWARDS),
    (CKA.EC_PARAMS, EDWARDS25519),
    (CKA.SIGN, True),
    (CKA.PRIVATE, True),
    (CKA.VALUE, bytes(range(32))),
)
KEYS: tuple[Template, ...] = (
    (*_SECRET, (CKA.TOKEN, False), (CKA.PRIVATE, False)),
    (*_SECRET, (CKA.TOKEN, True), (CKA.PRIVATE, False)),
    (*_SECRET, (CKA.TOKEN, True), (CKA.PRIVATE, True)),
    (*_PRIVATE, (CKA.TOKEN, False)),
    (*_PRIVATE, (CKA.TOKEN, True), (CKA.ALWAYS_AUTHENTICATE, True)),
)
SEARCHES: tuple[Template, ...] = ((), ((CKA.CLASS, CKO.SECRET_KEY),), ((CKA.CLASS, CKO.CERTIFICATE),))
CHANGES: tuple[Template, ...] = (((CKA.LABEL, b"other"),), ((CKA.SIGN, False),), ((CKA.SIGN, True),))
IV = bytes(16)
MECHANISMS: dict[str, tuple[tuple[CKM, bytes], ...]] = {
    "C_Sign": ((CKM.AES_CMAC, b""), (CKM.EDDSA, b"")),
    "C_Verify": ((CKM.AES_CMAC, b""),),
    "C_Encrypt": ((CKM.AES_CBC_PAD, IV), (CKM.AES_ECB, b""), (CKM.AES_CTS, IV)),
    "C_Decrypt": ((CKM.AES_CBC_PAD, IV), (CKM.AES_ECB, b"")),
    "C_Digest": ((CKM.SHA256, b""), (CKM.SHA512, b"")),
}
"""All give the same each time."""

USUAL = (CKA.CLASS, CKA.LABEL, CKA.ID)
TOLD = (
    *(*USUAL, CKA.KEY_TYPE, CKA.TOKEN, CKA.PRIVATE, CKA.SIGN, CKA.SENSITIVE, CKA.EC_PARAMS, CKA.VALUE_LEN),
    *(CKA.MODULUS, CKA.ALLOWED_MECHANISMS, CKA.WRAP_TEMPLATE, CKA.TRUSTED, 0x8000_1234),
)
"""Numbers, bytes, lists, and what some objects lack."""
TYPES = (*TOLD, CKA.VALUE)
"""And what is asked for each time."""

FUNCTIONS = st.sampled_from(sorted(MECHANISMS))
WHICH = st.integers(0, 7)
"""One of however many there are."""
SESSION = st.sampled_from([0, 0, 0, 1, 2, 3])
RARELY = st.integers(0, 3).map(lambda number: number == 0)
DATA = st.sampled_from([b"", bytes(16), bytes(range(32)), b"odd"])
ROOMS = st.sampled_from([None, 0, 1, 16, 31, 32, 64, 256])
DISTURBANCES = st.sampled_from(["change", "change", "destroy", "create", "login", "logout", "close", "sign"])
ATTRIBUTE_ROOMS = st.sampled_from([None, 0, 1, 8, 16, 64, 256])


class AlikeMachine(RuleBasedStateMachine):
    """Rules are calls, which both worlds answer."""

    policy: Policy = PORTABLE

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()

    @initialize()
    def start(self) -> None:
        logging.getLogger("softee").setLevel(logging.ERROR)
        self.worlds = [
            self.stack.enter_context(world(self.policy, copies, shown=shown))
            for copies, shown in (([0, 1], True), ([2, 3], False))
        ]
        self.last = b""
        self.keys: list[int] = []
        self.sessions: list[tuple[int, int]] = []
        self.set_up(0)
        self.set_up(1)

    def teardown(self) -> None:
        self.stack.close()

    def both(self, client: int, act: Callable[[Client], Said]) -> Said:
        """Have the client of both worlds do the same, and return what both were told."""
        one, other = (act(world.clients[client]) for world in self.worlds)
        assert one == other
        return one

    def set_up(self, client: int) -> None:
        """Give a client that has lost them two sessions, a login, and keys."""
        self.sessions = [one for one in self.sessions if one[0] != client]
        for _ in range(2):
            self.open(client)
        session = len(self.sessions) - 1
        self.login(session, CKU.USER)
        for key in range(len(KEYS)):
            self.create(session, key)

    def _session(self, which: int) -> tuple[int, int]:
        return self.sessions[which % len(self.sessions)]

    def _key(self, which: int) -> int:
        return self.keys[which % len(self.keys)]

    @rule(client=st.sampled_from([0, 1]))
    def open(self, client: int) -> None:
        if len(self.sessions) < 6:
            said = self.both(client, lambda one: (one.open(),))
            assert isinstance(said[0], int)
            self.sessions.append((client, said[0]))

    @rule(session=SESSION, function=FUNCTIONS, mechanism=WHICH, key=WHICH)
    def init(self, session: int, function: str, mechanism: int, key: int) -> None:
        client, handle = self._session(session)
        kinds = MECHANISMS[function]
        kind, parameter = kinds[mechanism % len(kinds)]
        keys = () if function == "C_Digest" else (self._key(key),)
        self.both(client, lambda one: one.init(function, handle, kind, parameter, *keys))

    @rule(session=SESSION, function=FUNCTIONS, data=DATA, room=ROOMS)
    def one_part(self, session: int, function: str, data: bytes, room: int | None) -> None:
        client, handle = self._session(session)
        if function == "C_Verify":
            self.both(client, lambda one: one.take(function, handle, data, self.last))
            return
        said = self.both(client, lambda one: one.give(function, handle, data, room))
        if said[0] == CKR.OK and isinstance(said[2], bytes) and room:
            self.last = said[2]

    @rule(session=SESSION, function=FUNCTIONS, mechanism=WHICH, key=WHICH, data=DATA)
    def whole(self, session: int, function: str, mechanism: int, key: int, data: bytes) -> None:
        """What most programs do, and what brings about that operations can be resumed."""
        for room in (256, None, 256, 1):
            self.init(session, function, mechanism, key)
            self.one_part(session, function, data, room)
            if room != 256:
                self.one_part(session, function, data, 256)

    @rule(session=SESSION, key=WHICH, data=DATA)
    def whole_verification(self, session: int, key: int, data: bytes) -> None:
        for function in ("C_Sign", "C_Verify", "C_Verify", "C_Verify"):
            self.init(session, function, 0, key)
            self.one_part(session, function, data, 16)

    @rule(session=SESSION, function=FUNCTIONS, mechanism=WHICH, key=WHICH, data=DATA)
    def whole_and_begun_again(self, session: int, function: str, mechanism: int, key: int, data: bytes) -> None:
        self.whole(session, function, mechanism, key, data)
        self.init(session, function, mechanism, key)

    @rule(
        operation=st.tuples(SESSION, FUNCTIONS, WHICH, st.sampled_from([0, 1, 1, 1, 2, 3, 4])),
        by=SESSION,
        what=st.sampled_from(["change", "destroy", "login", "logout", "senseless", "update"]),
        is_begun=st.booleans(),
    )
    def disturbed(self, operation: tuple[int, str, int, int], by: int, what: str, *, is_begun: bool) -> None:
        """Something happens just before an operation that is begun again, or just before its end."""
        session, function, _, key = operation
        self.whole(*operation, bytes(16))
        if is_begun:
            self.init(*operation)
        disturbances: dict[str, Callable[[], None]] = {
            "change": lambda: self.change(by, key, CHANGES[1]),
            "destroy": lambda: self.destroy(by, key),
            "login": lambda: self.login(by, CKU.USER),
            "logout": lambda: self.logout(by),
            "senseless": lambda: self.call_without_sense(by, "C_Sign"),
            "update": lambda: self.update(by, "C_Sign", bytes(16), 64),
        }
        disturbances[what]()
        if not is_begun:
            self.init(*operation)
        self.one_part(session, function, bytes(16), 256)

    @rule(session=SESSION, function=FUNCTIONS, data=DATA, room=ROOMS)
    def update(self, session: int, function: str, data: bytes, room: int | None) -> None:
        client, handle = self._session(session)
        name = f"{function}Update"
        if function in {"C_Encrypt", "C_Decrypt"}:
            self.both(client, lambda one: one.give(name, handle, data, room))
        else:
            self.both(client, lambda one: one.take(name, handle, data))

    @rule(session=SESSION, function=FUNCTIONS, room=ROOMS)
    def final(self, session: int, function: str, room: int | None) -> None:
        client, handle = self._session(session)
        name = f"{function}Final"
        if function == "C_Verify":
            self.both(client, lambda one: one.take(name, handle, self.last))
        else:
            self.both(client, lambda one: one.give(name, handle, None, room))

    @rule(session=SESSION, function=FUNCTIONS)
    def call_without_sense(self, session: int, function: str) -> None:
        """PKCS#11 3.2 §5.1.7: CKR_ARGUMENTS_BAD, which ends an operation."""
        client, handle = self._session(session)
        rest = (None, 16) if function == "C_Verify" else (None, None)
        self.both(client, lambda one: (one.call(function, handle, None, 5, *rest),))

    @rule(session=SESSION, key=WHICH)
    def digest_key(self, session: int, key: int) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: (one.call("C_DigestKey", handle, self._key(key)),))

    @rule(session=SESSION, room=ROOMS)
    def get_operation_state(self, session: int, room: int | None) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: one.give("C_GetOperationState", handle, None, room)[:2])

    @rule(session=SESSION, function=FUNCTIONS)
    def cancel(self, session: int, function: str) -> None:
        client, handle = self._session(session)
        flag = MechanismFlag[function[2:].upper()]
        self.both(client, lambda one: (one.call("C_SessionCancel", handle, flag),))

    @rule(session=SESSION, key=WHICH)
    def create(self, session: int, key: int) -> None:
        client, handle = self._session(session)
        rv, made = self.both(client, lambda one: one.create(handle, KEYS[key % len(KEYS)]))
        if rv == CKR.OK and isinstance(made, int):
            self.keys = [*self.keys, made][-2 * len(KEYS) :]

    @rule(session=SESSION, key=WHICH)
    def destroy(self, session: int, key: int) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: (one.call("C_DestroyObject", handle, self._key(key)),))

    @rule(session=SESSION, key=WHICH, change=st.sampled_from(CHANGES))
    def change(self, session: int, key: int, change: Template) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: one.change(handle, self._key(key), change))

    @rule(session=SESSION, user=st.sampled_from([CKU.USER, CKU.CONTEXT_SPECIFIC]))
    def login(self, session: int, user: CKU) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: (one.login(handle, user),))

    @rule(session=SESSION)
    def logout(self, session: int) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: (one.call("C_Logout", handle),))

    @rule(session=SESSION, is_remembered=st.booleans(), really=RARELY)
    def close(self, session: int, *, is_remembered: bool, really: bool) -> None:
        client, handle = self._session(session)
        if really:
            self.both(client, lambda one: (one.call("C_CloseSession", handle),))
            if not is_remembered:
                self.set_up(client)

    @rule(
        session=SESSION,
        template=st.sampled_from(SEARCHES),
        rooms=st.lists(WHICH, max_size=3),
    )
    def find(self, session: int, template: Template, rooms: list[int]) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: one.find(handle, template, *rooms))

    @rule(session=SESSION, template=st.sampled_from(SEARCHES))
    def find_init(self, session: int, template: Template) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: one.find_init(handle, template))

    @rule(session=SESSION, room=WHICH)
    def find_next(self, session: int, room: int) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: one.find_next(handle, room))

    def get(self, session: tuple[int, int], key: int, types: Iterable[int], room: int | None) -> None:
        client, handle = session
        self.both(client, lambda one: one.read(handle, key, *types, room=room))

    @rule(session=SESSION, key=WHICH, types=st.lists(st.sampled_from(TYPES), max_size=5), room=ATTRIBUTE_ROOMS)
    def read(self, session: int, key: int, types: list[int], room: int | None) -> None:
        self.get(self._session(session), self._key(key), types, room)

    @rule(session=SESSION, template=st.sampled_from(SEARCHES), types=st.sampled_from([USUAL, TOLD, TYPES]))
    def list_objects(self, session: int, template: Template, types: tuple[int, ...]) -> None:
        """What most programs do: each object's sizes, and then its values."""
        client, handle = self._session(session)
        _, _, *found, _ = self.both(client, lambda one: one.find(handle, template, 40))
        for key in found:
            assert isinstance(key, int)
            for room in (None, 64):
                self.get((client, handle), key, types, room)

    @rule(session=SESSION, key=WHICH, label=st.binary(max_size=8), by=SESSION, what=DISTURBANCES)
    def reading_disturbed(self, session: int, key: int, label: bytes, by: int, what: str) -> None:
        """Something happens between the question for sizes and that for values."""
        named, name = self._session(session), self._key(key)
        disturbances: dict[str, Callable[[], None]] = {
            "change": lambda: self.change(by, key, ((CKA.LABEL, label),)),
            "destroy": lambda: self.destroy(by, key),
            "create": lambda: self.create(by, key),
            "login": lambda: self.login(by, CKU.USER),
            "logout": lambda: self.logout(by),
            "close": lambda: self.close(by, is_remembered=False, really=True),
            "sign": lambda: self.whole(by, "C_Sign", 0, key, bytes(16)),
        }
        self.change(by + 2, key, ((CKA.LABEL, label[1:]), (CKA.ID, label)))
        self.get(named, name, TOLD, None)
        disturbances[what]()
        for types, room in ((TOLD, 64), (TOLD, None), (USUAL, 8), (TOLD[::-1], 4), (USUAL, 1)):
            self.get(named, name, types, room)

    @rule(session=SESSION)
    def find_final(self, session: int) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: (one.call("C_FindObjectsFinal", handle),))

    @rule(session=SESSION)
    def cancel_search(self, session: int) -> None:
        client, handle = self._session(session)
        self.both(client, lambda one: (one.call("C_SessionCancel", handle, MechanismFlag.FIND_OBJECTS),))

    @rule(session=SESSION, number=st.sampled_from([1, 130]))
    def create_many(self, session: int, number: int) -> None:
        """So many that their handles do not come with the beginning of a search."""
        client, handle = self._session(session)
        for _ in range(number):
            self.both(client, lambda one: one.create(handle, ((CKA.CLASS, CKO.DATA), (CKA.PRIVATE, False))))

    @rule(client=st.sampled_from([0, 1]), is_remembered=st.booleans(), really=RARELY)
    def close_all(self, client: int, *, is_remembered: bool, really: bool) -> None:
        if really:
            self.both(client, lambda one: (one.call("C_CloseAllSessions", 0),))
            if not is_remembered:
                self.set_up(client)

    @rule(client=st.sampled_from([0, 1]), really=RARELY)
    def begin_anew(self, client: int, *, really: bool) -> None:
        if not really:
            return
        self.both(client, lambda one: (one.call("C_Finalize", None),))
        for world_ in self.worlds:
            os.environ["SOFTEE_SOCKET"] = str(world_.path)
            assert world_.clients[client].call("C_Initialize", None) == CKR.OK
        self.set_up(client)


class AlikeAsOpteeMachine(AlikeMachine):
    """The same where a session has one operation at a time."""

    policy = AS_OPTEE


@pytest.mark.parametrize("machine", [AlikeMachine, AlikeAsOpteeMachine])
def test_whether_the_library_asks_less_cannot_be_told(machine: type[AlikeMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
