# SPDX-License-Identifier: Apache-2.0
"""Elliptic curves: keys on P-256."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.keys.ec import encode_point
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.samples.sample import MechanismSample, ObjectSample

P256 = bytes.fromhex("06082a8648ce3d030107")


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _key() -> KeyView:
    return keys.private_key(ec_key())


_HASHED = (CKM.ECDSA_SHA1, CKM.ECDSA_SHA224, CKM.ECDSA_SHA256, CKM.ECDSA_SHA384, CKM.ECDSA_SHA512)

MECHANISMS = {
    CKM.EC_KEY_PAIR_GEN: MechanismSample(),
    CKM.ECDSA: MechanismSample(_key, shortest=1),
    **{mechanism: MechanismSample(_key) for mechanism in _HASHED},
}

OBJECTS: dict[str, ObjectSample] = {
    "EC public key": {
        CKA.CLASS: int(CKO.PUBLIC_KEY),
        CKA.KEY_TYPE: int(CKK.EC),
        CKA.EC_PARAMS: P256,
        CKA.EC_POINT: encode_point(ec_key().public_key()),
    },
    "EC private key": {
        CKA.CLASS: int(CKO.PRIVATE_KEY),
        CKA.KEY_TYPE: int(CKK.EC),
        CKA.EC_PARAMS: P256,
        CKA.VALUE: ec_key().private_numbers().private_value.to_bytes(32, "big"),
    },
}
