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
_HMACS = tuple(CKM[f"{digest.name}_HMAC"] for digest in _DIGESTS)
_GENERAL = tuple(CKM[f"{digest.name}_HMAC_GENERAL"] for digest in _DIGESTS)
_KEY_GENERATIONS = tuple(CKM[f"{digest.name}_KEY_GEN"] for digest in _DIGESTS if digest is not CKM.MD5)
_DERIVATIONS = tuple(
    CKM[f"{digest.name.replace('SHA_1', 'SHA1')}_KEY_{'DERIVE' if 'BLAKE' in digest.name else 'DERIVATION'}"]
    for digest in _DIGESTS
)


def _key() -> KeyView:
    return keys.secret_key(bytes(range(32)), CKK.GENERIC_SECRET)


MECHANISMS = {
    **{mechanism: MechanismSample() for mechanism in _DIGESTS},
    **{mechanism: MechanismSample(_key) for mechanism in _HMACS},
    **{mechanism: MechanismSample(_key, u32(9)) for mechanism in _GENERAL},
    **{mechanism: MechanismSample() for mechanism in _KEY_GENERATIONS},
    **{mechanism: MechanismSample(_key) for mechanism in _DERIVATIONS},
}

OBJECTS: dict[str, ObjectSample] = {}
