# SPDX-License-Identifier: Apache-2.0
"""The keys and the parameters of known answers. Whatever stands there is public."""

from typing import Final

from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.material import KeyMaterial

_RSA_PARTS: Final = (
    *(CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.PRIVATE_EXPONENT),
    *(CKA.PRIME_1, CKA.PRIME_2, CKA.EXPONENT_1, CKA.EXPONENT_2, CKA.COEFFICIENT),
)


def secret(key_type: CKK, value: str) -> KeyMaterial:
    """Return a secret key, given in hexadecimal."""
    return _key(CKO.SECRET_KEY, key_type, {CKA.VALUE: bytes.fromhex(value)})


def private(key_type: CKK, parts: Attributes) -> KeyMaterial:
    """Return a private key."""
    return _key(CKO.PRIVATE_KEY, key_type, parts)


def on_curve(key_type: CKK, ec_params: bytes, value: str) -> KeyMaterial:
    """Return a private key on a curve, whose value is given in hexadecimal."""
    return private(key_type, {CKA.EC_PARAMS: ec_params, CKA.VALUE: bytes.fromhex(value)})


def seeded(key_type: CKK, parameter_set: int, seed: str) -> KeyMaterial:
    """Return the private key that a seed makes, which is given in hexadecimal."""
    return private(key_type, {CKA.PARAMETER_SET: parameter_set, CKA.SEED: bytes.fromhex(seed)})


def rsa(*parts: str) -> KeyMaterial:
    """Return an RSA private key, whose numbers are given in hexadecimal: n, e, d, p, q, dp, dq, qinv."""
    numbers = {int(name): bytes.fromhex(part) for name, part in zip(_RSA_PARTS, parts, strict=True)}
    return private(CKK.RSA, numbers)


def u32(*values: int) -> bytes:
    """Return CK_ULONGs as they travel."""
    return b"".join(value.to_bytes(4, "little") for value in values)


def counted(value: str) -> bytes:
    """Return bytes, given in hexadecimal, as they travel: after their size."""
    data = bytes.fromhex(value)
    return u32(len(data)) + data


def _key(key_class: CKO, key_type: CKK, parts: Attributes) -> KeyMaterial:
    return KeyMaterial({CKA.CLASS: int(key_class), CKA.KEY_TYPE: int(key_type), **parts})
