# SPDX-License-Identifier: Apache-2.0
"""Templates of test cases: the type of each attribute's value, and its bytes in C."""

from typing import Final

from interop.oasis.values import BOOLEAN, BYTES, NUMBER, TEXT, Value, ValueType, enumeration, text_of
from softee.names import CKA
from softee.names.attribute_kinds import ATTRIBUTE_KINDS, AttributeKind
from softee.pkcs11_ta.attributes import codecs

_NAMES: Final = {
    CKA.CLASS: enumeration("CKO"),
    CKA.KEY_TYPE: enumeration("CKK"),
    CKA.CERTIFICATE_TYPE: enumeration("CKC"),
    CKA.PROFILE_ID: enumeration("CKP"),
    CKA.KEY_GEN_MECHANISM: enumeration("CKM"),
    CKA.NAME_HASH_ALGORITHM: enumeration("CKM"),
    CKA.PARAMETER_SET: enumeration("CKP"),
}
_TEXTS: Final = frozenset({CKA.LABEL, CKA.APPLICATION, CKA.UNIQUE_ID, CKA.URL})
_ULONG_SIZE: Final = 8


def attribute_type(name: str | None) -> CKA:
    """Return the attribute of that name. Raises ValueError."""
    if name is None or name not in CKA.__members__:
        raise ValueError(f"not an attribute: {name}")
    return CKA[name]


def value_type(attribute: CKA) -> ValueType:
    """Return the type of an attribute's values."""
    if attribute in _NAMES:
        return _NAMES[attribute]
    codec = codecs.CODECS.get(attribute)
    if codec is codecs.TRUST:
        return enumeration("CKT")
    if codec is codecs.BOOL:
        return BOOLEAN
    if ATTRIBUTE_KINDS.get(attribute) is AttributeKind.ULONG:
        return NUMBER
    return TEXT if attribute in _TEXTS else BYTES


def to_bytes(value: Value) -> bytes:
    """Return a value as C has it."""
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else value.to_bytes(_ULONG_SIZE, "little")


def from_bytes(attribute: CKA, written: bytes) -> Value:
    """Return the value that C has written."""
    kind = value_type(attribute)
    if kind is BYTES:
        return written
    if kind is TEXT:
        return text_of(written)
    number = int.from_bytes(written, "little")
    return bool(number) if kind is BOOLEAN else number
