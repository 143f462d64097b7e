# SPDX-License-Identifier: Apache-2.0
"""AES."""

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.keys.view import KeyView
from support import keys
from support.mechanism_runs import ccm_params, gcm_params, u32
from support.samples.sample import MechanismSample, ObjectSample

AES_KEY = bytes.fromhex("41df5c691c56c3880d8e44c1ebf8e23b")
AES_XTS_KEY = bytes(range(64))
_IV = bytes(range(16))
_BROKEN_BLOCKS = (0, 1, 15, 17, 31)


def _key() -> KeyView:
    return keys.aes_key(bytes(range(32)))


def _xts_key() -> KeyView:
    return keys.secret_key(AES_XTS_KEY, CKK.AES_XTS)


_PADDED_KEY_WRAP = MechanismSample(_key, shortest=8, wraps=(8, 70), bad_wrapped=(0, 8, 16, 23, 25))

MECHANISMS = {
    CKM.AES_KEY_GEN: MechanismSample(),
    CKM.AES_CBC_ENCRYPT_DATA: MechanismSample(_key, _IV + u32(32) + bytes(32)),
    CKM.AES_ECB_ENCRYPT_DATA: MechanismSample(_key, u32(32) + bytes(32)),
    CKM.AES_ECB: MechanismSample(_key, multiple_of=16, filled_to=16, bad_wrapped=_BROKEN_BLOCKS),
    CKM.AES_CBC: MechanismSample(_key, _IV, multiple_of=16, filled_to=16, bad_wrapped=_BROKEN_BLOCKS),
    CKM.AES_CBC_PAD: MechanismSample(_key, _IV, bad_wrapped=_BROKEN_BLOCKS),
    CKM.AES_CTS: MechanismSample(_key, _IV, shortest=16),
    CKM.AES_CTR: MechanismSample(_key, u32(128) + _IV),
    CKM.AES_GCM: MechanismSample(_key, gcm_params(_IV[:12], b"aad"), bad_wrapped=(0, 1, 15, 16)),
    CKM.AES_KEY_WRAP: MechanismSample(
        _key, shortest=16, multiple_of=8, filled_to=8, wraps=(9, 70), bad_wrapped=(0, 8, 16, 23, 25)
    ),
    CKM.AES_KEY_WRAP_KWP: MechanismSample(_key, shortest=1, bad_wrapped=(0, 8, 15, 17)),
    CKM.AES_KEY_WRAP_PKCS7: _PADDED_KEY_WRAP,
    CKM.AES_KEY_WRAP_PAD: _PADDED_KEY_WRAP,
    CKM.AES_CCM: MechanismSample(_key, ccm_params(32, _IV[:12], b"aad"), shortest=32, longest=32),
    CKM.AES_GMAC: MechanismSample(_key, _IV[:12], parameter_ends=False),
    CKM.AES_XTS_KEY_GEN: MechanismSample(),
    CKM.AES_XTS: MechanismSample(_xts_key, _IV, shortest=16),
    CKM.AES_OFB: MechanismSample(_key, _IV),
    CKM.AES_CFB128: MechanismSample(_key, _IV),
    CKM.AES_CFB8: MechanismSample(_key, _IV),
    CKM.AES_CFB64: MechanismSample(_key, _IV),
    CKM.AES_MAC: MechanismSample(_key),
    CKM.AES_MAC_GENERAL: MechanismSample(_key, u32(9)),
    CKM.AES_CMAC: MechanismSample(_key),
    CKM.AES_CMAC_GENERAL: MechanismSample(_key, u32(9)),
}

OBJECTS: dict[str, ObjectSample] = {
    "AES key": {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.AES), CKA.VALUE: AES_KEY},
    "AES-XTS key": {CKA.CLASS: int(CKO.SECRET_KEY), CKA.KEY_TYPE: int(CKK.AES_XTS), CKA.VALUE: AES_XTS_KEY},
}
