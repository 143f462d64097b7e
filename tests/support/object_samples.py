# SPDX-License-Identifier: Apache-2.0
"""One good C_CreateObject template for every kind of object, with real keys that are made once."""

from collections.abc import Mapping
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from softee.names import CKA, CKC, CKK, CKO
from softee.pkcs11_ta.abi.messages import Template
from softee.pkcs11_ta.attributes.codecs import encode_value
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.curves import encode_point
from softee.pkcs11_ta.objects.kinds import ObjectKind

P256 = bytes.fromhex("06082a8648ce3d030107")
AES_KEY = bytes.fromhex("41df5c691c56c3880d8e44c1ebf8e23b")

Sample = dict[int, AttributeValue]


def big_endian(value: int) -> bytes:
    return value.to_bytes(-(-value.bit_length() // 8), "big")


@cache
def rsa_key(bits: int = 1024) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_private_parts() -> Sample:
    numbers = rsa_key().private_numbers()
    return {
        CKA.MODULUS: big_endian(numbers.public_numbers.n),
        CKA.PUBLIC_EXPONENT: big_endian(numbers.public_numbers.e),
        CKA.PRIVATE_EXPONENT: big_endian(numbers.d),
        CKA.PRIME_1: big_endian(numbers.p),
        CKA.PRIME_2: big_endian(numbers.q),
        CKA.EXPONENT_1: big_endian(numbers.dmp1),
        CKA.EXPONENT_2: big_endian(numbers.dmq1),
        CKA.COEFFICIENT: big_endian(numbers.iqmp),
    }


def _rsa_public() -> Sample:
    return {part: rsa_private_parts()[part] for part in (CKA.MODULUS, CKA.PUBLIC_EXPONENT)}


def _ec_public() -> Sample:
    return {CKA.EC_PARAMS: P256, CKA.EC_POINT: encode_point(ec_key().public_key())}


def _ec_private() -> Sample:
    return {CKA.EC_PARAMS: P256, CKA.VALUE: ec_key().private_numbers().private_value.to_bytes(32, "big")}


SAMPLES: Mapping[str, Sample] = {
    "data": {CKA.CLASS: int(CKO.DATA), CKA.VALUE: b"some data"},
    "X.509 certificate": {
        CKA.CLASS: int(CKO.CERTIFICATE),
        CKA.CERTIFICATE_TYPE: int(CKC.X_509),
        CKA.SUBJECT: b"\x30\x00",
        CKA.VALUE: b"a certificate",
    },
    "RSA public key": {CKA.CLASS: int(CKO.PUBLIC_KEY), CKA.KEY_TYPE: int(CKK.RSA), **_rsa_public()},
    "EC public key": {CKA.CLASS: int(CKO.PUBLIC_KEY), CKA.KEY_TYPE: int(CKK.EC), **_ec_public()},
    "RSA private key": {CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(CKK.RSA), **rsa_private_parts()},
    "EC private key": {CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(CKK.EC), **_ec_private()},
    "secret key": {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.AES), CKA.VALUE: AES_KEY},
}
"""Decoded templates by the kind's name."""


def as_template(attributes: Mapping[int, AttributeValue]) -> Template:
    """Return attributes as they travel."""
    return tuple((int(kind), bytes(encode_value(kind, value))) for kind, value in attributes.items())


def sample(kind: ObjectKind | str, **changes: AttributeValue) -> Sample:
    """Return a kind's template with changes by attribute name (LABEL=b"…")."""
    name = kind if isinstance(kind, str) else kind.name
    return {**SAMPLES[name], **{CKA[attribute]: value for attribute, value in changes.items()}}
