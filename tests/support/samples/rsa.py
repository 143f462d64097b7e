# SPDX-License-Identifier: Apache-2.0
"""RSA: keys of 1024 bits, which are quick to make, and what fits into them."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from softee.names import CKA, CKG, CKK, CKM, CKO
from softee.pkcs11_ta.keys.rsa import private_parts, public_parts
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import u32
from support.samples.sample import MechanismSample, ObjectSample

_SHA1_PSS = u32(CKM.SHA_1, CKG.MGF1_SHA1, 20)
_OAEP = u32(CKM.SHA256, CKG.MGF1_SHA256, 1, 5) + b"label"
_PARAMETERS = {
    CKM.SHA1_RSA_PKCS_PSS: _SHA1_PSS,
    CKM.SHA224_RSA_PKCS_PSS: u32(CKM.SHA224, CKG.MGF1_SHA224, 28),
    CKM.SHA256_RSA_PKCS_PSS: u32(CKM.SHA256, CKG.MGF1_SHA256, 32),
    CKM.SHA384_RSA_PKCS_PSS: u32(CKM.SHA384, CKG.MGF1_SHA384, 48),
    CKM.SHA512_RSA_PKCS_PSS: u32(CKM.SHA512, CKG.MGF1_SHA512, 62),
    CKM.SHA3_224_RSA_PKCS_PSS: u32(CKM.SHA3_224, CKG.MGF1_SHA3_224, 28),
    CKM.SHA3_256_RSA_PKCS_PSS: u32(CKM.SHA3_256, CKG.MGF1_SHA3_256, 32),
    CKM.SHA3_384_RSA_PKCS_PSS: u32(CKM.SHA3_384, CKG.MGF1_SHA3_384, 48),
    CKM.SHA3_512_RSA_PKCS_PSS: u32(CKM.SHA3_512, CKG.MGF1_SHA3_512, 62),
}
_HASHED = (
    CKM.MD5_RSA_PKCS,
    CKM.SHA1_RSA_PKCS,
    CKM.SHA224_RSA_PKCS,
    CKM.SHA256_RSA_PKCS,
    CKM.SHA384_RSA_PKCS,
    CKM.SHA512_RSA_PKCS,
    CKM.SHA3_224_RSA_PKCS,
    CKM.SHA3_256_RSA_PKCS,
    CKM.SHA3_384_RSA_PKCS,
    CKM.SHA3_512_RSA_PKCS,
)


@cache
def rsa_key(bits: int = 1024) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def _key() -> KeyView:
    return keys.private_key(rsa_key())


MECHANISMS = {
    CKM.RSA_PKCS_KEY_PAIR_GEN: MechanismSample(),
    CKM.RSA_PKCS: MechanismSample(_key, longest=117, deterministic=False, bad_wrapped=(0, 1, 127, 129)),
    CKM.RSA_X_509: MechanismSample(_key, begins=b"\0", shortest=128, longest=128, recovers_any=True),
    CKM.RSA_PKCS_PSS: MechanismSample(_key, _SHA1_PSS, shortest=20, longest=20),
    CKM.RSA_PKCS_OAEP: MechanismSample(
        _key, _OAEP, longest=62, deterministic=False, wraps=(1, 62), bad_wrapped=(0, 1, 127, 129)
    ),
    CKM.RSA_AES_KEY_WRAP: MechanismSample(_key, u32(256) + _OAEP, bad_wrapped=(0, 128, 136, 143, 145)),
    **{mechanism: MechanismSample(_key) for mechanism in _HASHED},
    **{mechanism: MechanismSample(_key, parameter) for mechanism, parameter in _PARAMETERS.items()},
}


def rsa_private_parts() -> ObjectSample:
    parts = private_parts(rsa_key())
    return {part: bytes(value) for part, value in parts.items() if isinstance(value, bytes | bytearray)}


OBJECTS: dict[str, ObjectSample] = {
    "RSA public key": {
        CKA.CLASS: int(CKO.PUBLIC_KEY),
        CKA.KEY_TYPE: int(CKK.RSA),
        **public_parts(rsa_key().public_key()),
    },
    "RSA private key": {CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(CKK.RSA), **rsa_private_parts()},
}
