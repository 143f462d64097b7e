# SPDX-License-Identifier: Apache-2.0
"""Elliptic curves: keys on P-256 and brainpoolP256r1, Edwards keys, Montgomery keys."""

from functools import cache, partial

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKD, CKK, CKM, CKO
from softee.pkcs11_ta.keys.curves import curve_name
from softee.pkcs11_ta.keys.ec import encode_point
from softee.pkcs11_ta.keys.octet_keys import OctetPrivateKey
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import u32
from support.samples.sample import MechanismSample, ObjectSample

P256 = bytes.fromhex("06082a8648ce3d030107")
BRAINPOOL_P256R1 = bytes.fromhex("06092b2403030208010107")
EDWARDS25519, EDWARDS448 = curve_name("edwards25519"), curve_name("edwards448")
CURVE25519, CURVE448 = curve_name("curve25519"), curve_name("curve448")


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec_key_on(ec.SECP256R1)


@cache
def ec_key_on(curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def octet_key(kind: type[OctetPrivateKey]) -> OctetPrivateKey:
    return kind.generate()


def _key() -> KeyView:
    return keys.private_key(ec_key())


def _octets(kind: type[OctetPrivateKey]) -> KeyView:
    return keys.private_key(octet_key(kind))


def eddsa_params(context: bytes = b"", *, prehash: bool = False) -> bytes:
    """Return CK_EDDSA_PARAMS as it travels."""
    return u32(prehash, len(context)) + context


def ecdh_params(public_data: bytes, kdf: int = CKD.NULL, shared_data: bytes = b"") -> bytes:
    """Return CK_ECDH1_DERIVE_PARAMS as it travels."""
    return u32(kdf, len(shared_data)) + shared_data + u32(len(public_data)) + public_data


def _point(curve: type[ec.EllipticCurve]) -> bytes:
    return ec_key_on(curve).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


_HASHED = (
    CKM.ECDSA_SHA1,
    CKM.ECDSA_SHA224,
    CKM.ECDSA_SHA256,
    CKM.ECDSA_SHA384,
    CKM.ECDSA_SHA512,
    CKM.ECDSA_SHA3_224,
    CKM.ECDSA_SHA3_256,
    CKM.ECDSA_SHA3_384,
    CKM.ECDSA_SHA3_512,
)
_ON_P256 = (
    MechanismSample(_key, ecdh_params(_point(ec.SECP256R1))),
    MechanismSample(_key, ecdh_params(_point(ec.SECP256R1), CKD.SHA256_KDF, b"shared")),
)

MECHANISMS = {
    CKM.EC_KEY_PAIR_GEN: MechanismSample(),
    CKM.ECDSA: MechanismSample(_key, shortest=1),
    **{mechanism: MechanismSample(_key) for mechanism in _HASHED},
    CKM.EC_EDWARDS_KEY_PAIR_GEN: MechanismSample(),
    CKM.EDDSA: tuple(
        MechanismSample(partial(_octets, kind), parameter)
        for kind in (Ed25519PrivateKey, Ed448PrivateKey)
        for parameter in (eddsa_params(), eddsa_params(b"context"), eddsa_params(prehash=True))
    ),
    CKM.EC_MONTGOMERY_KEY_PAIR_GEN: MechanismSample(),
    CKM.ECDH1_DERIVE: (
        *_ON_P256,
        *(
            MechanismSample(partial(_octets, kind), ecdh_params(octet_key(kind).public_key().public_bytes_raw()))
            for kind in (X25519PrivateKey, X448PrivateKey)
        ),
    ),
    CKM.ECDH1_COFACTOR_DERIVE: _ON_P256,
}


def _pair(curve: type[ec.EllipticCurve], params: bytes) -> tuple[ObjectSample, ObjectSample]:
    native = ec_key_on(curve)
    value = native.private_numbers().private_value.to_bytes(native.key_size // 8, "big")
    return (
        {**_of(CKO.PUBLIC_KEY, CKK.EC, params), CKA.EC_POINT: encode_point(native.public_key())},
        {**_of(CKO.PRIVATE_KEY, CKK.EC, params), CKA.VALUE: value},
    )


def _octet_pair(kind: type[OctetPrivateKey], number: CKK, params: bytes) -> tuple[ObjectSample, ObjectSample]:
    native = octet_key(kind)
    return (
        {**_of(CKO.PUBLIC_KEY, number, params), CKA.EC_POINT: native.public_key().public_bytes_raw()},
        {**_of(CKO.PRIVATE_KEY, number, params), CKA.VALUE: native.private_bytes_raw()},
    )


def _of(object_class: CKO, number: CKK, params: bytes) -> ObjectSample:
    return {CKA.CLASS: int(object_class), CKA.KEY_TYPE: int(number), CKA.EC_PARAMS: params}


_PAIRS = {
    ("EC", ""): _pair(ec.SECP256R1, P256),
    ("EC", " on brainpoolP256r1"): _pair(ec.BrainpoolP256R1, BRAINPOOL_P256R1),
    ("Edwards", ""): _octet_pair(Ed25519PrivateKey, CKK.EC_EDWARDS, EDWARDS25519),
    ("Edwards", " on edwards448"): _octet_pair(Ed448PrivateKey, CKK.EC_EDWARDS, EDWARDS448),
    ("Montgomery", ""): _octet_pair(X25519PrivateKey, CKK.EC_MONTGOMERY, CURVE25519),
    ("Montgomery", " on curve448"): _octet_pair(X448PrivateKey, CKK.EC_MONTGOMERY, CURVE448),
}

OBJECTS: dict[str, ObjectSample] = {
    f"{name} {half} key{where}": sample
    for (name, where), pair in _PAIRS.items()
    for half, sample in zip(("public", "private"), pair, strict=True)
}
