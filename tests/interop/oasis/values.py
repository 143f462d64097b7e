# SPDX-License-Identifier: Apache-2.0
"""How values are written in test cases: numbers, the standard's names, flags, texts, bytes (Profiles 3.2, 4.3)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from support.cryptoki import facts

Value = int | str | bytes | bool

_SPECIAL: Final = {"UnavailableInformation": (1 << 64) - 1, "EffectivelyInfinite": 0}
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of values: ``parse`` raises ValueError for a text that is none."""

    name: str
    parse: Callable[[str], Value]


def _number(text: str) -> int:
    if text in _SPECIAL:
        return _SPECIAL[text]
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text}")
    return int(text, 16 if text[:2].lower() == "0x" else 10)


def _boolean(text: str) -> bool:
    if text not in {"true", "TRUE", "false", "FALSE"}:
        raise ValueError(f"not a boolean: {text}")
    return text.lower() == "true"


def constants(prefix: str) -> Mapping[str, int]:
    """Return the standard's constants with that prefix, by the rest of their names."""
    named = facts()["mechanisms"] if prefix == "CKM" else facts()["constants"][prefix]
    return {name.removeprefix(f"{prefix}_"): one["value"] for name, one in named.items()}


def enumeration(prefix: str) -> ValueType:
    """Return the type of constants that begin with ``prefix``: written by the rest of the name, or as numbers."""
    named = constants(prefix)
    return ValueType(prefix, lambda text: named[text] if text in named else _number(text))


_FLAGS: Final = constants("CKF")


def _flags(text: str) -> int:
    if _NUMBER.fullmatch(text):
        return _number(text)
    joined = 0
    for name in re.split(r"[ |]+", text.strip()):
        if name not in _FLAGS:
            raise ValueError(f"not a flag: {name}")
        joined |= _FLAGS[name]
    return joined


def text_of(written: bytes) -> str:
    """Return a text without the blanks that pad it and the zero byte that ends it."""
    return written.decode("utf-8", errors="replace").rstrip(" \0")


NUMBER: Final = ValueType("number", _number)
BOOLEAN: Final = ValueType("boolean", _boolean)
FLAGS: Final = ValueType("flags", _flags)
TEXT: Final = ValueType("text", lambda text: text.rstrip(" "))
BYTES: Final = ValueType("bytes", bytes.fromhex)

OF_C_TYPES: Final[Mapping[str, ValueType]] = {
    "CK_BBOOL": BOOLEAN,
    "CK_FLAGS": FLAGS,
    "CK_MECHANISM_TYPE": enumeration("CKM"),
    "CK_USER_TYPE": enumeration("CKU"),
    "CK_STATE": enumeration("CKS"),
    "CK_SESSION_VALIDATION_FLAGS_TYPE": enumeration("CKS"),
    "CK_RV": enumeration("CKR"),
    "CK_BYTE": BYTES,
    "CK_UTF8CHAR": TEXT,
    "CK_CHAR": TEXT,
    "void": BYTES,
}
"""The types of values by C's; all others are numbers."""
