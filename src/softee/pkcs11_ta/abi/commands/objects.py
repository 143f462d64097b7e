# SPDX-License-Identifier: Apache-2.0
"""Objects (PKCS#11 3.2, section 5.7)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import LARGEST_WITH_VALUE, Command, Output
from softee.pkcs11_ta.abi.returns import ATTRIBUTES, MAKE, OUTPUT, SESSION, WRITE

CREATE_OBJECT = Command(
    15,
    "CREATE_OBJECT",
    "C_CreateObject",
    m.WithTemplate,
    SESSION | MAKE | {CKR.KEY_SIZE_RANGE},
    output=Output.OUTPUT,
    output_size=4,
    largest_request=LARGEST_WITH_VALUE,
)
DESTROY_OBJECT = Command(
    16,
    "DESTROY_OBJECT",
    "C_DestroyObject",
    m.OnObject,
    SESSION | WRITE | {CKR.OBJECT_HANDLE_INVALID, CKR.ACTION_PROHIBITED},
)
FIND_OBJECTS_INIT = Command(
    34,
    "FIND_OBJECTS_INIT",
    "C_FindObjectsInit",
    m.WithTemplate,
    SESSION | {CKR.OPERATION_ACTIVE, CKR.ATTRIBUTE_TYPE_INVALID, CKR.ATTRIBUTE_VALUE_INVALID},
)
FIND_OBJECTS = Command(
    35, "FIND_OBJECTS", "C_FindObjects", m.InSession, SESSION | {CKR.OPERATION_NOT_INITIALIZED}, output=Output.OUTPUT
)
FIND_OBJECTS_FINAL = Command(
    36, "FIND_OBJECTS_FINAL", "C_FindObjectsFinal", m.InSession, SESSION | {CKR.OPERATION_NOT_INITIALIZED}
)
GET_OBJECT_SIZE = Command(
    37,
    "GET_OBJECT_SIZE",
    "C_GetObjectSize",
    m.OnObject,
    SESSION | {CKR.OBJECT_HANDLE_INVALID, CKR.INFORMATION_SENSITIVE},
    output=Output.OUTPUT,
    output_size=4,
)
GET_ATTRIBUTE_VALUE = Command(
    38,
    "GET_ATTRIBUTE_VALUE",
    "C_GetAttributeValue",
    m.OnObjectWithTemplate,
    SESSION
    | OUTPUT
    | {CKR.OBJECT_HANDLE_INVALID, CKR.ATTRIBUTE_SENSITIVE, CKR.ATTRIBUTE_TYPE_INVALID, CKR.ATTRIBUTE_VALUE_INVALID},
    quiet=frozenset({CKR.ATTRIBUTE_TYPE_INVALID}),
    output=Output.OUTPUT,
    largest_request=LARGEST_WITH_VALUE,
)
SET_ATTRIBUTE_VALUE = Command(
    39,
    "SET_ATTRIBUTE_VALUE",
    "C_SetAttributeValue",
    m.OnObjectWithTemplate,
    SESSION | ATTRIBUTES | WRITE | {CKR.OBJECT_HANDLE_INVALID, CKR.ACTION_PROHIBITED},
)
COPY_OBJECT = Command(
    40,
    "COPY_OBJECT",
    "C_CopyObject",
    m.OnObjectWithTemplate,
    SESSION | ATTRIBUTES | WRITE | {CKR.OBJECT_HANDLE_INVALID, CKR.ACTION_PROHIBITED},
    output=Output.OUTPUT,
    output_size=4,
)

COMMANDS = (
    CREATE_OBJECT,
    DESTROY_OBJECT,
    FIND_OBJECTS_INIT,
    FIND_OBJECTS,
    FIND_OBJECTS_FINAL,
    GET_OBJECT_SIZE,
    GET_ATTRIBUTE_VALUE,
    SET_ATTRIBUTE_VALUE,
    COPY_OBJECT,
)
