# SPDX-License-Identifier: Apache-2.0
"""Makes a handler a step of an operation on messages. An error ends the message, and the operation goes on."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from softee.names import CKR, MessageFlag
from softee.pkcs11_ta.abi.errors import BufferTooSmallError, Pkcs11Error
from softee.pkcs11_ta.abi.messages import InSession
from softee.pkcs11_ta.handlers.binding import Answer, Handler
from softee.pkcs11_ta.handlers.steps import StepHandler
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import MESSAGE_RULES, MessageStep, Operation, Phase, Purpose, require_usable

_KNOWN_FLAGS = int(MessageFlag.END_OF_MESSAGE)

R = TypeVar("R")
Op = TypeVar("Op")


class _PartRequest(Protocol):
    @property
    def flags(self) -> int: ...


Part = TypeVar("Part", bound=_PartRequest)


def message_step(purpose: Purpose[Op], number: MessageStep) -> Callable[[StepHandler[R, Op]], Handler[R]]:
    """Make a handler of one step, as ``steps.step`` does."""

    def decorate(handler: StepHandler[R, Op]) -> Handler[R]:
        def handle(call: Call, request: R) -> Answer:
            operation = call.session.operations.require(purpose)
            return _take(operation, number, partial(handler, call, request, operation))

        return handle

    return decorate


def message_part(purpose: Purpose[Op]) -> Callable[[StepHandler[Part, Op]], Handler[Part]]:
    """Make a handler of C_*MessageNext, whose request says whether the part is the last one.

    What it makes raises CKR_ARGUMENTS_BAD for flags that there are not.
    """

    def decorate(handler: StepHandler[Part, Op]) -> Handler[Part]:
        def handle(call: Call, request: Part) -> Answer:
            operation = call.session.operations.require(purpose)
            if request.flags & ~_KNOWN_FLAGS:
                raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"unknown flags 0x{request.flags:x}")
            number = MessageStep.LAST if request.flags else MessageStep.NEXT
            return _take(operation, number, partial(handler, call, request, operation))

        return handle

    return decorate


def _take(operation: Operation[Op], step: MessageStep, handle: Callable[[], Answer]) -> Answer:
    """Take a step, as far as it may come now. What it raises decides what becomes of the message."""
    after = _next_phase(operation, step)
    try:
        reply = handle()
    except BufferTooSmallError:
        raise
    except BaseException:
        operation.end_message()
        raise
    if after is Phase.READY:
        operation.end_message()
    operation.phase = after
    return reply


def _next_phase(operation: Operation[Op], step: MessageStep) -> Phase:
    after = MESSAGE_RULES[operation.phase, step]
    if isinstance(after, CKR):
        raise Pkcs11Error(after, f"{step.value} within a message, or with none begun")
    require_usable(operation, in_one_part=step is MessageStep.WHOLE)
    return after


def final(purpose: Purpose[Op]) -> Callable[[Call, InSession], bytes]:
    """Return the handler of C_Message*Final. Raises CKR_OPERATION_ACTIVE within a message."""

    def handle(call: Call, request: InSession) -> bytes:
        operations = call.session.operations
        after = MESSAGE_RULES[operations.require(purpose).phase, MessageStep.FINAL]
        if isinstance(after, CKR):
            raise Pkcs11Error(after, "a message has begun; end it, or cancel")
        operations.end(purpose)
        return b""

    return handle
