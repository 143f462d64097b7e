# SPDX-License-Identifier: Apache-2.0
"""Keys on elliptic curves in Weierstrass form (PKCS#11 3.2, section 6.3; X9.62, RFC 5480).

CKA_EC_PARAMS names a curve by its object identifier, CKA_EC_POINT is a DER OCTET STRING of the uncompressed point.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, PRIVATE_PART, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import big_endian, number, octets
from softee.pkcs11_ta.keys.rows import PRIVATE_KEY, PUBLIC_KEY
from softee.pkcs11_ta.keys.view import KeyView, SizeRange, unfit

KEY_TYPES = frozenset({CKK.EC})
KEY_SIZE = SizeRange(160, 521)
"""In bits of the field."""

_CURVES = (
    ("P-192", bytes.fromhex("06082a8648ce3d030101"), ec.SECP192R1()),
    ("P-224", bytes.fromhex("06052b81040021"), ec.SECP224R1()),
    ("P-256", bytes.fromhex("06082a8648ce3d030107"), ec.SECP256R1()),
    ("P-384", bytes.fromhex("06052b81040022"), ec.SECP384R1()),
    ("P-521", bytes.fromhex("06052b81040023"), ec.SECP521R1()),
)
"""NIST's name, CKA_EC_PARAMS (the DER encoding of the object identifier), the library's curve."""

CURVES: Mapping[bytes, ec.EllipticCurve] = MappingProxyType({params: curve for _, params, curve in _CURVES})
"""By CKA_EC_PARAMS."""

_PUBLIC_ROWS = (
    *PUBLIC_KEY,
    Use(CKA.EC_PARAMS, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
    Use(CKA.EC_POINT, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
)

_PRIVATE_ROWS = (
    *PRIVATE_KEY,
    Use(CKA.EC_PARAMS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
)


def find_curve(ec_params: bytes) -> ec.EllipticCurve:
    """Return the curve that CKA_EC_PARAMS names. Raises CKR_CURVE_NOT_SUPPORTED where it is none of ours.

    What was given is not told: an application that mixes up its attributes may have put a key there.
    """
    curve = CURVES.get(ec_params)
    if curve is None:
        known = ", ".join(name for name, *_ in _CURVES)
        detail = f"CKA_EC_PARAMS ({len(ec_params)} bytes) names none of the curves {known}"
        raise Pkcs11Error(CKR.CURVE_NOT_SUPPORTED, detail)
    return curve


def private_key(key: KeyView) -> ec.EllipticCurvePrivateKey:
    """Return the library's EC private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, ec.EllipticCurvePrivateKey):
        return native
    raise unfit("an EC private key")


def public_key(key: KeyView) -> ec.EllipticCurvePublicKey:
    """Return the library's EC public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, ec.EllipticCurvePublicKey):
        return native
    return private_key(key).public_key()


def field_size(key: KeyView) -> int:
    """Return the bytes of a coordinate, of a private value, and of half a signature."""
    return _bytes_of(key.size)


def encode_point(public: ec.EllipticCurvePublicKey) -> bytes:
    """Return CKA_EC_POINT: a DER OCTET STRING of the uncompressed point (0x04, x, y)."""
    return asn1.encode_der(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def decode_point(ec_point: bytes, curve: ec.EllipticCurve) -> bytes:
    """Return the X9.62 point in CKA_EC_POINT: a DER OCTET STRING, or (as some applications give it) the bare point.

    Raises ValueError where it is neither.
    """
    if len(ec_point) == 1 + 2 * _bytes_of(curve.key_size):
        return ec_point
    return asn1.decode_der(bytes, ec_point)


def private_parts(key: ec.EllipticCurvePrivateKey) -> Parts:
    """Return CKA_EC_PARAMS and CKA_VALUE of a private key on one of the curves. Raises ValueError for another one."""
    params = next((params for params, curve in CURVES.items() if curve.name == key.curve.name), None)
    if params is None:
        raise ValueError("a key on a curve that the token does not have")
    value = key.private_numbers().private_value
    return {CKA.EC_PARAMS: params, CKA.VALUE: big_endian(value, _bytes_of(key.curve.key_size))}


def _from_native(key: PrivateKeyTypes) -> Parts | None:
    return private_parts(key) if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _public_half(key: PrivateKeyTypes) -> bytes:
    """Return the uncompressed point. The library refuses a PrivateKeyInfo in which another point stands."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _bytes_of(bits: int) -> int:
    return -(-bits // 8)


def _curve_of(attributes: Attributes) -> ec.EllipticCurve:
    return find_curve(bytes(octets(attributes, CKA.EC_PARAMS)))


def _field_bits(attributes: Attributes) -> int:
    return _curve_of(attributes).key_size


def _load_public(attributes: Attributes) -> ec.EllipticCurvePublicKey:
    curve = _curve_of(attributes)
    point = decode_point(bytes(octets(attributes, CKA.EC_POINT)), curve)
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def _load_private(attributes: Attributes) -> ec.EllipticCurvePrivateKey:
    """Return the private key, whose point is computed."""
    return ec.derive_private_key(number(attributes, CKA.VALUE), _curve_of(attributes))


def _complete_public(given: Given) -> None:
    """Check the point, and keep it as the standard writes it."""
    given[CKA.EC_POINT] = encode_point(_load_public(given))


def _complete_private(given: Given) -> None:
    _load_private(given)


EC: Final = KeyType(
    name="EC",
    numbers=KEY_TYPES,
    measure=_field_bits,
    forms=(
        KeyForm(CKO.PUBLIC_KEY, _PUBLIC_ROWS, _complete_public, frozenset({CKA.VERIFY}), _load_public),
        KeyForm(CKO.PRIVATE_KEY, _PRIVATE_ROWS, _complete_private, frozenset({CKA.SIGN}), _load_private),
    ),
    from_native=_from_native,
    public_half=_public_half,
    curves=MappingProxyType({name: params for name, params, _ in _CURVES}),
)
