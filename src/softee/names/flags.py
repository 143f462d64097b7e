# SPDX-License-Identifier: Apache-2.0
"""Flag words, user types and session states (PKCS#11 3.2, section 3 and 5)."""

from enum import IntEnum, IntFlag


class SlotFlag(IntFlag):
    """CK_SLOT_INFO.flags (CKF_*)."""

    TOKEN_PRESENT = 1 << 0
    REMOVABLE_DEVICE = 1 << 1
    HW_SLOT = 1 << 2


class TokenFlag(IntFlag):
    """CK_TOKEN_INFO.flags (CKF_*)."""

    RNG = 1 << 0
    WRITE_PROTECTED = 1 << 1
    LOGIN_REQUIRED = 1 << 2
    USER_PIN_INITIALIZED = 1 << 3
    RESTORE_KEY_NOT_NEEDED = 1 << 5
    CLOCK_ON_TOKEN = 1 << 6
    PROTECTED_AUTHENTICATION_PATH = 1 << 8
    DUAL_CRYPTO_OPERATIONS = 1 << 9
    TOKEN_INITIALIZED = 1 << 10
    USER_PIN_COUNT_LOW = 1 << 16
    USER_PIN_FINAL_TRY = 1 << 17
    USER_PIN_LOCKED = 1 << 18
    USER_PIN_TO_BE_CHANGED = 1 << 19
    SO_PIN_COUNT_LOW = 1 << 20
    SO_PIN_FINAL_TRY = 1 << 21
    SO_PIN_LOCKED = 1 << 22
    SO_PIN_TO_BE_CHANGED = 1 << 23
    ERROR_STATE = 1 << 24


class SessionFlag(IntFlag):
    """C_OpenSession flags and CK_SESSION_INFO.flags (CKF_*)."""

    RW_SESSION = 1 << 1
    SERIAL_SESSION = 1 << 2


class MechanismFlag(IntFlag):
    """CK_MECHANISM_INFO.flags (CKF_*)."""

    HW = 1 << 0
    ENCRYPT = 1 << 8
    DECRYPT = 1 << 9
    DIGEST = 1 << 10
    SIGN = 1 << 11
    SIGN_RECOVER = 1 << 12
    VERIFY = 1 << 13
    VERIFY_RECOVER = 1 << 14
    GENERATE = 1 << 15
    GENERATE_KEY_PAIR = 1 << 16
    WRAP = 1 << 17
    UNWRAP = 1 << 18
    DERIVE = 1 << 19
    EC_F_P = 1 << 20
    EC_NAMEDCURVE = 1 << 23
    EC_UNCOMPRESS = 1 << 24


class CKU(IntEnum):
    """User types."""

    SO = 0
    USER = 1
    CONTEXT_SPECIFIC = 2


class CKS(IntEnum):
    """Session states."""

    RO_PUBLIC_SESSION = 0
    RO_USER_FUNCTIONS = 1
    RW_PUBLIC_SESSION = 2
    RW_USER_FUNCTIONS = 3
    RW_SO_FUNCTIONS = 4


UNAVAILABLE_INFORMATION = 0xFFFFFFFF
"""CK_UNAVAILABLE_INFORMATION as it travels: 32 bits. The client library widens it."""

EFFECTIVELY_INFINITE = 0
"""CK_EFFECTIVELY_INFINITE."""
