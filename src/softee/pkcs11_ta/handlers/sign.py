# SPDX-License-Identifier: Apache-2.0
"""C_SignInit, C_Sign, C_SignUpdate, C_SignFinal, C_SignRecoverInit, C_SignRecover, and the same for verification."""

from softee.pkcs11_ta.abi.commands import signatures
from softee.pkcs11_ta.abi.messages import InSession
from softee.pkcs11_ta.handlers.binding import Answer, bind
from softee.pkcs11_ta.handlers.steps import beginning, check_at_once, give_at_once, give_end, step, take_part
from softee.pkcs11_ta.mechanisms.functions import Recover, Recovering, VerifyOperation
from softee.pkcs11_ta.session.begin import (
    begin_sign,
    begin_sign_recover,
    begin_verify,
    begin_verify_recover,
    require_any,
)
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import SIGN, SIGN_RECOVER, VERIFY, VERIFY_RECOVER, Operation, Step

sign = step(SIGN, Step.ONE_SHOT)(give_at_once)
verify = step(VERIFY, Step.ONE_SHOT)(check_at_once)
_sign_recover = step(SIGN_RECOVER, Step.ONE_SHOT)(give_at_once)


def sign_recover(call: Call, request: InSession) -> Answer:
    """Return the signature of the input, in which it stays readable."""
    require_any(call.session, Recovering)
    return _sign_recover(call, request)


@step(VERIFY, Step.FINAL)
def verify_final(call: Call, request: InSession, operation: Operation[VerifyOperation]) -> bytes:
    """Verify the input as a signature of all parts. Raises CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE."""
    operation.running.finish(bytes(call.second))
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
    bind(signatures.SIGN_INIT, beginning(begin_sign)),
    bind(signatures.VERIFY_INIT, beginning(begin_verify)),
    bind(signatures.SIGN_UPDATE, step(SIGN, Step.UPDATE)(take_part)),
    bind(signatures.VERIFY_UPDATE, step(VERIFY, Step.UPDATE)(take_part)),
    bind(signatures.SIGN_FINAL, step(SIGN, Step.FINAL)(give_end)),
    bind(signatures.VERIFY_FINAL, verify_final),
    bind(signatures.SIGN_ONESHOT, sign),
    bind(signatures.VERIFY_ONESHOT, verify),
    bind(signatures.SIGN_RECOVER_INIT, beginning(begin_sign_recover)),
    bind(signatures.SIGN_RECOVER, sign_recover),
    bind(signatures.VERIFY_RECOVER_INIT, beginning(begin_verify_recover)),
    bind(signatures.VERIFY_RECOVER, verify_recover),
)
