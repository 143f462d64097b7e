# SPDX-License-Identifier: Apache-2.0
"""The command table of OP-TEE's PKCS#11 application: the one list that the dispatcher, the tests and the pages follow.

Numbers and layouts are OP-TEE's and never change. Parameter 0 is the control buffer (the request in, the 32-bit CKR
out), parameter 1 is ``data``, parameter 2 is ``output``, parameter 3 is not used.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi import replies

R = TypeVar("R")


class Data(Enum):
    """What a command takes in parameter 1."""

    NONE = "none"
    INPUT = "input bytes (absent: none)"


class Output(Enum):
    """What parameter 2 is."""

    NONE = "none"
    OUTPUT = "output"
    STREAM = "output bytes (absent: a buffer of no bytes)"
    INPUT = "second input bytes (absent: none)"


@dataclass(frozen=True, slots=True)
class Command(Generic[R]):
    """One command.

    ``output_size`` is what the output buffer must hold exactly, in bytes, where the reply has one size only.
    ``returns`` are the return values that the standard (or OP-TEE, where it differs) allows for the C_* function.
    ``quiet`` are those among them that clients provoke to learn something: they go to the log at debug level.
    ``in_session`` says that the request names a session; such commands run one at a time in it.
    """

    number: int
    name: str
    function: str
    request: type[R]
    returns: frozenset[CKR]
    quiet: frozenset[CKR] = field(default=frozenset(), kw_only=True)
    data: Data = field(default=Data.NONE, kw_only=True)
    output: Output = field(default=Output.NONE, kw_only=True)
    output_size: int | None = field(default=None, kw_only=True)
    decode: m.Decoder[R] = field(init=False, repr=False, compare=False)
    in_session: bool = field(init=False)
    writes: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every call needs."""
        object.__setattr__(self, "decode", m.decoder(self.request))
        object.__setattr__(self, "in_session", m.fields(self.request)[0][0] == "session")
        object.__setattr__(self, "writes", self.output in (Output.OUTPUT, Output.STREAM))


ANY = frozenset(
    {CKR.OK, CKR.ARGUMENTS_BAD, CKR.GENERAL_ERROR, CKR.FUNCTION_FAILED, CKR.DEVICE_ERROR, CKR.DEVICE_MEMORY}
)
"""Allowed everywhere."""

_SLOT = ANY | {CKR.SLOT_ID_INVALID}
_SESSION = ANY | {CKR.SESSION_HANDLE_INVALID}
_OUTPUT = frozenset({CKR.BUFFER_TOO_SMALL})
_PIN = frozenset({CKR.PIN_INCORRECT, CKR.PIN_LOCKED, CKR.PIN_INVALID, CKR.PIN_LEN_RANGE})
_WRITE = frozenset({CKR.SESSION_READ_ONLY, CKR.TOKEN_WRITE_PROTECTED, CKR.USER_NOT_LOGGED_IN, CKR.PIN_EXPIRED})
_ATTRIBUTES = frozenset(
    {
        CKR.ATTRIBUTE_TYPE_INVALID,
        CKR.ATTRIBUTE_VALUE_INVALID,
        CKR.ATTRIBUTE_READ_ONLY,
        CKR.TEMPLATE_INCONSISTENT,
    }
)
_MAKE = _ATTRIBUTES | _WRITE | {CKR.TEMPLATE_INCOMPLETE, CKR.CURVE_NOT_SUPPORTED, CKR.DOMAIN_PARAMS_INVALID}
_MECHANISM = frozenset({CKR.MECHANISM_INVALID, CKR.MECHANISM_PARAM_INVALID})
_INIT = _SESSION | _MECHANISM | {CKR.OPERATION_ACTIVE, CKR.USER_NOT_LOGGED_IN}
_KEY_INIT = _INIT | {
    CKR.KEY_HANDLE_INVALID,
    CKR.KEY_TYPE_INCONSISTENT,
    CKR.KEY_SIZE_RANGE,
    CKR.KEY_FUNCTION_NOT_PERMITTED,
}
_STEP = _SESSION | {CKR.OPERATION_NOT_INITIALIZED, CKR.USER_NOT_LOGGED_IN, CKR.MECHANISM_INVALID, CKR.OPERATION_ACTIVE}
_ENCRYPT = _STEP | _OUTPUT | {CKR.DATA_INVALID, CKR.DATA_LEN_RANGE}
_DECRYPT = _STEP | _OUTPUT | {CKR.ENCRYPTED_DATA_INVALID, CKR.ENCRYPTED_DATA_LEN_RANGE}
_SIGN = _STEP | {CKR.DATA_INVALID, CKR.DATA_LEN_RANGE, CKR.FUNCTION_REJECTED}
_SIGNATURE = frozenset({CKR.SIGNATURE_INVALID, CKR.SIGNATURE_LEN_RANGE})
_GENERATE = _SESSION | _MECHANISM | _MAKE | {CKR.OPERATION_ACTIVE, CKR.KEY_SIZE_RANGE}

PING = Command(0, "PING", "", m.Nothing, ANY, output=Output.OUTPUT, output_size=replies.VERSION.size)
SLOT_LIST = Command(1, "SLOT_LIST", "C_GetSlotList", m.Nothing, ANY | _OUTPUT, output=Output.OUTPUT)
SLOT_INFO = Command(
    2, "SLOT_INFO", "C_GetSlotInfo", m.OnSlot, _SLOT, output=Output.OUTPUT, output_size=replies.SLOT_INFO.size
)
TOKEN_INFO = Command(
    3, "TOKEN_INFO", "C_GetTokenInfo", m.OnSlot, _SLOT, output=Output.OUTPUT, output_size=replies.TOKEN_INFO.size
)
MECHANISM_IDS = Command(4, "MECHANISM_IDS", "C_GetMechanismList", m.OnSlot, _SLOT | _OUTPUT, output=Output.OUTPUT)
MECHANISM_INFO = Command(
    5,
    "MECHANISM_INFO",
    "C_GetMechanismInfo",
    m.OnMechanism,
    _SLOT | {CKR.MECHANISM_INVALID},
    output=Output.OUTPUT,
    output_size=replies.MECHANISM_INFO.size,
)
OPEN_SESSION = Command(
    6,
    "OPEN_SESSION",
    "C_OpenSession",
    m.OpenPkcs11Session,
    _SLOT
    | {
        CKR.SESSION_COUNT,
        CKR.SESSION_PARALLEL_NOT_SUPPORTED,
        CKR.SESSION_READ_WRITE_SO_EXISTS,
        CKR.TOKEN_WRITE_PROTECTED,
    },
    output=Output.OUTPUT,
    output_size=4,
)
CLOSE_SESSION = Command(7, "CLOSE_SESSION", "C_CloseSession", m.InSession, _SESSION)
CLOSE_ALL_SESSIONS = Command(8, "CLOSE_ALL_SESSIONS", "C_CloseAllSessions", m.OnSlot, _SLOT)
SESSION_INFO = Command(
    9,
    "SESSION_INFO",
    "C_GetSessionInfo",
    m.InSession,
    _SESSION,
    output=Output.OUTPUT,
    output_size=replies.SESSION_INFO.size,
)
INIT_TOKEN = Command(
    10,
    "INIT_TOKEN",
    "C_InitToken",
    m.InitToken,
    _SLOT | {CKR.PIN_INCORRECT, CKR.PIN_LOCKED, CKR.SESSION_EXISTS, CKR.TOKEN_WRITE_PROTECTED},
)
INIT_PIN = Command(11, "INIT_PIN", "C_InitPIN", m.InitPin, _SESSION | _WRITE | {CKR.PIN_INVALID, CKR.PIN_LEN_RANGE})
SET_PIN = Command(12, "SET_PIN", "C_SetPIN", m.SetPin, _SESSION | _PIN | _WRITE | {CKR.USER_PIN_NOT_INITIALIZED})
LOGIN = Command(
    13,
    "LOGIN",
    "C_Login",
    m.Login,
    _SESSION
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
LOGOUT = Command(14, "LOGOUT", "C_Logout", m.InSession, _SESSION | {CKR.USER_NOT_LOGGED_IN})
CREATE_OBJECT = Command(
    15,
    "CREATE_OBJECT",
    "C_CreateObject",
    m.WithTemplate,
    _SESSION | _MAKE | {CKR.KEY_SIZE_RANGE},
    output=Output.OUTPUT,
    output_size=4,
)
DESTROY_OBJECT = Command(
    16,
    "DESTROY_OBJECT",
    "C_DestroyObject",
    m.OnObject,
    _SESSION | _WRITE | {CKR.OBJECT_HANDLE_INVALID, CKR.ACTION_PROHIBITED},
)
ENCRYPT_INIT = Command(17, "ENCRYPT_INIT", "C_EncryptInit", m.WithKey, _KEY_INIT)
DECRYPT_INIT = Command(18, "DECRYPT_INIT", "C_DecryptInit", m.WithKey, _KEY_INIT)
ENCRYPT_UPDATE = Command(
    19, "ENCRYPT_UPDATE", "C_EncryptUpdate", m.InSession, _ENCRYPT, data=Data.INPUT, output=Output.STREAM
)
DECRYPT_UPDATE = Command(
    20, "DECRYPT_UPDATE", "C_DecryptUpdate", m.InSession, _DECRYPT, data=Data.INPUT, output=Output.STREAM
)
ENCRYPT_FINAL = Command(21, "ENCRYPT_FINAL", "C_EncryptFinal", m.InSession, _ENCRYPT, output=Output.STREAM)
DECRYPT_FINAL = Command(22, "DECRYPT_FINAL", "C_DecryptFinal", m.InSession, _DECRYPT, output=Output.STREAM)
ENCRYPT_ONESHOT = Command(
    23, "ENCRYPT_ONESHOT", "C_Encrypt", m.InSession, _ENCRYPT, data=Data.INPUT, output=Output.STREAM
)
DECRYPT_ONESHOT = Command(
    24, "DECRYPT_ONESHOT", "C_Decrypt", m.InSession, _DECRYPT, data=Data.INPUT, output=Output.STREAM
)
SIGN_INIT = Command(25, "SIGN_INIT", "C_SignInit", m.WithKey, _KEY_INIT)
VERIFY_INIT = Command(26, "VERIFY_INIT", "C_VerifyInit", m.WithKey, _KEY_INIT)
SIGN_UPDATE = Command(27, "SIGN_UPDATE", "C_SignUpdate", m.InSession, _SIGN, data=Data.INPUT)
VERIFY_UPDATE = Command(28, "VERIFY_UPDATE", "C_VerifyUpdate", m.InSession, _SIGN, data=Data.INPUT)
SIGN_FINAL = Command(29, "SIGN_FINAL", "C_SignFinal", m.InSession, _SIGN | _OUTPUT, output=Output.STREAM)
VERIFY_FINAL = Command(30, "VERIFY_FINAL", "C_VerifyFinal", m.InSession, _SIGN | _SIGNATURE, output=Output.INPUT)
SIGN_ONESHOT = Command(
    31, "SIGN_ONESHOT", "C_Sign", m.InSession, _SIGN | _OUTPUT, data=Data.INPUT, output=Output.STREAM
)
VERIFY_ONESHOT = Command(
    32, "VERIFY_ONESHOT", "C_Verify", m.InSession, _SIGN | _SIGNATURE, data=Data.INPUT, output=Output.INPUT
)
GENERATE_KEY = Command(
    33, "GENERATE_KEY", "C_GenerateKey", m.GenerateKey, _GENERATE, output=Output.OUTPUT, output_size=4
)
FIND_OBJECTS_INIT = Command(
    34,
    "FIND_OBJECTS_INIT",
    "C_FindObjectsInit",
    m.WithTemplate,
    _SESSION | {CKR.OPERATION_ACTIVE, CKR.ATTRIBUTE_TYPE_INVALID, CKR.ATTRIBUTE_VALUE_INVALID},
)
FIND_OBJECTS = Command(
    35, "FIND_OBJECTS", "C_FindObjects", m.InSession, _SESSION | {CKR.OPERATION_NOT_INITIALIZED}, output=Output.OUTPUT
)
FIND_OBJECTS_FINAL = Command(
    36, "FIND_OBJECTS_FINAL", "C_FindObjectsFinal", m.InSession, _SESSION | {CKR.OPERATION_NOT_INITIALIZED}
)
GET_OBJECT_SIZE = Command(
    37,
    "GET_OBJECT_SIZE",
    "C_GetObjectSize",
    m.OnObject,
    _SESSION | {CKR.OBJECT_HANDLE_INVALID, CKR.INFORMATION_SENSITIVE},
    output=Output.OUTPUT,
    output_size=4,
)
GET_ATTRIBUTE_VALUE = Command(
    38,
    "GET_ATTRIBUTE_VALUE",
    "C_GetAttributeValue",
    m.OnObjectWithTemplate,
    _SESSION
    | _OUTPUT
    | {CKR.OBJECT_HANDLE_INVALID, CKR.ATTRIBUTE_SENSITIVE, CKR.ATTRIBUTE_TYPE_INVALID, CKR.ATTRIBUTE_VALUE_INVALID},
    quiet=frozenset({CKR.ATTRIBUTE_TYPE_INVALID}),
    output=Output.OUTPUT,
)
SET_ATTRIBUTE_VALUE = Command(
    39,
    "SET_ATTRIBUTE_VALUE",
    "C_SetAttributeValue",
    m.OnObjectWithTemplate,
    _SESSION | _ATTRIBUTES | _WRITE | {CKR.OBJECT_HANDLE_INVALID, CKR.ACTION_PROHIBITED},
)
COPY_OBJECT = Command(
    40,
    "COPY_OBJECT",
    "C_CopyObject",
    m.OnObjectWithTemplate,
    _SESSION | _ATTRIBUTES | _WRITE | {CKR.OBJECT_HANDLE_INVALID, CKR.ACTION_PROHIBITED},
    output=Output.OUTPUT,
    output_size=4,
)
SEED_RANDOM = Command(
    41,
    "SEED_RANDOM",
    "C_SeedRandom",
    m.InSession,
    _SESSION | {CKR.OPERATION_ACTIVE, CKR.RANDOM_SEED_NOT_SUPPORTED},
    data=Data.INPUT,
)
GENERATE_RANDOM = Command(
    42, "GENERATE_RANDOM", "C_GenerateRandom", m.InSession, _SESSION | {CKR.OPERATION_ACTIVE}, output=Output.STREAM
)
DERIVE_KEY = Command(
    43,
    "DERIVE_KEY",
    "C_DeriveKey",
    m.FromKey,
    _KEY_INIT | _MAKE | {CKR.FUNCTION_NOT_SUPPORTED},
    output=Output.OUTPUT,
    output_size=4,
)
RELEASE_ACTIVE_PROCESSING = Command(
    44, "RELEASE_ACTIVE_PROCESSING", "", m.Release, _SESSION | {CKR.OPERATION_NOT_INITIALIZED}
)
DIGEST_INIT = Command(45, "DIGEST_INIT", "C_DigestInit", m.WithMechanism, _INIT)
DIGEST_KEY = Command(
    46,
    "DIGEST_KEY",
    "C_DigestKey",
    m.OnObject,
    _STEP | {CKR.KEY_HANDLE_INVALID, CKR.KEY_INDIGESTIBLE, CKR.KEY_SIZE_RANGE},
)
DIGEST_UPDATE = Command(47, "DIGEST_UPDATE", "C_DigestUpdate", m.InSession, _STEP, data=Data.INPUT)
DIGEST_FINAL = Command(48, "DIGEST_FINAL", "C_DigestFinal", m.InSession, _STEP | _OUTPUT, output=Output.STREAM)
DIGEST_ONESHOT = Command(
    49, "DIGEST_ONESHOT", "C_Digest", m.InSession, _STEP | _OUTPUT, data=Data.INPUT, output=Output.STREAM
)
GENERATE_KEY_PAIR = Command(
    50, "GENERATE_KEY_PAIR", "C_GenerateKeyPair", m.GenerateKeyPair, _GENERATE, output=Output.OUTPUT, output_size=8
)
WRAP_KEY = Command(
    51,
    "WRAP_KEY",
    "C_WrapKey",
    m.WrapKey,
    _INIT
    | _OUTPUT
    | {
        CKR.KEY_HANDLE_INVALID,
        CKR.KEY_NOT_WRAPPABLE,
        CKR.KEY_SIZE_RANGE,
        CKR.KEY_UNEXTRACTABLE,
        CKR.WRAPPING_KEY_HANDLE_INVALID,
        CKR.WRAPPING_KEY_SIZE_RANGE,
        CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
    },
    output=Output.STREAM,
)
UNWRAP_KEY = Command(
    52,
    "UNWRAP_KEY",
    "C_UnwrapKey",
    m.FromKey,
    _GENERATE
    | {
        CKR.UNWRAPPING_KEY_HANDLE_INVALID,
        CKR.UNWRAPPING_KEY_SIZE_RANGE,
        CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
        CKR.WRAPPED_KEY_INVALID,
        CKR.WRAPPED_KEY_LEN_RANGE,
    },
    data=Data.INPUT,
    output=Output.OUTPUT,
    output_size=4,
)

COMMANDS: tuple[Command[Any], ...] = (
    PING,
    SLOT_LIST,
    SLOT_INFO,
    TOKEN_INFO,
    MECHANISM_IDS,
    MECHANISM_INFO,
    OPEN_SESSION,
    CLOSE_SESSION,
    CLOSE_ALL_SESSIONS,
    SESSION_INFO,
    INIT_TOKEN,
    INIT_PIN,
    SET_PIN,
    LOGIN,
    LOGOUT,
    CREATE_OBJECT,
    DESTROY_OBJECT,
    ENCRYPT_INIT,
    DECRYPT_INIT,
    ENCRYPT_UPDATE,
    DECRYPT_UPDATE,
    ENCRYPT_FINAL,
    DECRYPT_FINAL,
    ENCRYPT_ONESHOT,
    DECRYPT_ONESHOT,
    SIGN_INIT,
    VERIFY_INIT,
    SIGN_UPDATE,
    VERIFY_UPDATE,
    SIGN_FINAL,
    VERIFY_FINAL,
    SIGN_ONESHOT,
    VERIFY_ONESHOT,
    GENERATE_KEY,
    FIND_OBJECTS_INIT,
    FIND_OBJECTS,
    FIND_OBJECTS_FINAL,
    GET_OBJECT_SIZE,
    GET_ATTRIBUTE_VALUE,
    SET_ATTRIBUTE_VALUE,
    COPY_OBJECT,
    SEED_RANDOM,
    GENERATE_RANDOM,
    DERIVE_KEY,
    RELEASE_ACTIVE_PROCESSING,
    DIGEST_INIT,
    DIGEST_KEY,
    DIGEST_UPDATE,
    DIGEST_FINAL,
    DIGEST_ONESHOT,
    GENERATE_KEY_PAIR,
    WRAP_KEY,
    UNWRAP_KEY,
)
