# SPDX-License-Identifier: Apache-2.0
"""C_OpenSession, C_CloseSession, C_CloseAllSessions, C_GetSessionInfo, C_Login, C_Logout.

And what ends operations: C_SessionCancel, and OP-TEE's release.
"""

import struct
from collections.abc import Mapping
from typing import Any

from softee.names import CKR, CKU, MechanismFlag, SessionFlag
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import by_message, ciphers, digests, sessions, signatures
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import CancelOperations, InSession, Login, OnSlot, OpenPkcs11Session, Release
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import (
    DECRYPT,
    DIGEST,
    ENCRYPT,
    MESSAGE_DECRYPT,
    MESSAGE_ENCRYPT,
    MESSAGE_SIGN,
    MESSAGE_VERIFY,
    SIGN,
    SIGN_RECOVER,
    VERIFY,
    VERIFY_RECOVER,
    VERIFY_SIGNATURE,
    Purpose,
)
from softee.tee.keys import wipe

_KNOWN_FLAGS = int(SessionFlag.RW_SESSION | SessionFlag.SERIAL_SESSION)

_RELEASED: tuple[tuple[Purpose[Any], tuple[Command[Any], ...]], ...] = (
    (ENCRYPT, (ciphers.ENCRYPT_UPDATE, ciphers.ENCRYPT_FINAL, ciphers.ENCRYPT_ONESHOT)),
    (DECRYPT, (ciphers.DECRYPT_UPDATE, ciphers.DECRYPT_FINAL, ciphers.DECRYPT_ONESHOT)),
    (DIGEST, (digests.DIGEST_KEY, digests.DIGEST_UPDATE, digests.DIGEST_FINAL, digests.DIGEST_ONESHOT)),
    (SIGN, (signatures.SIGN_UPDATE, signatures.SIGN_FINAL, signatures.SIGN_ONESHOT)),
    (VERIFY, (signatures.VERIFY_UPDATE, signatures.VERIFY_FINAL, signatures.VERIFY_ONESHOT)),
    (SIGN_RECOVER, (signatures.SIGN_RECOVER,)),
    (VERIFY_RECOVER, (signatures.VERIFY_RECOVER,)),
    (
        VERIFY_SIGNATURE,
        (signatures.VERIFY_SIGNATURE, signatures.VERIFY_SIGNATURE_UPDATE, signatures.VERIFY_SIGNATURE_FINAL),
    ),
)
_PURPOSES = {command.number: purpose for purpose, released in _RELEASED for command in released}
"""The commands that RELEASE_ACTIVE_PROCESSING takes, with the operation that each ends."""

_MESSAGES: Mapping[int, Purpose[Any]] = {
    by_message.ENCRYPT_MESSAGE_NEXT.number: MESSAGE_ENCRYPT,
    by_message.DECRYPT_MESSAGE_NEXT.number: MESSAGE_DECRYPT,
    by_message.SIGN_MESSAGE_NEXT.number: MESSAGE_SIGN,
    by_message.VERIFY_MESSAGE_NEXT.number: MESSAGE_VERIFY,
}
"""Those that end a message, after which the operation goes on."""


_CANCELLED: tuple[tuple[MechanismFlag, tuple[Purpose[Any], ...]], ...] = (
    (MechanismFlag.MESSAGE_ENCRYPT, (MESSAGE_ENCRYPT,)),
    (MechanismFlag.MESSAGE_DECRYPT, (MESSAGE_DECRYPT,)),
    (MechanismFlag.MESSAGE_SIGN, (MESSAGE_SIGN,)),
    (MechanismFlag.MESSAGE_VERIFY, (MESSAGE_VERIFY,)),
    (MechanismFlag.ENCRYPT, (ENCRYPT,)),
    (MechanismFlag.DECRYPT, (DECRYPT,)),
    (MechanismFlag.DIGEST, (DIGEST,)),
    (MechanismFlag.SIGN, (SIGN,)),
    (MechanismFlag.SIGN_RECOVER, (SIGN_RECOVER,)),
    (MechanismFlag.VERIFY, (VERIFY, VERIFY_SIGNATURE)),
    (MechanismFlag.VERIFY_RECOVER, (VERIFY_RECOVER,)),
)
"""The operations that C_SessionCancel ends, by its flags."""


def open_session(call: Call, request: OpenPkcs11Session) -> bytes:
    """Return the new session's handle."""
    token = call.client.token(request.slot)
    if not request.flags & SessionFlag.SERIAL_SESSION:
        raise Pkcs11Error(CKR.SESSION_PARALLEL_NOT_SUPPORTED, "CKF_SERIAL_SESSION must be set")
    if request.flags & SessionFlag.ASYNC_SESSION:
        rv = token.policy.answer(CKR.SESSION_ASYNC_NOT_SUPPORTED, optee=CKR.ARGUMENTS_BAD)
        raise Pkcs11Error(rv, "no session is asynchronous")
    unknown = request.flags & ~_KNOWN_FLAGS
    if unknown:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"unknown flags 0x{unknown:x}")
    session = call.client.open(token, read_write=bool(request.flags & SessionFlag.RW_SESSION))
    return struct.pack("<I", session.handle)


def close_session(call: Call, request: InSession) -> bytes:
    """Close a session; the client's last one on the token logs it out."""
    call.client.close_session(call.session)
    return b""


def close_all_sessions(call: Call, request: OnSlot) -> bytes:
    """Close all sessions of this client with a token."""
    call.client.close_all(call.client.token(request.slot))
    return b""


def session_info(call: Call, request: InSession) -> bytes:
    """Return CK_SESSION_INFO."""
    session = call.session
    return replies.SESSION_INFO.pack(session.token.slot, session.state, session.flags, 0)


def login(call: Call, request: Login) -> bytes:
    """Log the client in to the token, or confirm the use of a key that asks for it. The PIN is wiped."""
    try:
        if request.user == CKU.CONTEXT_SPECIFIC:
            _confirm(call, request.pin)
        elif request.user in (CKU.SO, CKU.USER):
            call.authenticator.login(call.session, CKU(request.user), request.pin)
        else:
            raise Pkcs11Error(CKR.USER_TYPE_INVALID, f"there is no user type {request.user}")
    finally:
        wipe(request.pin)
    return b""


def _confirm(call: Call, pin: bytearray) -> None:
    operation = call.session.operations.waiting_for_login()
    if operation is None:
        raise Pkcs11Error(CKR.OPERATION_NOT_INITIALIZED, "no operation waits for CKU_CONTEXT_SPECIFIC")
    call.authenticator.confirm(call.session, pin)
    operation.context_login = False


def logout(call: Call, request: InSession) -> bytes:
    """Log the client out of the token, in all its sessions."""
    session = call.session
    if session.user is None:
        raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "nobody is logged in")
    call.client.logout(session.token)
    return b""


def release_active_processing(call: Call, request: Release) -> bytes:
    """End the active operation, or its message, that ``command`` goes on with.

    For clients that found an error on their side.
    """
    operations = call.session.operations
    if request.command in _MESSAGES:
        operations.require(_MESSAGES[request.command]).end_message()
        return b""
    purpose = _PURPOSES.get(request.command)
    if purpose is None:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"command {request.command} has no operation to release")
    operations.release(purpose)
    return b""


def session_cancel(call: Call, request: CancelOperations) -> bytes:
    """End the operations that the flags name, as far as they are active."""
    operations = call.session.operations
    for flag, purposes in _CANCELLED:
        if request.flags & flag:
            for purpose in purposes:
                operations.end(purpose)
    if request.flags & MechanismFlag.FIND_OBJECTS:
        operations.find = None
    return b""


BOUND = (
    bind(sessions.SESSION_CANCEL, session_cancel),
    bind(sessions.OPEN_SESSION, open_session),
    bind(sessions.CLOSE_SESSION, close_session),
    bind(sessions.CLOSE_ALL_SESSIONS, close_all_sessions),
    bind(sessions.SESSION_INFO, session_info),
    bind(sessions.LOGIN, login),
    bind(sessions.LOGOUT, logout),
    bind(sessions.RELEASE_ACTIVE_PROCESSING, release_active_processing),
)
