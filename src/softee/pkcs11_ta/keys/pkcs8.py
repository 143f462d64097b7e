# SPDX-License-Identifier: Apache-2.0
"""Private keys as PKCS#8 PrivateKeyInfo: how C_WrapKey and C_UnwrapKey carry them (PKCS#11 3.2, section 6.7)."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from softee.names import CKA, CKK, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.keys.curves import CURVES
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.rsa import KEY_SIZE

LARGEST_KEY = 8192
"""Bytes of a PrivateKeyInfo that is looked at: more than three times the largest RSA key's."""

_SEQUENCE = 0x30
_LONG_FORM = 0x80


def export_private_key(key: KeyMaterial) -> SecretBytes:
    """Return a private key as a DER PrivateKeyInfo. Raises CKR_KEY_NOT_WRAPPABLE for another kind of key."""
    native = key.native()
    if not isinstance(native, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Pkcs11Error(CKR.KEY_NOT_WRAPPABLE, "only secret and private keys can be wrapped")
    return SecretBytes(native.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def import_private_key(data: bytes | bytearray, key_type: int) -> Given:
    """Return the attributes that a PrivateKeyInfo holds; zeros after it are padding.

    The key is not tested here: that takes very long for numbers of hostile sizes, and holds up all other threads.
    ``checks.complete`` does it, sizes first.

    Raises:
        Pkcs11Error: CKR_WRAPPED_KEY_INVALID: it does not decode, or is not a key of this type that the token takes.

    """
    try:
        native = load_der_private_key(_without_padding(data), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _invalid("not a PKCS#8 private key") from None
    if isinstance(native, rsa.RSAPrivateKey) and key_type == CKK.RSA:
        return _rsa_attributes(native)
    if isinstance(native, ec.EllipticCurvePrivateKey) and key_type == CKK.EC:
        return _ec_attributes(native)
    raise _invalid("a key of another type than CKA_KEY_TYPE says")


def _rsa_attributes(key: rsa.RSAPrivateKey) -> Given:
    if key.key_size not in KEY_SIZE:
        raise _invalid(f"an RSA key of {key.key_size} bits")
    numbers = key.private_numbers()
    return {
        CKA.MODULUS: bytes(_big_endian(numbers.public_numbers.n)),
        CKA.PUBLIC_EXPONENT: bytes(_big_endian(numbers.public_numbers.e)),
        CKA.PRIVATE_EXPONENT: _big_endian(numbers.d),
        CKA.PRIME_1: _big_endian(numbers.p),
        CKA.PRIME_2: _big_endian(numbers.q),
        CKA.EXPONENT_1: _big_endian(numbers.dmp1),
        CKA.EXPONENT_2: _big_endian(numbers.dmq1),
        CKA.COEFFICIENT: _big_endian(numbers.iqmp),
    }


def _ec_attributes(key: ec.EllipticCurvePrivateKey) -> Given:
    params = next((params for params, curve in CURVES.items() if curve.name == key.curve.name), None)
    if params is None:
        raise _invalid("a key on a curve that the token does not have")
    size = -(-key.curve.key_size // 8)
    return {
        CKA.EC_PARAMS: params,
        CKA.VALUE: SecretBytes(key.private_numbers().private_value.to_bytes(size, "big")),
    }


def _without_padding(data: bytes | bytearray) -> bytes:
    """Cut the zeros that filled the last cipher block: the DER's own length says where it ends."""
    end = _der_end(data)
    if end > LARGEST_KEY:
        raise ValueError("too long for a key that the token takes")
    if any(data[end:]):
        raise ValueError("bytes after the key")
    return bytes(data[:end])


def _der_end(data: bytes | bytearray) -> int:
    if len(data) < 2 or data[0] != _SEQUENCE:
        raise ValueError("no DER sequence")
    if data[1] < _LONG_FORM:
        return 2 + data[1]
    count = data[1] - _LONG_FORM
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def _big_endian(value: int) -> SecretBytes:
    return SecretBytes(value.to_bytes(-(-value.bit_length() // 8), "big"))


def _invalid(what: str) -> Pkcs11Error:
    return Pkcs11Error(CKR.WRAPPED_KEY_INVALID, f"the unwrapped bytes are {what}")
