# SPDX-License-Identifier: Apache-2.0
"""What an answer may have otherwise than the test case says: the permitted variations of Profiles 3.2, section 3.1.

Whatever is in none of these tables must be as the test case says.
"""

from typing import Final

from interop.oasis.values import FLAGS, ValueType

_PROVIDER: Final = frozenset(
    {
        "ManufacturerID",
        "LibraryDescription",
        "LibraryVersion",
        "SlotDescription",
        "HardwareVersion",
        "FirmwareVersion",
        "label",
        "model",
        "serialNumber",
        "utcTime",
    }
)
_IN_PROVIDER: Final = frozenset({"Info", "SlotInfo", "TokenInfo"})
"""Section 3.1.1, of the provider: whose these names are."""

_ANYWHERE: Final = frozenset({"SlotID", "Session", "Object", "Data", "EncryptedData", "RandomData"})
"""Section 3.1.1, of sessions, objects and operations."""

_ATTRIBUTES: Final = frozenset(
    {
        "VALUE",
        "PUBLIC_EXPONENT",
        "PRIVATE_EXPONENT",
        "PRIME_1",
        "PRIME_2",
        "EXPONENT_1",
        "EXPONENT_2",
        "COEFFICIENT",
        "PRIME",
        "SUBPRIME",
        "BASE",
        "EC_POINT",
        "UNIQUE_ID",
    }
)
"""Section 3.1.1, of attributes."""

_OWN_KEYS: Final = frozenset({"MODULUS", "Signature"})
"""What follows from a key that each token makes for itself, by section 3.1.1's PRIVATE_EXPONENT and PRIME_1: it has the
size that the test case says. That a signature is the key's is checked apart (``signatures.py``)."""

_MEASURES: Final = frozenset(
    {
        "MaxSessionCount",
        "SessionCount",
        "MaxRwSessionCount",
        "RwSessionCount",
        "MaxPinLen",
        "MinPinLen",
        "TotalPublicMemory",
        "FreePublicMemory",
        "TotalPrivateMemory",
        "FreePrivateMemory",
        "MinKeySize",
        "MaxKeySize",
    }
)
"""A provider's own measures. Section 3 calls values illustrative, though 3.1.1 does not list these; the test cases have
one token's. They are noted, and are no failures."""


def is_variable(parent: str, name: str, attribute: str | None) -> bool:
    """Say whether an element may have another value."""
    if attribute is not None:
        return attribute in _ATTRIBUTES
    return name in _ANYWHERE or (parent in _IN_PROVIDER and name in _PROVIDER)


def is_own_key(name: str, attribute: str | None) -> bool:
    """Say whether a value follows from a key of the token's own, so that its size alone is the test case's."""
    return (attribute or name) in _OWN_KEYS


def is_measure(name: str) -> bool:
    """Say whether a number is a provider's own measure."""
    return name in _MEASURES


def agrees(kind: ValueType, wanted: object, actual: object) -> bool:
    """Say whether a value is what is wanted. A provider may do more: flags that are wanted must be there."""
    if kind is FLAGS and isinstance(wanted, int) and isinstance(actual, int):
        return wanted & actual == wanted
    return wanted == actual
