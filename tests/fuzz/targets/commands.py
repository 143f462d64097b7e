# SPDX-License-Identifier: Apache-2.0
"""Whatever commands a client sends, in whatever order, each is answered with a value that its table allows.

Never CKR_GENERAL_ERROR. Each run begins on the same token, with an object of every kind; keys and mechanisms mostly are
some that there are, parameters mostly of the mechanism's form.
"""

from functools import cache
from typing import Any

from fuzz.targets.data import Data
from fuzz.targets.mechanism_parameters import number, parameter_of
from fuzz.targets.templates import take_template
from softee.names import CKA, CKM, CKR, TeeResult
from softee.names.mechanism_layouts import LAYOUTS, NOTHING, Use
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import BLOB, LABEL, TEMPLATE, U32, Field, fields
from softee.pkcs11_ta.abi.restored import SavedLogin, SavedSession
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.stores.memory import MemoryStore
from support.commands import c
from support.disk import load
from support.object_calls import search
from support.samples import OBJECT_SAMPLES, as_template
from support.stores import snapshot
from support.token_world import SO_PIN, USER_PIN, Caller, make_application

MOST_COMMANDS = 8
SLOW = {CKM.RSA_PKCS_KEY_PAIR_GEN, CKM.PKCS5_PBKD2}
"""One of these takes the time of thousands of runs."""
QUICK = tuple(number for number in MECHANISMS if number not in SLOW)
PINS = (USER_PIN, SO_PIN, b"", b"another PIN")
CAPACITIES = (0, 4, 16, 4096)


@cache
def records() -> dict[bytes, bytes]:
    """Return the records of a token with an object of every kind."""
    store = MemoryStore()
    caller = Caller(make_application(store, slots=1, policy=PORTABLE))
    session = caller.set_up()
    for sample in OBJECT_SAMPLES.values():
        caller.ok(c.CREATE_OBJECT, session, as_template({**sample, CKA.TOKEN: True}))
    return snapshot(store)


def new_client() -> tuple[Caller, tuple[int, int]]:
    """Return a client that is logged in, and its two sessions."""
    caller = Caller(make_application(load(records()), slots=1, policy=PORTABLE))
    sessions = (caller.open(), caller.open())
    assert caller.login(sessions[0]) is CKR.OK
    return caller, sessions


@cache
def objects() -> list[int]:
    """Return the handles that the objects have for each new client."""
    caller, sessions = new_client()
    return search(caller, sessions[0], (), at_once=512)


class Requests:
    """Makes requests of a run's bytes."""

    def __init__(self, data: Data, sessions: tuple[int, int]) -> None:
        self._data = data
        self._sessions = sessions
        self._mechanism = NOTHING

    def request(self, command: Command[Any]) -> bytes:
        """Return a request: any bytes, or values of its fields."""
        if self._data.chance(16):
            return self._data.blob()
        return command.encode(command.request(*(self._value(name, field) for name, field in fields(command.request))))

    def _value(self, name: str, field: Field) -> object:
        data = self._data
        if field is U32:
            return self._number(name)
        if field is BLOB:
            return data.blob() if name != "parameter" or data.chance(8) else parameter_of(self._mechanism, data)
        if field is LABEL:
            return data.take(32).ljust(32)
        if field is TEMPLATE:
            return take_template(data)
        if name.endswith("pin"):
            return data.choose(PINS)
        make = SavedSession if name == "sessions" else SavedLogin
        return tuple(self._saved(make) for _ in range(data.below(4)))

    def _saved(self, make: type[SavedSession | SavedLogin]) -> SavedSession | SavedLogin:
        three = (number(self._data), self._data.below(2), number(self._data))
        return SavedSession(*three) if make is SavedSession else SavedLogin(*three, self._data.blob())

    def _number(self, name: str) -> int:
        data = self._data
        if data.chance(16):
            return number(data)
        if name == "session":
            return data.choose(self._sessions)
        if name in {"handle", "key", "encryption_key", "authentication_key"}:
            return data.choose(objects())
        if name == "mechanism":
            mechanism = data.choose(QUICK)
            self._mechanism = LAYOUTS.get((mechanism, Use.OPERATION), NOTHING)
            return mechanism
        return data.below(4)


def is_slow(control: bytes) -> bool:
    return any(mechanism.to_bytes(4, "little") in control for mechanism in SLOW)


def one_input(raw: bytes) -> None:
    """Send some commands, one after the other."""
    data = Data(raw)
    caller, sessions = new_client()
    requests = Requests(data, sessions)
    for _ in range(1 + data.below(MOST_COMMANDS)):
        command: Command[Any] = data.choose(COMMANDS)
        control = requests.request(command)
        if not is_slow(control):
            send(caller, command, control, data)


def send(caller: Caller, command: Command[Any], control: bytes, data: Data) -> None:
    capacity = command.output_size or data.choose(CAPACITIES)
    answer = caller.send(command, control, data=data.blob(), second=data.blob(), capacity=capacity)
    if answer.result is TeeResult.BAD_PARAMETERS:
        assert len(control) < 4
    else:
        assert answer.rv is not CKR.GENERAL_ERROR, (command.name, control.hex(), answer)
