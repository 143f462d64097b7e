# SPDX-License-Identifier: Apache-2.0
"""C_GetOperationState and C_SetOperationState: a digest is saved and gone on with, other operations are not."""

from softee.names import CKR
from softee.pkcs11_ta.abi.commands import sessions
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import InSession, WithSavedState
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.mechanisms.functions import DigestOperation
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.operations import DIGEST, Operation
from softee.pkcs11_ta.session.saved_states import STATE_SIZE


def get_operation_state(call: Call, request: InSession) -> bytes:
    """Save the session's operation, and return the number under which it is kept."""
    session = call.session
    _require_supported(session)
    operation = _saveable(session)
    call.require_capacity(STATE_SIZE)
    return call.client.saved_states.save(session.token, session.state, operation)


def set_operation_state(call: Call, request: WithSavedState) -> bytes:
    """Go on with a saved operation, in the place of those that the session has."""
    session = call.session
    _require_supported(session)
    saved = call.client.saved_states.find(bytes(call.input), session.token, session.state)
    if request.encryption_key or request.authentication_key:
        raise Pkcs11Error(CKR.KEY_NOT_NEEDED, "a digest needs no key")
    session.operations.restore(saved.taken())
    return b""


def _require_supported(session: Session) -> None:
    if session.token.policy.as_optee:
        raise Pkcs11Error(CKR.FUNCTION_NOT_SUPPORTED, "OP-TEE saves no operations")


def _saveable(session: Session) -> Operation[DigestOperation]:
    operations = session.operations.active()
    if not operations:
        raise Pkcs11Error(CKR.OPERATION_NOT_INITIALIZED, "no operation is active in this session")
    if others := [operation.purpose.name for operation in operations if operation.purpose is not DIGEST]:
        raise Pkcs11Error(CKR.STATE_UNSAVEABLE, f"only digests are saved; the session has others: {', '.join(others)}")
    return session.operations.require(DIGEST)


BOUND = (
    bind(sessions.GET_OPERATION_STATE, get_operation_state),
    bind(sessions.SET_OPERATION_STATE, set_operation_state),
)
