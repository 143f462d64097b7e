# SPDX-License-Identifier: Apache-2.0
"""C_MessageSignInit, C_SignMessage, C_SignMessageBegin, C_SignMessageNext, C_MessageSignFinal, and verification."""

from typing import Any

from softee.pkcs11_ta.abi.commands import by_message
from softee.pkcs11_ta.abi.messages import InSession, PartOfMessage
from softee.pkcs11_ta.handlers.beyond import beyond_optee
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.message_steps import final, message_part, message_step
from softee.pkcs11_ta.handlers.steps import beginning, check_at_once, give_at_once
from softee.pkcs11_ta.mechanisms.functions import SignOperation, VerifyOperation
from softee.pkcs11_ta.session.begin import begin_message_sign, begin_message_verify
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import MESSAGE_SIGN, MESSAGE_VERIFY, MessageStep, Operation


def _begin(call: Call, request: InSession, operation: Operation[Any]) -> bytes:
    """Begin a message."""
    return b""


@message_part(MESSAGE_SIGN)
def sign_message_next(call: Call, request: PartOfMessage, operation: Operation[SignOperation]) -> bytes:
    """Take a part of a message; with the last one, return the signature."""
    if request.flags:
        call.require_capacity(operation.size)
    operation.running.update(call.input)
    return operation.running.finish() if request.flags else b""


@message_part(MESSAGE_VERIFY)
def verify_message_next(call: Call, request: PartOfMessage, operation: Operation[VerifyOperation]) -> bytes:
    """Take a part of a message; with the last one, verify the second input as the signature of all of them."""
    operation.running.update(call.input)
    if request.flags:
        operation.running.finish(bytes(call.second))
    return b""


BOUND = (
    bind(by_message.MESSAGE_SIGN_INIT, beyond_optee(beginning(begin_message_sign))),
    bind(by_message.SIGN_MESSAGE, beyond_optee(message_step(MESSAGE_SIGN, MessageStep.WHOLE)(give_at_once))),
    bind(by_message.SIGN_MESSAGE_BEGIN, beyond_optee(message_step(MESSAGE_SIGN, MessageStep.BEGIN)(_begin))),
    bind(by_message.SIGN_MESSAGE_NEXT, beyond_optee(sign_message_next)),
    bind(by_message.MESSAGE_SIGN_FINAL, beyond_optee(final(MESSAGE_SIGN))),
    bind(by_message.MESSAGE_VERIFY_INIT, beyond_optee(beginning(begin_message_verify))),
    bind(by_message.VERIFY_MESSAGE, beyond_optee(message_step(MESSAGE_VERIFY, MessageStep.WHOLE)(check_at_once))),
    bind(by_message.VERIFY_MESSAGE_BEGIN, beyond_optee(message_step(MESSAGE_VERIFY, MessageStep.BEGIN)(_begin))),
    bind(by_message.VERIFY_MESSAGE_NEXT, beyond_optee(verify_message_next)),
    bind(by_message.MESSAGE_VERIFY_FINAL, beyond_optee(final(MESSAGE_VERIFY))),
)
