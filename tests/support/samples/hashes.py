# SPDX-License-Identifier: Apache-2.0
"""Digests and HMACs."""

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import u32
from support.samples.sample import MechanismSample, ObjectSample

_DIGESTS = (
    CKM.MD5,
    CKM.SHA_1,
    CKM.SHA224,
    CKM.SHA256,
    CKM.SHA384,
    CKM.SHA512,
    CKM.SHA512_224,
    CKM.SHA512_256,
    CKM.SHA3_224,
    CKM.SHA3_256,
    CKM.SHA3_384,
    CKM.SHA3_512,
    CKM.BLAKE2B_160,
    CKM.BLAKE2B_256,
    CKM.BLAKE2B_384,
    CKM.BLAKE2B_512,
)
_HMACS = (CKM.MD5_HMAC, CKM.SHA_1_HMAC, CKM.SHA224_HMAC, CKM.SHA256_HMAC, CKM.SHA384_HMAC, CKM.SHA512_HMAC)
_GENERAL = (
    CKM.MD5_HMAC_GENERAL,
    CKM.SHA_1_HMAC_GENERAL,
    CKM.SHA224_HMAC_GENERAL,
    CKM.SHA256_HMAC_GENERAL,
    CKM.SHA384_HMAC_GENERAL,
    CKM.SHA512_HMAC_GENERAL,
)


def _key() -> KeyView:
    return keys.secret_key(bytes(range(32)), CKK.GENERIC_SECRET)


MECHANISMS = {
    **{mechanism: MechanismSample() for mechanism in _DIGESTS},
    **{mechanism: MechanismSample(_key) for mechanism in _HMACS},
    **{mechanism: MechanismSample(_key, u32(9)) for mechanism in _GENERAL},
}

OBJECTS: dict[str, ObjectSample] = {}
