# SPDX-License-Identifier: Apache-2.0
"""GlobalPlatform's vocabulary (TEE Client API 1.0, section 4.4; TEE Internal Core API), and OP-TEE's UUID in it."""

from enum import IntEnum
from uuid import UUID

PKCS11_APPLICATION = UUID("fd02c9da-306c-48c7-a49c-bbd827ae86ee")
"""OP-TEE's PKCS#11 application, and so softee's."""

OPERATOR_APPLICATION = UUID("3d2d1f0a-54b5-4a19-9c9e-6a1f6b9e7d55")
"""softee's own, for root and the secure world's user (daemon/operators.py)."""


class OperatorCommand(IntEnum):
    """The commands of OPERATOR_APPLICATION."""

    BEGIN_COPY = 1
    """Keep all records as they are now, encoded (stores/requests.py). Parameter 0 (value, output): size, a | b<<32."""
    READ_COPY = 2
    """Parameter 0 (value, input): where to begin, a | b<<32. Parameter 1 (output): as much as there is room for."""
    SHUT_TOKEN = 3
    """End all sessions with a token, and keep new ones away until this TEE session is closed.

    Parameter 0 (value, in and out): its slot; then how many sessions were ended, and how many are left."""
    HEALTH = 4
    """Say what is wrong just now. Parameter 0 (value, output): the bits of reasons (wire/health.py); 0: nothing."""
    BEGIN_STATISTICS = 0x20
    """Keep what is told of clients, tokens and what they do (daemon/metrics/statistics.py), to be read as a copy is:
    JSON. Parameter 0 (value, output): size, a | b<<32."""
    BEGIN_OBJECTS = 0x21
    """Likewise, what is told of the tokens' public objects."""
    AUDIT_END = 0x30
    """Parameter 0 (output): how the audit log ends, and by which key it is signed, in JSON (tee/audit_head.py)."""
    BEGIN_AUDIT_LATEST = 0x31
    """Keep the audit log's newest lines, to be read as a copy is: no bytes where there is no log.
    Parameter 0 (value, output): size, a | b<<32."""


class TeeResult(IntEnum):
    """TEE results (TEEC_Result), those that softee uses."""

    SUCCESS = 0x00000000
    GENERIC = 0xFFFF0000
    ACCESS_DENIED = 0xFFFF0001
    CANCEL = 0xFFFF0002
    EXCESS_DATA = 0xFFFF0004
    BAD_FORMAT = 0xFFFF0005
    BAD_PARAMETERS = 0xFFFF0006
    BAD_STATE = 0xFFFF0007
    ITEM_NOT_FOUND = 0xFFFF0008
    NOT_IMPLEMENTED = 0xFFFF0009
    NOT_SUPPORTED = 0xFFFF000A
    NO_DATA = 0xFFFF000B
    OUT_OF_MEMORY = 0xFFFF000C
    BUSY = 0xFFFF000D
    COMMUNICATION = 0xFFFF000E
    SECURITY = 0xFFFF000F
    SHORT_BUFFER = 0xFFFF0010
    TARGET_DEAD = 0xFFFF3024
    CORRUPT_OBJECT = 0xF0100001
    STORAGE_NOT_AVAILABLE = 0xF0100003


class Origin(IntEnum):
    """Which layer a result comes from (TEEC_ORIGIN_*)."""

    API = 1
    COMMS = 2
    TEE = 3
    TRUSTED_APP = 4


class LoginMethod(IntEnum):
    """How a client asks to be identified (TEEC_LOGIN_*)."""

    PUBLIC = 0
    USER = 1
    GROUP = 2
    APPLICATION = 4
    USER_APPLICATION = 5
    GROUP_APPLICATION = 6


class ParamType(IntEnum):
    """What a parameter is, as it travels: four bits each of TEEC_Operation.paramTypes.

    A TEEC_MEMREF_WHOLE or PARTIAL parameter travels as the TEMP type of its direction.
    """

    NONE = 0
    VALUE_INPUT = 1
    VALUE_OUTPUT = 2
    VALUE_INOUT = 3
    MEMREF_INPUT = 5
    MEMREF_OUTPUT = 6
    MEMREF_INOUT = 7
