# SPDX-License-Identifier: Apache-2.0
"""Makes a handler a step of the session's active operation."""

from collections.abc import Callable
from typing import Any, TypeVar

from softee.pkcs11_ta.abi.errors import BufferTooSmallError
from softee.pkcs11_ta.handlers.binding import Answer, Handler
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import Operation, Operations, Phase, Purpose, Step, next_phase

R = TypeVar("R")
Op = TypeVar("Op")

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
