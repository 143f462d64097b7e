# SPDX-License-Identifier: Apache-2.0
"""A session's operations, and when each of their steps may come: one table.

A session has at most one operation of each purpose, and a search beside them; with OP-TEE's way, one in all. Every
error ends the operation, except CKR_BUFFER_TOO_SMALL, which leaves it as if the call had not been made.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import (
    CipherOperation,
    DigestOperation,
    Recover,
    SignOperation,
    VerifyOperation,
)
from softee.pkcs11_ta.mechanisms.shapes.messages import MessageCipher
from softee.pkcs11_ta.mechanisms.shapes.signing import SignatureCheck
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.session.roles import (
    TO_DECRYPT,
    TO_ENCRYPT,
    TO_SIGN,
    TO_SIGN_RECOVER,
    TO_VERIFY,
    TO_VERIFY_RECOVER,
    Role,
)

if TYPE_CHECKING:
    from softee.pkcs11_ta.token.object import Pkcs11Object

Op = TypeVar("Op")


class Phase(IntEnum):
    """How far an operation is."""

    IDLE = auto()
    """There is none."""
    READY = auto()
    """It was initialized."""
    UPDATING = auto()
    """It has had a part of the data."""
    FINISHING = auto()
    """Its end was computed and waits for a large enough buffer."""


class Step(Enum):
    """A call."""

    INIT = "C_*Init"
    UPDATE = "C_*Update"
    FINAL = "C_*Final"
    ONE_SHOT = "C_* in one part"


Rules = Mapping[tuple[Phase, Step], Phase | CKR]
"""What each call leads to: the operation's next phase, or the return value that refuses it."""

STREAM_RULES: Rules = {
    (Phase.IDLE, Step.INIT): Phase.READY,
    (Phase.IDLE, Step.UPDATE): CKR.OPERATION_NOT_INITIALIZED,
    (Phase.IDLE, Step.FINAL): CKR.OPERATION_NOT_INITIALIZED,
    (Phase.IDLE, Step.ONE_SHOT): CKR.OPERATION_NOT_INITIALIZED,
    (Phase.READY, Step.INIT): CKR.OPERATION_ACTIVE,
    (Phase.READY, Step.UPDATE): Phase.UPDATING,
    (Phase.READY, Step.FINAL): Phase.IDLE,
    (Phase.READY, Step.ONE_SHOT): Phase.IDLE,
    (Phase.UPDATING, Step.INIT): CKR.OPERATION_ACTIVE,
    (Phase.UPDATING, Step.UPDATE): Phase.UPDATING,
    (Phase.UPDATING, Step.FINAL): Phase.IDLE,
    (Phase.UPDATING, Step.ONE_SHOT): CKR.OPERATION_ACTIVE,
    (Phase.FINISHING, Step.INIT): CKR.OPERATION_ACTIVE,
    (Phase.FINISHING, Step.UPDATE): CKR.OPERATION_ACTIVE,
    (Phase.FINISHING, Step.FINAL): Phase.IDLE,
    (Phase.FINISHING, Step.ONE_SHOT): CKR.OPERATION_ACTIVE,
}
"""Those of operations that take their data in parts, or all at once, and then end."""


class MessageStep(Enum):
    """A call of an operation on messages."""

    WHOLE = "C_*Message"
    BEGIN = "C_*MessageBegin"
    NEXT = "C_*MessageNext"
    LAST = "the last C_*MessageNext"
    FINAL = "C_Message*Final"


MessageRules = Mapping[tuple[Phase, MessageStep], Phase | CKR]
"""The same for operations on messages: READY is between two of them, UPDATING within one."""

MESSAGE_RULES: MessageRules = {
    (Phase.READY, MessageStep.WHOLE): Phase.READY,
    (Phase.READY, MessageStep.BEGIN): Phase.UPDATING,
    (Phase.READY, MessageStep.NEXT): CKR.OPERATION_NOT_INITIALIZED,
    (Phase.READY, MessageStep.LAST): CKR.OPERATION_NOT_INITIALIZED,
    (Phase.READY, MessageStep.FINAL): Phase.IDLE,
    (Phase.UPDATING, MessageStep.WHOLE): CKR.OPERATION_ACTIVE,
    (Phase.UPDATING, MessageStep.BEGIN): CKR.OPERATION_ACTIVE,
    (Phase.UPDATING, MessageStep.NEXT): Phase.UPDATING,
    (Phase.UPDATING, MessageStep.LAST): Phase.READY,
    (Phase.UPDATING, MessageStep.FINAL): CKR.OPERATION_ACTIVE,
}
"""They go on from one message to the next, and an error ends the message alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Purpose(Generic[Op]):
    """What an operation does (``Op`` is what runs underneath), and which of its steps may come when."""

    name: str
    rules: Rules = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class KeyPurpose(Purpose[Op]):
    """What an operation does with a key."""

    role: Role


DIGEST: Purpose[DigestOperation] = Purpose("digest", STREAM_RULES)
ENCRYPT: KeyPurpose[CipherOperation] = KeyPurpose("encrypt", STREAM_RULES, TO_ENCRYPT)
DECRYPT: KeyPurpose[CipherOperation] = KeyPurpose("decrypt", STREAM_RULES, TO_DECRYPT)
SIGN: KeyPurpose[SignOperation] = KeyPurpose("sign", STREAM_RULES, TO_SIGN)
VERIFY: KeyPurpose[VerifyOperation] = KeyPurpose("verify", STREAM_RULES, TO_VERIFY)
MESSAGE_ENCRYPT: KeyPurpose[MessageCipher] = KeyPurpose("message-encrypt", STREAM_RULES, TO_ENCRYPT)
MESSAGE_DECRYPT: KeyPurpose[MessageCipher] = KeyPurpose("message-decrypt", STREAM_RULES, TO_DECRYPT)
MESSAGE_SIGN: KeyPurpose[SignOperation] = KeyPurpose("message-sign", STREAM_RULES, TO_SIGN)
MESSAGE_VERIFY: KeyPurpose[VerifyOperation] = KeyPurpose("message-verify", STREAM_RULES, TO_VERIFY)
VERIFY_SIGNATURE: KeyPurpose[SignatureCheck] = KeyPurpose("verify-signature", STREAM_RULES, TO_VERIFY)
SIGN_RECOVER: KeyPurpose[SignOperation] = KeyPurpose("sign-recover", STREAM_RULES, TO_SIGN_RECOVER)
VERIFY_RECOVER: KeyPurpose[Recover] = KeyPurpose("verify-recover", STREAM_RULES, TO_VERIFY_RECOVER)


class Operation(Generic[Op]):
    """An active cryptographic operation.

    ``size`` is how many bytes its signature or digest has. ``context_login`` is True while a key with
    CKA_ALWAYS_AUTHENTICATE waits for C_Login(CKU_CONTEXT_SPECIFIC). ``rest`` is an end that was computed and waits for
    a large enough buffer. ``slow``: its end takes longer than some hundred microseconds. ``told_empty``: the caller has
    asked for the size of its end, which is 0. It goes on as if nothing had been asked, but no longer stands in the way
    of another one: OP-TEE's library asks so where the application has given an empty buffer, and then takes the
    operation for ended. ``unchanged`` says whether to begin it anew would still give the same; None: nobody will ask.
    ``key`` is whose it is, for who tells of it.
    """

    __slots__ = (
        "_make",
        "_wants_login",
        "context_login",
        "key",
        "phase",
        "purpose",
        "rest",
        "running",
        "size",
        "slow",
        "spec",
        "told_empty",
        "unchanged",
    )

    def __init__(
        self,
        purpose: Purpose[Op],
        spec: AnyMechanism,
        make: Callable[[], Op],
        size: int = 0,
        *,
        context_login: bool = False,
        slow: bool = False,
    ) -> None:
        self.purpose = purpose
        self.spec = spec
        self.size = size
        self.slow = slow
        self.context_login = self._wants_login = context_login
        self.key: Pkcs11Object | None = None
        self.phase = Phase.READY
        self.rest: bytes | None = None
        self.told_empty = False
        self.unchanged: Callable[[], bool] | None = None
        self.running = make()
        self._make = make

    def afresh(self) -> None:
        """Begin again, as if no data had come."""
        self.running = self._make()

    def end_message(self) -> None:
        """Be ready for another message; a key that asks for a login before each use asks again."""
        self.afresh()
        self.phase = Phase.READY
        self.context_login = self._wants_login

    def as_far(self, running: Op) -> "Operation[Op]":
        """Return an operation that is as far as this one and goes on with ``running``."""
        other = copy.copy(self)
        other.running = running
        return other

    def park(self) -> None:
        """Be one that has ended, and may be resumed; no data stays in it."""
        self.phase = Phase.IDLE
        del self.running

    def hold(self, rest: bytes) -> None:
        """Keep the computed end until its buffer is large enough."""
        self.rest = rest
        self.phase = Phase.FINISHING


class Operations:
    """The operations of one session: cryptographic ones by purpose, and at most one search.

    One in the phase IDLE has ended, and waits to be resumed: to all but ``resume`` it is not there. Whatever ends the
    active ones ends it too, also from another thread.
    """

    __slots__ = ("_active", "_one_at_a_time", "find")

    def __init__(self, *, one_at_a_time: bool) -> None:
        self._one_at_a_time = one_at_a_time
        self._active: dict[Purpose[Any], Operation[Any]] = {}
        self.find: list[int] | None = None

    def clear(self) -> None:
        """End all."""
        self._active.clear()
        self.find = None

    def require_idle(self, purpose: Purpose[Any] | None = None) -> None:
        """Raise CKR_OPERATION_ACTIVE where an operation stands in the way of a new one or of a call."""
        for operation in self._all():
            in_the_way = self._one_at_a_time or operation.purpose is purpose
            if in_the_way and operation.phase is not Phase.IDLE and not operation.told_empty:
                name = operation.purpose.name
                raise Pkcs11Error(CKR.OPERATION_ACTIVE, f"a {name} operation is active in this session")

    def begin(self, operation: Operation[Any]) -> None:
        """Add an operation, for which :meth:`require_idle` has found room."""
        if self._one_at_a_time:
            self._active.clear()
        self._active[operation.purpose] = operation

    def active(self) -> list[Operation[Any]]:
        """Return the cryptographic operations that are active."""
        return [operation for operation in self._all() if operation.phase is not Phase.IDLE]

    def latest(self, purpose: Purpose[Any]) -> Operation[Any] | None:
        """Return the operation of this purpose that is active, or waits to be resumed."""
        return self._active.get(purpose)

    def restore(self, operation: Operation[Any]) -> None:
        """Put an operation in the place of all cryptographic ones."""
        self._active = {operation.purpose: operation}

    def end(self, purpose: Purpose[Any]) -> None:
        """End the operation of this purpose, if there is one."""
        self._active.pop(purpose, None)

    def finish(self, operation: Operation[Any]) -> None:
        """End an operation that went well; it stays to be resumed where that would be no other than to begin it."""
        if operation.unchanged is not None and operation.unchanged():
            operation.park()
        else:
            self.end(operation.purpose)

    def resume(self, purpose: Purpose[Any]) -> None:
        """Make the operation of this purpose that has ended last active again, as it was at its beginning.

        Raises:
            Pkcs11Error: CKR_OPERATION_NOT_INITIALIZED where there is none, CKR_OPERATION_ACTIVE.

        """
        self.require_idle(purpose)
        operation = self._active.get(purpose)
        if operation is None:
            raise Pkcs11Error(CKR.OPERATION_NOT_INITIALIZED, f"no {purpose.name} operation waits to be resumed")
        try:
            operation.afresh()
        except BaseException:
            self.end(purpose)
            raise
        operation.phase = Phase.READY

    def require(self, purpose: Purpose[Op]) -> Operation[Op]:
        """Return the active operation of this purpose. Raises CKR_OPERATION_NOT_INITIALIZED."""
        operation = self._active.get(purpose)
        if operation is None or operation.phase is Phase.IDLE:
            raise Pkcs11Error(CKR.OPERATION_NOT_INITIALIZED, f"no {purpose.name} operation is active in this session")
        return operation

    def is_slow(self, purpose: Purpose[Any], size: int) -> bool:
        """Say whether the active operation of this purpose, if there is one, takes its time with so much data."""
        operation = self._active.get(purpose)
        return operation is not None and (operation.slow or size > operation.spec.quick_bytes)

    def mechanism(self, purpose: Purpose[Any]) -> int | None:
        """Return the mechanism of the operation of this purpose that is active, or waits to be resumed."""
        operation = self._active.get(purpose)
        return None if operation is None else operation.spec.mechanism

    def release(self, purpose: Purpose[Any]) -> None:
        """End the active operation of this purpose. Raises CKR_OPERATION_NOT_INITIALIZED."""
        self.require(purpose)
        self.end(purpose)

    def waiting_for_login(self) -> Operation[Any] | None:
        """Return the operation that waits for C_Login(CKU_CONTEXT_SPECIFIC), the latest one where there are several."""
        return next((one for one in reversed(self._all()) if one.context_login), None)

    def _all(self) -> list[Operation[Any]]:
        """Return all as they are now: another thread may end them while somebody goes through them."""
        return list(self._active.values())


def next_phase(operation: Operation[Any], step: Step, after: Phase | CKR) -> Phase:
    """Return what a step leads to, where the table says ``after``.

    Raises:
        Pkcs11Error: CKR_OPERATION_ACTIVE where the table refuses it, CKR_MECHANISM_INVALID for a multi-part step of a
            single-part mechanism, CKR_USER_NOT_LOGGED_IN where the key asks for a context-specific login first.

    """
    if isinstance(after, CKR):
        raise Pkcs11Error(after, f"{step.value} cannot end or follow a multi-part {operation.purpose.name} operation")
    require_usable(operation, in_one_part=step is Step.ONE_SHOT)
    return after


def require_usable(operation: Operation[Any], *, in_one_part: bool) -> None:
    """Refuse data in parts for a mechanism that takes none, and a key that waits for its login.

    Raises:
        Pkcs11Error: CKR_MECHANISM_INVALID, CKR_USER_NOT_LOGGED_IN.

    """
    if not in_one_part and not operation.spec.multi_part:
        raise Pkcs11Error(CKR.MECHANISM_INVALID, f"CKM_{operation.spec.mechanism.name} works in one part only")
    if operation.context_login:
        raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "the key needs C_Login(CKU_CONTEXT_SPECIFIC) before each use")
