# SPDX-License-Identifier: Apache-2.0
"""Slots and tokens (PKCS#11 3.2, section 5.5)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.command import Command, Output
from softee.pkcs11_ta.abi.returns import ANY, OUTPUT, PIN, SESSION, SLOT, WRITE

SLOT_LIST = Command(1, "SLOT_LIST", "C_GetSlotList", m.Nothing, ANY | OUTPUT, output=Output.OUTPUT)
SLOT_INFO = Command(
    2, "SLOT_INFO", "C_GetSlotInfo", m.OnSlot, SLOT, output=Output.OUTPUT, output_size=replies.SLOT_INFO.size
)
TOKEN_INFO = Command(
    3, "TOKEN_INFO", "C_GetTokenInfo", m.OnSlot, SLOT, output=Output.OUTPUT, output_size=replies.TOKEN_INFO.size
)
MECHANISM_IDS = Command(4, "MECHANISM_IDS", "C_GetMechanismList", m.OnSlot, SLOT | OUTPUT, output=Output.OUTPUT)
MECHANISM_INFO = Command(
    5,
    "MECHANISM_INFO",
    "C_GetMechanismInfo",
    m.OnMechanism,
    SLOT | {CKR.MECHANISM_INVALID},
    output=Output.OUTPUT,
    output_size=replies.MECHANISM_INFO.size,
)
INIT_TOKEN = Command(
    10,
    "INIT_TOKEN",
    "C_InitToken",
    m.InitToken,
    SLOT | {CKR.PIN_INCORRECT, CKR.PIN_LOCKED, CKR.SESSION_EXISTS, CKR.TOKEN_WRITE_PROTECTED},
)
INIT_PIN = Command(11, "INIT_PIN", "C_InitPIN", m.InitPin, SESSION | WRITE | {CKR.PIN_INVALID, CKR.PIN_LEN_RANGE})
SET_PIN = Command(12, "SET_PIN", "C_SetPIN", m.SetPin, SESSION | PIN | WRITE | {CKR.USER_PIN_NOT_INITIALIZED})

SLOT_PROFILE = Command(0x1000, "SLOT_PROFILE", "", m.OnSlot, SLOT | OUTPUT, output=Output.OUTPUT)
"""Ours: the name of the profile of the slot's token."""
RENAME_TOKEN = Command(0x1001, "RENAME_TOKEN", "", m.RenameToken, SESSION | {CKR.USER_NOT_LOGGED_IN})
"""Ours: the SO gives the token another label, and all else stays."""

COMMANDS = (
    SLOT_LIST,
    SLOT_INFO,
    TOKEN_INFO,
    MECHANISM_IDS,
    MECHANISM_INFO,
    INIT_TOKEN,
    INIT_PIN,
    SET_PIN,
    SLOT_PROFILE,
    RENAME_TOKEN,
)
