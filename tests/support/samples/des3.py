# SPDX-License-Identifier: Apache-2.0
"""Triple DES."""

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import u32
from support.samples.sample import MechanismSample, ObjectSample

DES3_KEY = bytes.fromhex("0123456789abcdef23456789abcdef01456789abcdef0123")
_IV = bytes(range(8))


def _key() -> KeyView:
    return keys.secret_key(DES3_KEY, CKK.DES3)


MECHANISMS = {
    CKM.DES3_KEY_GEN: MechanismSample(),
    CKM.DES3_ECB: MechanismSample(_key, multiple_of=8),
    CKM.DES3_CBC: MechanismSample(_key, _IV, multiple_of=8),
    CKM.DES3_CBC_PAD: MechanismSample(_key, _IV),
    CKM.DES3_CMAC: MechanismSample(_key),
    CKM.DES3_CMAC_GENERAL: MechanismSample(_key, u32(5)),
    CKM.DES3_MAC: MechanismSample(_key),
    CKM.DES3_MAC_GENERAL: MechanismSample(_key, u32(5)),
}

OBJECTS: dict[str, ObjectSample] = {
    "Triple DES key": {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.DES3), CKA.VALUE: DES3_KEY},
}
