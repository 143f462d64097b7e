# SPDX-License-Identifier: Apache-2.0
"""A client that has lost its secure world goes on with the next one. These commands are ours."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Output
from softee.pkcs11_ta.abi.returns import ANY, OUTPUT, SESSION

KEEP_LOGIN = Command(
    0x1070,
    "KEEP_LOGIN",
    "",
    m.InSession,
    SESSION | OUTPUT | {CKR.USER_NOT_LOGGED_IN},
    output=Output.OUTPUT,
    output_layout="u32 base of the client's private handles, ticket (no bytes: this login does not come back)",
)
RESTORE_SESSIONS = Command(
    0x1071,
    "RESTORE_SESSIONS",
    "",
    m.RestoreSessions,
    ANY | OUTPUT | {CKR.SESSION_EXISTS},
    output=Output.OUTPUT,
    output_layout="u32 handle of each session that is open again",
)

COMMANDS = (KEEP_LOGIN, RESTORE_SESSIONS)
