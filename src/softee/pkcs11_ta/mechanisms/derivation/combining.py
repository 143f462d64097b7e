# SPDX-License-Identifier: Apache-2.0
"""Keys of the bytes of others: joined, XORed, cut out (PKCS#11 3.2, section 6, Miscellaneous simple key derivation).

A new key tells the keys that it is made of, so it is as protected as they are, and a token has these mechanisms where
its settings add them. Whoever may use a key of one byte finds it by trying, and so a protected key piece by piece:
what is joined with one is not cut, of one no fewer than 16 bytes are XORed, and nothing is cut out of one.
"""

from collections.abc import Callable
from typing import Final

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.table import SECRET_KEY_TYPES
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.deriving import cut, key_size
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

LEAST_XORED: Final = 16
"""Bytes of a protected key that must be in what is made by XOR: so many cannot be guessed."""

_BITS: Final = 8

Combine = Callable[[KeyView, bytes, Attributes], Parts]


def _joined(value: bytes | bytearray, template: Attributes, *sources: KeyView) -> Parts:
    if any(source.protected for source in sources) and key_size(template, len(value)) != len(value):
        detail = f"CKA_VALUE_LEN of fewer than the {len(value)} bytes that come of a protected key"
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, detail)
    return cut(value, template)


def _base_and_key(base: KeyView, _: int, others: tuple[KeyView, ...], template: Attributes) -> Parts:
    (other,) = others
    return _joined(bytes(base.secret()) + other.secret(), template, base, other)


def _base_and_data(base: KeyView, data: bytes, template: Attributes) -> Parts:
    return _joined(base.secret() + data, template, base)


def _data_and_base(base: KeyView, data: bytes, template: Attributes) -> Parts:
    return _joined(data + base.secret(), template, base)


def _xor(base: KeyView, data: bytes, template: Attributes) -> Parts:
    value = base.secret()
    made = bytes(one ^ other for one, other in zip(value, data, strict=False))
    if base.protected and key_size(template, len(made)) < LEAST_XORED:
        detail = f"fewer than {LEAST_XORED} bytes of a protected key"
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, detail)
    return cut(made, template)


def _extract(base: KeyView, first: int, _: tuple[KeyView, ...], template: Attributes) -> Parts:
    """Cut bits out, from ``first`` on, and around the end to the beginning where they do not suffice."""
    if base.protected:
        raise Pkcs11Error(CKR.KEY_FUNCTION_NOT_PERMITTED, "nothing is cut out of a protected key")
    value = base.secret()
    count = _BITS * len(value)
    if first >= count:
        raise invalid(f"bit {first} of a key of {count}")
    whole = int.from_bytes(value, "big")
    turned = (whole << first | whole >> (count - first)) % (1 << count)
    return cut(turned.to_bytes(len(value), "big"), template)


def _with_data(mechanism: CKM, combine: Combine) -> AnyMechanism:
    def derive(base: KeyView, data: bytes, _: tuple[KeyView, ...], template: Attributes) -> Parts:
        return combine(base, data, template)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=SECRET_KEY_TYPES,
        params=_data,
        functions=(Deriving(derive=derive, tells=True),),
    )


def _data(data: bytes) -> bytes:
    if not data:
        raise invalid("no data: the new key would be the old one")
    return data


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.CONCATENATE_BASE_AND_KEY,
        key_types=SECRET_KEY_TYPES,
        params=int,
        functions=(Deriving(derive=_base_and_key, keys_in=lambda handle: (handle,), tells=True),),
    ),
    _with_data(CKM.CONCATENATE_BASE_AND_DATA, _base_and_data),
    _with_data(CKM.CONCATENATE_DATA_AND_BASE, _data_and_base),
    _with_data(CKM.XOR_BASE_AND_DATA, _xor),
    MechanismSpec(
        mechanism=CKM.EXTRACT_KEY_FROM_KEY,
        key_types=SECRET_KEY_TYPES,
        params=int,
        functions=(Deriving(derive=_extract, tells=True),),
    ),
)
