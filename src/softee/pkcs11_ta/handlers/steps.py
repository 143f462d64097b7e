# SPDX-License-Identifier: Apache-2.0
"""Makes a handler a step of the session's active operation; and the steps that several kinds of operations share."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from softee.pkcs11_ta.abi.errors import BufferTooSmallError
from softee.pkcs11_ta.abi.messages import InSession
from softee.pkcs11_ta.handlers.binding import Answer, Handler
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.operations import Operation, Operations, Phase, Purpose, Step, next_phase


class _Taking(Protocol):
    def update(self, part: bytes | bytearray) -> None: ...


class _Giving(_Taking, Protocol):
    def finish(self) -> bytes: ...


class _Checking(_Taking, Protocol):
    def finish(self, signature: bytes) -> None: ...


R = TypeVar("R")
Op = TypeVar("Op")
Taking = TypeVar("Taking", bound=_Taking)
Giving = TypeVar("Giving", bound=_Giving)
Checking = TypeVar("Checking", bound=_Checking)

StepHandler = Callable[[Call, R, Operation[Op]], Answer]


def _end(operations: Operations, operation: Operation[Any]) -> None:
    operations.end(operation.purpose)


def step(purpose: Purpose[Op], number: Step) -> Callable[[StepHandler[R, Op]], Handler[R]]:
    """Make a handler of one step: it gets the active operation, and what it raises decides what becomes of that."""
    rules = {phase: after for (phase, when), after in purpose.rules.items() if when is number}
    end = Operations.finish if number is Step.ONE_SHOT else _end

    def decorate(handler: StepHandler[R, Op]) -> Handler[R]:
        def handle(call: Call, request: R) -> Answer:
            operations = call.session.operations
            operation = operations.require(purpose)
            try:
                after = next_phase(operation, number, rules[operation.phase])
                reply = handler(call, request, operation)
            except BufferTooSmallError:
                raise
            except BaseException:
                operations.end(purpose)
                raise
            if operation.told_empty:
                return reply
            if after is Phase.IDLE:
                end(operations, operation)
            else:
                operation.phase = after
            return reply

        return handle

    return decorate


def beginning(begin: Callable[[Session, R], object]) -> Handler[R]:
    """Make the handler of a C_*Init of what begins the operation."""

    def handle(call: Call, request: R) -> bytes:
        begin(call.session, request)
        return b""

    return handle


def take_part(call: Call, request: InSession, operation: Operation[Taking]) -> bytes:
    """Take the input as a part of the data."""
    operation.running.update(call.input)
    return b""


def give_end(call: Call, request: InSession, operation: Operation[Giving]) -> bytes:
    """Return the signature or digest of all parts."""
    call.require_capacity(operation.size)
    return operation.running.finish()


def give_at_once(call: Call, request: InSession, operation: Operation[Giving]) -> bytes:
    """Return the signature or digest of the input."""
    call.require_capacity(operation.size)
    operation.running.update(call.input)
    return operation.running.finish()


def check_at_once(call: Call, request: InSession, operation: Operation[Checking]) -> bytes:
    """Verify the second input as a signature of the first. Raises CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""
    operation.running.update(call.input)
    operation.running.finish(bytes(call.second))
    return b""
