# SPDX-License-Identifier: Apache-2.0
"""From an object of SoftHSM2's to the template by which another token makes the same: by that token's table of kinds.

What the token sets itself is left out, and so is what no such object has. What would be lost and protects the object
(a template that it wraps and unwraps by) keeps it from being taken.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from softee.cli.cryptoki.kinds import Given, curve_by_oid
from softee.cli.cryptoki.structures import Value
from softee.cli.softhsm.secrets import decrypted
from softee.cli.softhsm.stored import BadStoreError, Mechanisms, Nested, Stored, StoredObject
from softee.names import CKA
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.codecs import attribute_name
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.uses import Rule
from softee.pkcs11_ta.objects.kinds import ObjectKind
from softee.pkcs11_ta.objects.rules import kind_of

_FOLLOWS: Final = frozenset({CKA.CHECK_VALUE, CKA.VALUE_LEN, CKA.MODULUS_BITS})
"""What the token works out of the value."""
_NOT_OURS: Final = Rule.FORBIDDEN_ON_CREATE | Rule.ONLY_SO_SETS
_ULONG: Final = 8

Attributes = Mapping[int, Stored | SecretBytes]
"""Of an object, those of a private one decrypted."""


class NotTakenError(Exception):
    """An object cannot be taken; the text says why, and holds none of its values."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A template, and what of the object is not in it."""

    template: Given = field(repr=False)
    left_out: list[str]


def opened(stored: StoredObject, key: SecretBytes) -> Attributes:
    """Return an object's attributes. Raises NotTakenError."""
    if stored.damage:
        raise NotTakenError(stored.damage)
    if stored.attributes.get(CKA.PRIVATE) is not True:
        return stored.attributes
    try:
        return {
            one: decrypted(key, value) if isinstance(value, bytes) else value
            for one, value in stored.attributes.items()
        }
    except BadStoreError as error:
        raise NotTakenError(f"{stored.name} is damaged: {error}") from None


def template_of(attributes: Attributes) -> Taken:
    """Return how another token makes an object. Raises NotTakenError."""
    try:
        kind = kind_of({one: value for one, value in attributes.items() if type(value) is int})
    except Pkcs11Error as error:
        raise NotTakenError(f"softee's tokens have no such object: {error.detail}") from None
    taken = Taken({CKA.TOKEN: True}, [])
    for attribute, value in attributes.items():
        if not _says_something(value):
            continue
        if isinstance(value, Nested):
            raise NotTakenError(f"its {attribute_name(attribute)} would be lost, which protects it")
        if _is_wanted(kind, attribute):
            taken.template[attribute] = _travelling(attribute, value)
        elif _is_missed(attribute, value):
            taken.left_out.append(attribute_name(attribute))
    return taken


def _says_something(value: Stored | SecretBytes) -> bool:
    match value:
        case Nested(size):
            return size > 0
        case Mechanisms(numbers):
            return bool(numbers)
        case bytes() | bytearray():
            return len(value) > 0
    return True


def _is_wanted(kind: ObjectKind, attribute: int) -> bool:
    use = kind.uses.get(attribute)
    return use is not None and attribute not in _FOLLOWS and not use.rules & _NOT_OURS


def _is_missed(attribute: int, value: Stored | SecretBytes) -> bool:
    """Tell whether it is worth a word that an attribute does not come along: it says something that is not so now."""
    return value is True if isinstance(value, bool) else attribute not in {*_FOLLOWS, CKA.KEY_GEN_MECHANISM}


def _travelling(attribute: int, value: Stored | SecretBytes) -> Value:
    match value:
        case Mechanisms(numbers):
            return b"".join(number.to_bytes(_ULONG, sys.byteorder) for number in numbers)
        case Nested():
            raise TypeError("a template does not travel")
        case bytes() | bytearray() if attribute == CKA.EC_PARAMS:
            return curve_by_oid(bytes(value))
    return value
