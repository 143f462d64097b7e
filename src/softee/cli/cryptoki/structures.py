# SPDX-License-Identifier: Apache-2.0
"""PKCS#11's structures and functions as C has them on this machine (PKCS#11 2.40, which every module has).

Private values go through buffers that are overwritten after the call.
"""

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from softee.names import CKM

ULONG = ctypes.c_ulong
UNAVAILABLE: Final = ULONG(-1).value
"""CK_UNAVAILABLE_INFORMATION: the length of an attribute that is not shown."""

Value = bytes | bytearray | int | bool
"""An attribute: bytes, a CK_ULONG or a CK_BBOOL."""
Template = Mapping[int, Value]

FUNCTIONS: Final = (
    *("Initialize", "Finalize", "GetInfo", "GetFunctionList", "GetSlotList", "GetSlotInfo", "GetTokenInfo"),
    *("GetMechanismList", "GetMechanismInfo", "InitToken", "InitPIN", "SetPIN", "OpenSession", "CloseSession"),
    *("CloseAllSessions", "GetSessionInfo", "GetOperationState", "SetOperationState", "Login", "Logout"),
    *("CreateObject", "CopyObject", "DestroyObject", "GetObjectSize", "GetAttributeValue", "SetAttributeValue"),
    *("FindObjectsInit", "FindObjects", "FindObjectsFinal", "EncryptInit", "Encrypt", "EncryptUpdate", "EncryptFinal"),
    *("DecryptInit", "Decrypt", "DecryptUpdate", "DecryptFinal", "DigestInit", "Digest", "DigestUpdate", "DigestKey"),
    *("DigestFinal", "SignInit", "Sign", "SignUpdate", "SignFinal", "SignRecoverInit", "SignRecover", "VerifyInit"),
    *("Verify", "VerifyUpdate", "VerifyFinal", "VerifyRecoverInit", "VerifyRecover", "DigestEncryptUpdate"),
    *("DecryptDigestUpdate", "SignEncryptUpdate", "DecryptVerifyUpdate", "GenerateKey", "GenerateKeyPair", "WrapKey"),
    *("UnwrapKey", "DeriveKey", "SeedRandom", "GenerateRandom", "GetFunctionStatus", "CancelFunction"),
    "WaitForSlotEvent",
)
"""The functions of a CK_FUNCTION_LIST in their order, without C_."""


class FunctionList(ctypes.Structure):
    """A CK_FUNCTION_LIST: what every module exports."""

    _fields_ = (("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * len(FUNCTIONS)))


class Attribute(ctypes.Structure):
    """A CK_ATTRIBUTE."""

    _fields_ = (("type", ULONG), ("value", ctypes.c_void_p), ("length", ULONG))


class Mechanism(ctypes.Structure):
    """A CK_MECHANISM without a parameter."""

    _fields_ = (("type", ULONG), ("parameter", ctypes.c_void_p), ("length", ULONG))

    def __init__(self, mechanism: CKM) -> None:
        super().__init__(mechanism, None, 0)


class TokenInfo(ctypes.Structure):
    """A CK_TOKEN_INFO."""

    _fields_ = (
        ("label", ctypes.c_ubyte * 32),
        ("manufacturer", ctypes.c_ubyte * 32),
        ("model", ctypes.c_ubyte * 16),
        ("serial", ctypes.c_ubyte * 16),
        ("flags", ULONG),
        ("sessions", ULONG * 4),
        ("longest_pin", ULONG),
        ("shortest_pin", ULONG),
        ("memory", ULONG * 4),
        ("versions", ctypes.c_ubyte * 4),
        ("time", ctypes.c_ubyte * 16),
    )


@contextmanager
def template_of(attributes: Template) -> Iterator[tuple[ctypes.Array[Attribute], ctypes.c_ulong]]:
    """Yield a template and its count as C takes them; the values are overwritten afterwards."""
    buffers = [_buffer(value) for value in attributes.values()]
    rows = [
        Attribute(type_, ctypes.addressof(buffer), len(buffer) - 1)
        for type_, buffer in zip(attributes, buffers, strict=True)
    ]
    try:
        yield (Attribute * len(rows))(*rows), ULONG(len(rows))
    finally:
        for buffer in buffers:
            ctypes.memset(buffer, 0, len(buffer))


@contextmanager
def pin_of(pin: bytearray | None) -> Iterator[tuple[object, ctypes.c_ulong]]:
    """Yield a PIN and its length as C takes them; None is asked for by the token itself."""
    if not pin:
        yield (None if pin is None else b""), ULONG(0)
        return
    yield (ctypes.c_char * len(pin)).from_buffer(pin), ULONG(len(pin))


def _buffer(value: Value) -> ctypes.Array[ctypes.c_char]:
    """Return a value's bytes, with one byte after them: C has no arrays of nothing."""
    if isinstance(value, bool):
        value = bytes([value])
    elif isinstance(value, int):
        value = bytes(ULONG(value))
    buffer = ctypes.create_string_buffer(len(value) + 1)
    # A bytearray is copied from where it stands: a copy of Python's could not be overwritten.
    source = (ctypes.c_char * len(value)).from_buffer(value) if isinstance(value, bytearray) else value
    ctypes.memmove(buffer, source, len(value))
    return buffer
