# SPDX-License-Identifier: Apache-2.0
"""The keys of the benchmark: made once in a run, imported into each token, and used by the floor as well.

So every module works with the same keys, and none is faster for a key that it made itself.
"""

import secrets
from collections.abc import Mapping
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from softee.names import CKA, CKK, CKO

Template = Mapping[CKA, bytes]

YES, NO = b"\x01", b"\x00"
P256_PARAMS = bytes.fromhex("06082a8648ce3d030107")
_P384_PARAMS = bytes.fromhex("06052b81040022")
_ED25519_PARAMS = bytes.fromhex("06032b6570")


@cache
def p256() -> ec.EllipticCurvePrivateKey:
    """Return the run's P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def p384() -> ec.EllipticCurvePrivateKey:
    """Return the run's P-384 key."""
    return ec.generate_private_key(ec.SECP384R1())


@cache
def edwards() -> ed25519.Ed25519PrivateKey:
    """Return the run's Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """Return the run's RSA key of a size."""
    return rsa.generate_private_key(65537, bits)


@cache
def secret(size: int) -> bytes:
    """Return the run's secret of a size."""
    return secrets.token_bytes(size)


def p256_private() -> Template:
    """Return the P-256 key as an object."""
    return _ec_private(p256(), P256_PARAMS, 32)


def p256_public() -> Template:
    """Return the public P-256 key as an object."""
    point = p256().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    value = {CKA.EC_PARAMS: P256_PARAMS, CKA.EC_POINT: bytes([4, len(point)]) + point}
    return _key(CKO.PUBLIC_KEY, CKK.EC) | {CKA.VERIFY: YES} | value


def p384_private() -> Template:
    """Return the P-384 key as an object."""
    return _ec_private(p384(), _P384_PARAMS, 48)


def edwards_private() -> Template:
    """Return the Ed25519 key as an object."""
    value = edwards().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return _private(CKK.EC_EDWARDS) | {CKA.EC_PARAMS: _ED25519_PARAMS, CKA.VALUE: value}


def rsa_private(bits: int) -> Template:
    """Return an RSA key as an object."""
    numbers = rsa_key(bits).private_numbers()
    parts = {
        CKA.MODULUS: numbers.public_numbers.n,
        CKA.PUBLIC_EXPONENT: numbers.public_numbers.e,
        CKA.PRIVATE_EXPONENT: numbers.d,
        CKA.PRIME_1: numbers.p,
        CKA.PRIME_2: numbers.q,
        CKA.EXPONENT_1: numbers.dmp1,
        CKA.EXPONENT_2: numbers.dmq1,
        CKA.COEFFICIENT: numbers.iqmp,
    }
    return _private(CKK.RSA) | {name: _big(value) for name, value in parts.items()}


def rsa_public(bits: int) -> Template:
    """Return a public RSA key as an object."""
    numbers = rsa_key(bits).public_key().public_numbers()
    value = {CKA.MODULUS: _big(numbers.n), CKA.PUBLIC_EXPONENT: _big(numbers.e)}
    return _key(CKO.PUBLIC_KEY, CKK.RSA) | {CKA.VERIFY: YES} | value


def secret_key(kind: CKK, size: int, use: CKA) -> Template:
    """Return the secret of a size as a key for one use."""
    key = _key(CKO.SECRET_KEY, kind) | {CKA.PRIVATE: YES, CKA.SENSITIVE: YES}
    return key | {use: YES, CKA.VALUE: secret(size)}


def ulong(value: int) -> bytes:
    """Return a CK_ULONG as C has it."""
    return value.to_bytes(8, "little")


def _ec_private(key: ec.EllipticCurvePrivateKey, params: bytes, size: int) -> Template:
    value = key.private_numbers().private_value.to_bytes(size, "big")
    return _private(CKK.EC) | {CKA.EC_PARAMS: params, CKA.VALUE: value}


def _private(kind: CKK) -> dict[CKA, bytes]:
    return _key(CKO.PRIVATE_KEY, kind) | {CKA.PRIVATE: YES, CKA.SENSITIVE: YES, CKA.SIGN: YES}


def _key(of_class: CKO, kind: CKK) -> dict[CKA, bytes]:
    return {CKA.CLASS: ulong(of_class), CKA.KEY_TYPE: ulong(kind), CKA.TOKEN: NO}


def _big(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
