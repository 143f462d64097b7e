# SPDX-License-Identifier: Apache-2.0
"""C_MessageSignInit, C_SignMessage, C_SignMessageBegin, C_SignMessageNext, C_MessageSignFinal, and verification."""

from softee.pkcs11_ta.abi.commands import by_message
from softee.pkcs11_ta.abi.messages import InSession, PartOfMessage, WithKey
from softee.pkcs11_ta.handlers.beyond import beyond_optee
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.message_steps import final, message_part, message_step
from softee.pkcs11_ta.mechanisms.functions import SignOperation, VerifyOperation
from softee.pkcs11_ta.session.begin import begin_message_sign, begin_message_verify
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import MESSAGE_SIGN, MESSAGE_VERIFY, MessageStep, Operation


def message_sign_init(call: Call, request: WithKey) -> bytes:
    """Begin to sign messages."""
    begin_message_sign(call.session, request)
    return b""


def message_verify_init(call: Call, request: WithKey) -> bytes:
    """Begin to verify messages."""
    begin_message_verify(call.session, request)
    return b""


@message_step(MESSAGE_SIGN, MessageStep.WHOLE)
def sign_message(call: Call, request: InSession, operation: Operation[SignOperation]) -> bytes:
    """Return the signature of a message."""
    call.require_capacity(operation.size)
    operation.running.update(call.input)
    return operation.running.finish()


@message_step(MESSAGE_SIGN, MessageStep.BEGIN)
def sign_message_begin(call: Call, request: InSession, operation: Operation[SignOperation]) -> bytes:
    """Begin a message."""
    return b""


@message_part(MESSAGE_SIGN)
def sign_message_next(call: Call, request: PartOfMessage, operation: Operation[SignOperation]) -> bytes:
    """Take a part of a message; with the last one, return the signature."""
    if request.flags:
        call.require_capacity(operation.size)
    operation.running.update(call.input)
    return operation.running.finish() if request.flags else b""


@message_step(MESSAGE_VERIFY, MessageStep.WHOLE)
def verify_message(call: Call, request: InSession, operation: Operation[VerifyOperation]) -> bytes:
    """Verify the second input as a signature of the first. Raises CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""
    operation.running.update(call.input)
    operation.running.finish(bytes(call.second))
    return b""


@message_step(MESSAGE_VERIFY, MessageStep.BEGIN)
def verify_message_begin(call: Call, request: InSession, operation: Operation[VerifyOperation]) -> bytes:
    """Begin a message."""
    return b""


@message_part(MESSAGE_VERIFY)
def verify_message_next(call: Call, request: PartOfMessage, operation: Operation[VerifyOperation]) -> bytes:
    """Take a part of a message; with the last one, verify the second input as the signature of all of them."""
    operation.running.update(call.input)
    if request.flags:
        operation.running.finish(bytes(call.second))
    return b""


BOUND = (
    bind(by_message.MESSAGE_SIGN_INIT, beyond_optee(message_sign_init)),
    bind(by_message.SIGN_MESSAGE, beyond_optee(sign_message)),
    bind(by_message.SIGN_MESSAGE_BEGIN, beyond_optee(sign_message_begin)),
    bind(by_message.SIGN_MESSAGE_NEXT, beyond_optee(sign_message_next)),
    bind(by_message.MESSAGE_SIGN_FINAL, beyond_optee(final(MESSAGE_SIGN))),
    bind(by_message.MESSAGE_VERIFY_INIT, beyond_optee(message_verify_init)),
    bind(by_message.VERIFY_MESSAGE, beyond_optee(verify_message)),
    bind(by_message.VERIFY_MESSAGE_BEGIN, beyond_optee(verify_message_begin)),
    bind(by_message.VERIFY_MESSAGE_NEXT, beyond_optee(verify_message_next)),
    bind(by_message.MESSAGE_VERIFY_FINAL, beyond_optee(final(MESSAGE_VERIFY))),
)
