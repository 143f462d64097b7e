# SPDX-License-Identifier: Apache-2.0
"""C_SignInit, C_Sign, C_SignUpdate, C_SignFinal, C_SignRecoverInit, C_SignRecover, and the same for verification."""

from softee.pkcs11_ta.abi.commands import signatures
from softee.pkcs11_ta.abi.messages import InSession, WithKey
from softee.pkcs11_ta.handlers.binding import Answer, bind
from softee.pkcs11_ta.handlers.steps import step
from softee.pkcs11_ta.mechanisms.functions import Recover, Recovering, SignOperation, VerifyOperation
from softee.pkcs11_ta.session.begin import (
    begin_sign,
    begin_sign_recover,
    begin_verify,
    begin_verify_recover,
    require_any,
)
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import SIGN, SIGN_RECOVER, VERIFY, VERIFY_RECOVER, Operation, Step


def sign_init(call: Call, request: WithKey) -> bytes:
    """Begin to sign."""
    begin_sign(call.session, request)
    return b""


def sign_recover_init(call: Call, request: WithKey) -> bytes:
    """Begin to sign data that can be recovered from the signature."""
    begin_sign_recover(call.session, request)
    return b""


def _one_shot(call: Call, request: InSession, operation: Operation[SignOperation]) -> bytes:
    """Return the signature of the input."""
    call.require_capacity(operation.size)
    operation.running.update(call.input)
    return operation.running.finish()


sign = step(SIGN, Step.ONE_SHOT)(_one_shot)
_sign_recover = step(SIGN_RECOVER, Step.ONE_SHOT)(_one_shot)


def sign_recover(call: Call, request: InSession) -> Answer:
    """Return the signature of the input, in which it stays readable."""
    require_any(call.session, Recovering)
    return _sign_recover(call, request)


@step(SIGN, Step.UPDATE)
def sign_update(call: Call, request: InSession, operation: Operation[SignOperation]) -> bytes:
    """Take a part."""
    operation.running.update(call.input)
    return b""


@step(SIGN, Step.FINAL)
def sign_final(call: Call, request: InSession, operation: Operation[SignOperation]) -> bytes:
    """Return the signature of all parts."""
    call.require_capacity(operation.size)
    return operation.running.finish()


def verify_init(call: Call, request: WithKey) -> bytes:
    """Begin to verify."""
    begin_verify(call.session, request)
    return b""


@step(VERIFY, Step.ONE_SHOT)
def verify(call: Call, request: InSession, operation: Operation[VerifyOperation]) -> bytes:
    """Verify the second input as a signature of the first. Raises CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""
    operation.running.update(call.input)
    operation.running.finish(bytes(call.second))
    return b""


@step(VERIFY, Step.UPDATE)
def verify_update(call: Call, request: InSession, operation: Operation[VerifyOperation]) -> bytes:
    """Take a part."""
    operation.running.update(call.input)
    return b""


@step(VERIFY, Step.FINAL)
def verify_final(call: Call, request: InSession, operation: Operation[VerifyOperation]) -> bytes:
    """Verify the input as a signature of all parts. Raises CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""
    operation.running.finish(bytes(call.second))
    return b""


def verify_recover_init(call: Call, request: WithKey) -> bytes:
    """Begin to verify a signature and recover its data."""
    begin_verify_recover(call.session, request)
    return b""


@step(VERIFY_RECOVER, Step.ONE_SHOT)
def _verify_recover(call: Call, request: InSession, operation: Operation[Recover]) -> bytes:
    data = operation.running(bytes(call.input))
    operation.told_empty = call.asks_size and not data
    return call.fit(data)


def verify_recover(call: Call, request: InSession) -> Answer:
    """Return the data that the input is a signature of. Raises CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""
    require_any(call.session, Recovering)
    return _verify_recover(call, request)


BOUND = (
    bind(signatures.SIGN_INIT, sign_init),
    bind(signatures.VERIFY_INIT, verify_init),
    bind(signatures.SIGN_UPDATE, sign_update),
    bind(signatures.VERIFY_UPDATE, verify_update),
    bind(signatures.SIGN_FINAL, sign_final),
    bind(signatures.VERIFY_FINAL, verify_final),
    bind(signatures.SIGN_ONESHOT, sign),
    bind(signatures.VERIFY_ONESHOT, verify),
    bind(signatures.SIGN_RECOVER_INIT, sign_recover_init),
    bind(signatures.SIGN_RECOVER, sign_recover),
    bind(signatures.VERIFY_RECOVER_INIT, verify_recover_init),
    bind(signatures.VERIFY_RECOVER, verify_recover),
)
