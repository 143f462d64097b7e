# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 application in this process, over a store in memory, spoken to in its own command ABI."""

import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU, PKCS11_APPLICATION, LoginMethod, ParamType, TeeResult
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.template import Template, encode_template
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.tickets import NO_TICKETS, Tickets
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE
from softee.pkcs11_ta.token.state import Cost
from softee.pkcs11_ta.token.token import Token
from softee.stores.base import Store
from softee.stores.memory import MemoryStore
from softee.tee.application import ClientIdentity
from softee.tee.secure_storage import SecureStorage
from softee.wire.values import NO_PARAMS, Memref, Param
from support.commands import c

ROOT_KEY = bytes(range(32))
SO_PIN = b"87654321"
USER_PIN = b"123456"
AS_OPTEE = replace(OPTEE, curves=None)
"""As a board, but for the keys that it lacks."""
CHEAP = Cost(memory=8, passes=1, lanes=1)
"""So that tests spend their time on the rules; one test measures the real cost."""

NAMESPACE = UUID("58ac9ca0-2086-4683-a1b8-ec4bc08e01b6")
P256 = bytes.fromhex("06082a8648ce3d030107")
NOW = datetime(2024, 2, 29, 12, tzinfo=UTC)
"""What the application takes for the time."""


def make_application(
    store: Store | None = None,
    *,
    slots: int = 3,
    policy: Policy = AS_OPTEE,
    max_sessions: int = 4096,
    tickets: Tickets = NO_TICKETS,
) -> Pkcs11Application:
    """Return an application over ``store`` (default: a new one in memory). Its tokens are as a board's, if not told."""
    storage = SecureStorage(store or MemoryStore(), ROOT_KEY, PKCS11_APPLICATION, vaults(slots))
    return Pkcs11Application(
        storage,
        clock=lambda: NOW,
        policies=[policy] * slots,
        max_sessions=max_sessions,
        pin_cost=CHEAP,
        tickets=tickets,
    )


def public_client(pid: int = 1, uid: int = 1000) -> ClientIdentity:
    """Return a client that asked for no identity."""
    return ClientIdentity(pid, uid, uid, LoginMethod.PUBLIC, UUID(int=0))


def user_client(uid: int, pid: int = 1) -> ClientIdentity:
    """Return a client that logged in by its user."""
    return ClientIdentity(pid, uid, uid, LoginMethod.USER, uuid5(NAMESPACE, f"uid={uid:x}"))


@dataclass(frozen=True)
class Answer:
    """What came back: the TEE result, the CKR, parameter 2's size and bytes."""

    result: TeeResult
    rv: CKR
    size: int
    output: bytes

    @property
    def handle(self) -> int:
        """The one handle in the output."""
        return int.from_bytes(self.output, "little")


def sessions_with(token: Token) -> list[Session]:
    """Return the PKCS#11 sessions that are open with a token, of all clients."""
    return [one for one in token.sessions if isinstance(one, Session)]


def u32(*values: int) -> bytes:
    """Return 32-bit integers as they travel."""
    return struct.pack(f"<{len(values)}I", *values)


Attribute = tuple[int, bytes | bool | int | Template]


def template(*attributes: Attribute) -> Template:
    """Return attributes with their values as they travel: booleans in one byte, integers in four."""

    def travelling(attribute: Attribute) -> bytes:
        value = attribute[1]
        if isinstance(value, bool):
            return bytes([value])
        if isinstance(value, tuple):
            return encode_template(value)
        return u32(value) if isinstance(value, int) else value

    return tuple((int(attribute[0]), travelling(attribute)) for attribute in attributes)


@dataclass
class Caller:
    """A client of the application."""

    application: Pkcs11Application
    identity: ClientIdentity = field(default_factory=public_client)

    def __post_init__(self) -> None:
        self.tee = self.application.open_session(self.identity, NO_PARAMS)

    def call(
        self,
        command: Command[Any],
        *request: int | bytes | Template,
        data: bytes | None = None,
        second: bytes | None = None,
        capacity: int | None = None,
    ) -> Answer:
        """Invoke a command with the fields of its request, as :meth:`send` does."""
        control = command.encode(command.request(*request))
        return self.send(command, control, data=data, second=second, capacity=capacity)

    def send(
        self,
        command: Command[Any],
        control: bytes,
        *,
        data: bytes | None = None,
        second: bytes | None = None,
        capacity: int | None = None,
    ) -> Answer:
        """Invoke a command with any bytes as its request. ``capacity`` defaults to the command's own size, or 16384.

        Whatever test calls this also proves that the answer is one that the command table allows.
        """
        one = Memref(ParamType.MEMREF_INPUT, bytearray(data or b"")) if command.data is Data.INPUT else None
        two: Memref | None = None
        if command.output is Output.INPUT:
            two = Memref(ParamType.MEMREF_INPUT, bytearray(second or b""))
        elif command.output is not Output.NONE:
            size = command.output_size if command.output_size is not None else 16384
            two = Memref(ParamType.MEMREF_OUTPUT, capacity=size if capacity is None else capacity)
        answer = self.invoke(command.number, control, one, two)
        assert answer.result is TeeResult.BAD_PARAMETERS or answer.rv in command.returns, (command.name, answer)
        return answer

    def invoke(self, number: int, control: bytes, one: Param = None, two: Param = None) -> Answer:
        """Invoke any command with any parameters."""
        zero = Memref(ParamType.MEMREF_INOUT, bytearray(control), len(control))
        result = self.tee.invoke(number, (zero, one, two, None))
        rv = CKR(int.from_bytes(zero.out, "little")) if zero.out else CKR.GENERAL_ERROR
        if not isinstance(two, Memref):
            return Answer(result, rv, 0, b"")
        return Answer(result, rv, two.size or 0, bytes(two.out))

    def ok(self, command: Command[Any], *request: int | bytes | Template, **rest: Any) -> Answer:  # noqa: ANN401 - passed on
        """Invoke a command that must succeed."""
        answer = self.call(command, *request, **rest)
        assert answer.rv is CKR.OK, answer
        return answer

    def init_token(self, slot: int = 0, pin: bytes = SO_PIN, label: bytes = b"test") -> CKR:
        """C_InitToken."""
        return self.call(c.INIT_TOKEN, slot, len(pin), label.ljust(32), pin).rv

    def open(self, slot: int = 0, flags: int = 6) -> int:
        """C_OpenSession, read-write unless told otherwise."""
        return self.ok(c.OPEN_SESSION, slot, flags).handle

    def login(self, session: int, user: int = CKU.USER, pin: bytes = USER_PIN) -> CKR:
        """C_Login."""
        return self.call(c.LOGIN, session, user, len(pin), pin).rv

    def logout(self, session: int) -> CKR:
        """C_Logout."""
        return self.call(c.LOGOUT, session).rv

    def init_pin(self, session: int, pin: bytes = USER_PIN) -> CKR:
        """C_InitPIN."""
        return self.call(c.INIT_PIN, session, len(pin), pin).rv

    def set_pin(self, session: int, old: bytes, new: bytes) -> CKR:
        """C_SetPIN."""
        return self.call(c.SET_PIN, session, len(old), len(new), old, new).rv

    def token_flags(self, slot: int = 0) -> int:
        """CK_TOKEN_INFO.flags."""
        return int(struct.unpack_from("<I", self.ok(c.TOKEN_INFO, slot).output, 96)[0])

    def set_up(self, slot: int = 0) -> int:
        """Initialize the token and its user PIN; return a read-write session in which the user is logged in."""
        assert self.init_token(slot) is CKR.OK
        session = self.open(slot)
        assert self.login(session, CKU.SO, SO_PIN) is CKR.OK
        assert self.init_pin(session) is CKR.OK
        assert self.logout(session) is CKR.OK
        assert self.login(session) is CKR.OK
        return session

    def aes_key(self, session: int, *extra: Attribute, token: bool = False) -> int:
        """Generate an AES-256 key that encrypts and decrypts."""
        attributes = template(
            (CKA.CLASS, CKO.SECRET_KEY),
            (CKA.KEY_TYPE, CKK.AES),
            (CKA.TOKEN, token),
            (CKA.ENCRYPT, True),
            (CKA.DECRYPT, True),
            (CKA.VALUE_LEN, 32),
            *extra,
        )
        return self.ok(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", attributes).handle

    def ec_pair(self, session: int, *private: Attribute) -> tuple[int, int]:
        """Generate a P-256 key pair for signing, as session objects; return the public and the private handle."""
        public = template((CKA.VERIFY, True), (CKA.EC_PARAMS, P256))
        secret = template((CKA.SIGN, True), (CKA.PRIVATE, True), *private)
        pair = self.ok(c.GENERATE_KEY_PAIR, session, CKM.EC_KEY_PAIR_GEN, b"", public, secret).output
        handles = struct.unpack("<2I", pair)
        return handles[0], handles[1]
