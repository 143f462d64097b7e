# SPDX-License-Identifier: Apache-2.0
"""Sessions and logins (PKCS#11 3.2, section 5.6)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import NOT_ON_EVERY_TOKEN, OUTPUT, SESSION, SLOT

OPEN_SESSION = Command(
    6,
    "OPEN_SESSION",
    "C_OpenSession",
    m.OpenPkcs11Session,
    SLOT
    | {
        CKR.SESSION_ASYNC_NOT_SUPPORTED,
        CKR.SESSION_COUNT,
        CKR.SESSION_PARALLEL_NOT_SUPPORTED,
        CKR.SESSION_READ_WRITE_SO_EXISTS,
        CKR.TOKEN_NOT_PRESENT,
        CKR.TOKEN_WRITE_PROTECTED,
    },
    output=Output.OUTPUT,
    output_size=4,
)
CLOSE_SESSION = Command(7, "CLOSE_SESSION", "C_CloseSession", m.InSession, SESSION)
CLOSE_ALL_SESSIONS = Command(8, "CLOSE_ALL_SESSIONS", "C_CloseAllSessions", m.OnSlot, SLOT)
SESSION_INFO = Command(
    9,
    "SESSION_INFO",
    "C_GetSessionInfo",
    m.InSession,
    SESSION,
    output=Output.OUTPUT,
    output_size=replies.SESSION_INFO.size,
)
LOGIN = Command(
    13,
    "LOGIN",
    "C_Login",
    m.Login,
    SESSION
    | {
        CKR.PIN_INCORRECT,
        CKR.PIN_LOCKED,
        CKR.OPERATION_NOT_INITIALIZED,
        CKR.SESSION_READ_ONLY_EXISTS,
        CKR.USER_ALREADY_LOGGED_IN,
        CKR.USER_ANOTHER_ALREADY_LOGGED_IN,
        CKR.USER_PIN_NOT_INITIALIZED,
        CKR.USER_TYPE_INVALID,
    },
)
LOGOUT = Command(14, "LOGOUT", "C_Logout", m.InSession, SESSION | {CKR.USER_NOT_LOGGED_IN})
RELEASE_ACTIVE_PROCESSING = Command(
    44, "RELEASE_ACTIVE_PROCESSING", "", m.Release, SESSION | {CKR.OPERATION_NOT_INITIALIZED}
)

GET_OPERATION_STATE = Command(
    0x1014,
    "GET_OPERATION_STATE",
    "C_GetOperationState",
    m.InSession,
    SESSION | OUTPUT | NOT_ON_EVERY_TOKEN | {CKR.OPERATION_NOT_INITIALIZED, CKR.STATE_UNSAVEABLE},
    output=Output.STREAM,
)
SET_OPERATION_STATE = Command(
    0x1015,
    "SET_OPERATION_STATE",
    "C_SetOperationState",
    m.WithSavedState,
    SESSION | NOT_ON_EVERY_TOKEN | {CKR.KEY_NOT_NEEDED, CKR.SAVED_STATE_INVALID},
    data=Data.INPUT,
)

SESSION_CANCEL = Command(0x1016, "SESSION_CANCEL", "C_SessionCancel", m.CancelOperations, SESSION)

COMMANDS = (
    OPEN_SESSION,
    CLOSE_SESSION,
    CLOSE_ALL_SESSIONS,
    SESSION_INFO,
    LOGIN,
    LOGOUT,
    RELEASE_ACTIVE_PROCESSING,
    GET_OPERATION_STATE,
    SET_OPERATION_STATE,
    SESSION_CANCEL,
)
