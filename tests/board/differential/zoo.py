# SPDX-License-Identifier: Apache-2.0
"""Objects of every kind that both tokens have, made in the session that all cases share."""

import datetime as dt
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from board.differential.mechanisms import SHARED
from board.differential.script import Value, mechanism, template
from softee.names import CKA, CKC, CKK, CKM, CKO

SO_PIN = b"87654321"
PIN = b"123456"
LABEL = b"differential".ljust(32)
P256 = bytes.fromhex("06082a8648ce3d030107")
ED25519 = bytes.fromhex("06092b06010401da470f01")

Attributes = Mapping[CKA, Value]

SECRET_USES = (CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.WRAP, CKA.UNWRAP, CKA.DERIVE)
PUBLIC_USES = (CKA.ENCRYPT, CKA.VERIFY, CKA.WRAP, CKA.DERIVE)
PRIVATE_USES = (CKA.DECRYPT, CKA.SIGN, CKA.UNWRAP, CKA.DERIVE)

_RSA = rsa.generate_private_key(65537, 1024).private_numbers()  # noqa: S505 - a board takes its time for more
_EC = ec.derive_private_key(0xA5 << 248, ec.SECP256R1())  # of full size, as most are


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _point() -> bytes:
    point = _EC.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return bytes([4, len(point)]) + point


def secret(kind: CKK, value: bytes, *, uses: bool = True) -> Attributes:
    """A secret key that may be read and may do everything, or nothing."""
    protection: dict[CKA, Value] = {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
    about: dict[CKA, Value] = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: kind, CKA.TOKEN: False, CKA.VALUE: value}
    return {**about, **protection, **dict.fromkeys(SECRET_USES if uses else (), True)}


def _public(kind: CKK, parts: Attributes) -> Attributes:
    about: dict[CKA, Value] = {CKA.CLASS: CKO.PUBLIC_KEY, CKA.KEY_TYPE: kind, CKA.TOKEN: False, CKA.ID: b"\1"}
    return {**about, **parts, **dict.fromkeys(PUBLIC_USES, True)}


def _private(kind: CKK, parts: Attributes) -> Attributes:
    about: dict[CKA, Value] = {CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: kind, CKA.TOKEN: False, CKA.ID: b"\1"}
    protection: dict[CKA, Value] = {CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
    return {**about, **protection, **parts, **dict.fromkeys(PRIVATE_USES, True)}


def _certificate() -> Attributes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "differential")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, _EC.public_key(), 7, now, now + dt.timedelta(days=1))
        .sign(_EC, SHA256())
        .public_bytes(Encoding.DER)
    )
    return {
        CKA.CLASS: CKO.CERTIFICATE,
        CKA.CERTIFICATE_TYPE: CKC.X_509,
        CKA.TOKEN: False,
        CKA.SUBJECT: name.public_bytes(),
        CKA.VALUE: made,
    }


OBJECTS: Mapping[str, Attributes] = {
    "aes": secret(CKK.AES, bytes(range(16))),
    "aes-useless": secret(CKK.AES, bytes(range(16)), uses=False),
    "generic": secret(CKK.GENERIC_SECRET, bytes(range(32))),
    "generic-short": secret(CKK.GENERIC_SECRET, bytes(range(7))),
    "hmac-md5": secret(CKK.MD5_HMAC, bytes(range(32))),
    "hmac-sha1": secret(CKK.SHA_1_HMAC, bytes(range(32))),
    "hmac-sha224": secret(CKK.SHA224_HMAC, bytes(range(32))),
    "hmac-sha256": secret(CKK.SHA256_HMAC, bytes(range(32))),
    "hmac-sha384": secret(CKK.SHA384_HMAC, bytes(range(64))),
    "hmac-sha512": secret(CKK.SHA512_HMAC, bytes(range(64))),
    "ec-public": _public(CKK.EC, {CKA.EC_PARAMS: P256, CKA.EC_POINT: _point()}),
    "ec-private": _private(CKK.EC, {CKA.EC_PARAMS: P256, CKA.VALUE: _number(_EC.private_numbers().private_value)}),
    "rsa-public": _public(
        CKK.RSA,
        {CKA.MODULUS: _number(_RSA.public_numbers.n), CKA.PUBLIC_EXPONENT: _number(_RSA.public_numbers.e)},
    ),
    "rsa-private": _private(
        CKK.RSA,
        {
            CKA.MODULUS: _number(_RSA.public_numbers.n),
            CKA.PUBLIC_EXPONENT: _number(_RSA.public_numbers.e),
            CKA.PRIVATE_EXPONENT: _number(_RSA.d),
            CKA.PRIME_1: _number(_RSA.p),
            CKA.PRIME_2: _number(_RSA.q),
            CKA.EXPONENT_1: _number(_RSA.dmp1),
            CKA.EXPONENT_2: _number(_RSA.dmq1),
            CKA.COEFFICIENT: _number(_RSA.iqmp),
        },
    ),
    "data": {CKA.CLASS: CKO.DATA, CKA.TOKEN: False, CKA.LABEL: b"data", CKA.VALUE: b"some data"},
    "certificate": _certificate(),
}
"""One of each kind, by the name of what holds its handle."""

MADE = ("edwards-public", "edwards-private") if CKM.EDDSA in SHARED else ()
"""A pair that the token makes: OP-TEE does nothing with a private key that was given without its point."""

HANDLES = {name: f"$h{number}" for number, name in enumerate((*OBJECTS, *MADE))}
"""Where the scripts find them."""

KEYS = tuple(name for name in HANDLES if name not in ("data", "certificate"))


def text(data: bytes) -> str:
    """Bytes and their length, as two arguments."""
    return f"x:{data.hex()} {len(data)}"


def _make() -> str:
    public, private = _public(CKK.EC_EDWARDS, {CKA.EC_PARAMS: ED25519}), _private(CKK.EC_EDWARDS, {})
    templates = f"{template(public.items())} {template(private.items())}"
    handles = " ".join(f"&{HANDLES[name][1:]}" for name in MADE)
    return f"C_GenerateKeyPair $base {mechanism(CKM.EC_EDWARDS_KEY_PAIR_GEN)} {templates} {handles}"


SETUP = (
    "C_Initialize -",
    f"C_InitToken 0 {text(SO_PIN)} x:{LABEL.hex()}",
    "C_OpenSession 0 6 - - &base",
    f"C_Login $base 0 {text(SO_PIN)}",
    f"C_InitPIN $base {text(PIN)}",
    "C_Logout $base",
    f"C_Login $base 1 {text(PIN)}",
    *(
        f"C_CreateObject $base {template(attributes.items())} &{HANDLES[name][1:]}"
        for name, attributes in OBJECTS.items()
    ),
    *((_make(),) if MADE else ()),
)
"""A token with a user who is logged in, and the objects."""
