# SPDX-License-Identifier: Apache-2.0
"""Keys on elliptic curves in Weierstrass form (PKCS#11 3.2, section 6.3; X9.62, RFC 5480).

CKA_EC_POINT is a DER OCTET STRING of the uncompressed point.
"""

from typing import Final

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.curves import FLAGS, PRIVATE_ROWS, PUBLIC_ROWS, Curve, Curves, curve_name, oid
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import big_endian, number, octets
from softee.pkcs11_ta.keys.view import KeyView, PrivateKey, PublicKey, SizeRange, unfit

KEY_TYPES = frozenset({CKK.EC})
KEY_SIZE = SizeRange(160, 521)
"""In bits of the field."""


def _names(dotted: str, *names: str) -> tuple[bytes, ...]:
    return (oid(dotted), *(curve_name(name) for name in names))


CURVES: Final = Curves[ec.EllipticCurve](
    Curve("P-192", _names("1.2.840.10045.3.1.1", "secp192r1", "prime192v1", "P-192"), ec.SECP192R1()),
    Curve("P-224", _names("1.3.132.0.33", "secp224r1", "P-224"), ec.SECP224R1()),
    Curve("P-256", _names("1.2.840.10045.3.1.7", "secp256r1", "prime256v1", "P-256"), ec.SECP256R1()),
    Curve("P-384", _names("1.3.132.0.34", "secp384r1", "P-384"), ec.SECP384R1()),
    Curve("P-521", _names("1.3.132.0.35", "secp521r1", "P-521"), ec.SECP521R1()),
    Curve("secp256k1", _names("1.3.132.0.10", "secp256k1"), ec.SECP256K1()),
    Curve("brainpoolP256r1", _names("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"), ec.BrainpoolP256R1()),
    Curve("brainpoolP384r1", _names("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"), ec.BrainpoolP384R1()),
    Curve("brainpoolP512r1", _names("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"), ec.BrainpoolP512R1()),
)
"""NIST's, SEC 2's and the Brainpool's, all of prime order: every point of such a curve but one generates all of it."""


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


def private_parts(key: ec.EllipticCurvePrivateKey, ec_params: bytes) -> Parts:
    """Return CKA_EC_PARAMS, which names the key's curve, and CKA_VALUE of a private key."""
    value = key.private_numbers().private_value
    return {CKA.EC_PARAMS: ec_params, CKA.VALUE: big_endian(value, _bytes_of(key.curve.key_size))}


def params_of(curve: ec.EllipticCurve) -> bytes:
    """Return the object identifier of a curve. Raises ValueError where it is none of these."""
    for known in CURVES:
        if known.native.name == curve.name:
            return known.params[0]
    raise ValueError("a key on a curve that the token does not have")


def _from_native(key: PrivateKey) -> Parts | None:
    return private_parts(key, params_of(key.curve)) if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _public_parts(key: PublicKey) -> Parts:
    return {CKA.EC_POINT: asn1.encode_der(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))}


def _public_half(key: PrivateKey) -> bytes:
    """Return the uncompressed point. The library refuses a PrivateKeyInfo in which another point stands."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _bytes_of(bits: int) -> int:
    return -(-bits // 8)


def _field_bits(attributes: Attributes) -> int:
    return CURVES.of(attributes).key_size


def _load_public(attributes: Attributes) -> ec.EllipticCurvePublicKey:
    curve = CURVES.of(attributes)
    point = decode_point(bytes(octets(attributes, CKA.EC_POINT)), curve)
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def _load_private(attributes: Attributes) -> ec.EllipticCurvePrivateKey:
    """Return the private key, whose point is computed."""
    return ec.derive_private_key(number(attributes, CKA.VALUE), CURVES.of(attributes))


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
        KeyForm(CKO.PUBLIC_KEY, PUBLIC_ROWS, _complete_public, frozenset({CKA.VERIFY}), _load_public, slow_from=257),
        KeyForm(CKO.PRIVATE_KEY, PRIVATE_ROWS, _complete_private, frozenset({CKA.SIGN}), _load_private, slow_from=257),
    ),
    from_native=_from_native,
    public_half=_public_half,
    public_parts=_public_parts,
    curves=CURVES.names,
    flags=FLAGS,
)
