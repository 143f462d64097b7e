# SPDX-License-Identifier: Apache-2.0
"""AES-GMAC: AES-GCM that authenticates and encrypts nothing (PKCS#11 3.2, section 6, AES-GMAC; NIST SP 800-38D).

The parameter is the initialization vector, the MAC is the whole tag of 16 bytes.
"""

from softee.names import CKM
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.aes.cipher import BLOCK, KEY_SIZE, KEY_TYPES
from softee.pkcs11_ta.mechanisms.aes.gcm import check_iv
from softee.pkcs11_ta.mechanisms.aes.gcm_library import Encryptor, GcmParams, encryptor
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.shapes.mac import MacSign, MacVerify
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec


class _Gmac:
    """GCM at work, under the names that MACs have."""

    __slots__ = ("_context",)

    def __init__(self, context: Encryptor) -> None:
        self._context = context

    def update(self, data: bytes | bytearray, /) -> None:
        """Take a part of the data."""
        self._context.authenticate(data)

    def finalize(self) -> bytes:
        """Return the tag."""
        return self._context.end()


def _begin(key: KeyView, iv: bytes) -> _Gmac:
    return _Gmac(encryptor(key.secret(), GcmParams(iv, b"", BLOCK)))


SPECS = (
    MechanismSpec(
        mechanism=CKM.AES_GMAC,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=check_iv,
        functions=(
            Signing(
                sign=lambda key, iv: MacSign(_begin(key, iv), BLOCK),
                verify=lambda key, iv: MacVerify(_begin(key, iv), BLOCK),
                size=lambda _key, _iv: BLOCK,
            ),
        ),
    ),
)
