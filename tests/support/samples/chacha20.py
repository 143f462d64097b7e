# SPDX-License-Identifier: Apache-2.0
"""ChaCha20 and Poly1305: counters and nonces of all sizes."""

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import aead_params, chacha20_params
from support.samples.sample import MechanismSample, ObjectSample

_VALUE = bytes(range(1, 33))
_NONCE = bytes(range(12))


def _key() -> KeyView:
    return keys.secret_key(_VALUE, CKK.CHACHA20)


def _mac_key() -> KeyView:
    return keys.secret_key(_VALUE, CKK.POLY1305)


MECHANISMS: dict[CKM, MechanismSample | tuple[MechanismSample, ...]] = {
    CKM.CHACHA20_KEY_GEN: MechanismSample(),
    CKM.CHACHA20: tuple(
        MechanismSample(_key, chacha20_params(b"\x01".ljust(counter, b"\0"), _NONCE[:nonce]))
        for counter, nonce in ((4, 12), (8, 8), (4, 8))
    ),
    CKM.CHACHA20_POLY1305: MechanismSample(_key, aead_params(_NONCE, b"aad")),
    CKM.POLY1305_KEY_GEN: MechanismSample(),
    CKM.POLY1305: MechanismSample(_mac_key),
}

OBJECTS: dict[str, ObjectSample] = {
    "ChaCha20 key": {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.CHACHA20), CKA.VALUE: _VALUE},
    "Poly1305 key": {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.POLY1305), CKA.VALUE: _VALUE},
}
