# SPDX-License-Identifier: Apache-2.0
"""The types of keys that the token has. To add one, write a module with its ``KeyType`` and list it here."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKK, CKO, MechanismFlag
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.chacha20 import CHACHA20, POLY1305
from softee.pkcs11_ta.keys.des3 import DES3
from softee.pkcs11_ta.keys.dh import DH
from softee.pkcs11_ta.keys.ec import EC
from softee.pkcs11_ta.keys.edwards import EDWARDS
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.ml_dsa import ML_DSA
from softee.pkcs11_ta.keys.ml_kem import ML_KEM
from softee.pkcs11_ta.keys.montgomery import MONTGOMERY
from softee.pkcs11_ta.keys.parts import is_protected
from softee.pkcs11_ta.keys.rsa import RSA
from softee.pkcs11_ta.keys.secret import AES, AES_XTS, GENERIC
from softee.pkcs11_ta.keys.slh_dsa import SLH_DSA

KEY_TYPES: Final = (
    RSA,
    EC,
    EDWARDS,
    MONTGOMERY,
    DH,
    ML_DSA,
    ML_KEM,
    SLH_DSA,
    AES,
    AES_XTS,
    CHACHA20,
    POLY1305,
    DES3,
    GENERIC,
)


def _by_number() -> Mapping[object, KeyType]:
    table: dict[object, KeyType] = {number: key_type for key_type in KEY_TYPES for number in key_type.numbers}
    if len(table) != sum(len(key_type.numbers) for key_type in KEY_TYPES):
        raise RuntimeError("a CKK stands in two key types")
    return MappingProxyType(table)


_BY_NUMBER = _by_number()

SECRET_KEY_TYPES: Final[frozenset[CKK]] = frozenset(
    number for key_type in KEY_TYPES if key_type.form(CKO.SECRET_KEY) for number in key_type.numbers
)
"""The types of secret keys, all of which have a value that keys can be derived from."""

KEY_PAIR_TYPES: Final[frozenset[CKK]] = frozenset(
    number for key_type in KEY_TYPES if key_type.public_parts for number in key_type.numbers
)
"""The types of key pairs, whose public key follows from the private one."""


def find_key_type(number: object) -> KeyType | None:
    """Return the type that CKA_KEY_TYPE names, or None where the token does not have it."""
    return _BY_NUMBER.get(number)


def key_flags(numbers: Iterable[int]) -> MechanismFlag:
    """Return what C_GetMechanismInfo says of keys of these types where all have it in common: CKF_EC_*."""
    flags = [key_type.flags for number in numbers if (key_type := find_key_type(number))]
    return reduce(and_, flags) if flags else MechanismFlag(0)


def is_guarded(attributes: Attributes) -> bool:
    """Say whether a key is protected and of a type of any length.

    A short one of those would be told by everything that can be compared with guesses: a check value, a digest.
    """
    key_type = find_key_type(attributes.get(CKA.KEY_TYPE))
    return key_type is not None and key_type.free_length and is_protected(attributes)


def find_form(object_class: object, number: object) -> KeyForm | None:
    """Return what CKA_CLASS and CKA_KEY_TYPE say together, or None where the token has no such keys."""
    key_type = find_key_type(number)
    return key_type.form(object_class) if key_type else None
