# SPDX-License-Identifier: Apache-2.0
"""Secret keys: their types."""

from typing import Final

from softee.names import CKK

SECRET_KEY_TYPES: Final = frozenset(
    {
        CKK.GENERIC_SECRET,
        CKK.AES,
        CKK.MD5_HMAC,
        CKK.SHA_1_HMAC,
        CKK.SHA224_HMAC,
        CKK.SHA256_HMAC,
        CKK.SHA384_HMAC,
        CKK.SHA512_HMAC,
    }
)
