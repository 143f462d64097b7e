# SPDX-License-Identifier: Apache-2.0
"""The elliptic curves: how CKA_EC_PARAMS names them, and how CKA_EC_POINT writes their points (X9.62, RFC 5480)."""

from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKK, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.view import KeyView, SizeRange

KEY_TYPES = frozenset({CKK.EC})
KEY_SIZE = SizeRange(160, 521)
"""In bits of the field."""

CURVES: Mapping[bytes, ec.EllipticCurve] = MappingProxyType(
    {
        bytes.fromhex("06082a8648ce3d030101"): ec.SECP192R1(),
        bytes.fromhex("06052b81040021"): ec.SECP224R1(),
        bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
        bytes.fromhex("06052b81040022"): ec.SECP384R1(),
        bytes.fromhex("06052b81040023"): ec.SECP521R1(),
    }
)
"""By CKA_EC_PARAMS: the DER encoding of the curve's object identifier."""

_OCTET_STRING = 0x04
_LONG_FORM = 0x81
_LARGEST_SHORT_LENGTH = 0x7F


def find_curve(ec_params: bytes) -> ec.EllipticCurve:
    """Return the curve that CKA_EC_PARAMS names.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_TYPE_INVALID, as OP-TEE answers, where it is none of ours. (The standard's code is
            CKR_CURVE_NOT_SUPPORTED.)

    """
    curve = CURVES.get(ec_params)
    if curve is None:
        detail = f"CKA_EC_PARAMS {ec_params[:32].hex()} names none of the curves P-192, P-224, P-256, P-384 and P-521"
        raise Pkcs11Error(CKR.ATTRIBUTE_TYPE_INVALID, detail)
    return curve


def field_size(key: KeyView) -> int:
    """Return the bytes of a coordinate, of a private value, and of half a signature."""
    return -(-key.size // 8)


def encode_point(public: ec.EllipticCurvePublicKey) -> bytes:
    """Return CKA_EC_POINT: a DER OCTET STRING of the uncompressed point (0x04, x, y)."""
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    size = len(point)
    head = (size,) if size <= _LARGEST_SHORT_LENGTH else (_LONG_FORM, size)
    return bytes((_OCTET_STRING, *head)) + point
