# SPDX-License-Identifier: Apache-2.0
"""HMAC with MD5, SHA-1 and SHA-2, whole and truncated (PKCS#11 3.2, section 6, SHA-1 to SHA-512; RFC 2104).

A generic secret may be used with every one of them. Keys shorter than OP-TEE takes are refused; longer ones than it
lists are used as RFC 2104 says, as OP-TEE does.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hmac import HMAC

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import MD5, SHA1, SHA224, SHA256, SHA384, SHA512, HashFunction
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, MacContext, general, whole


@dataclass(frozen=True, slots=True)
class _Row:
    whole: CKM
    general: CKM
    hash: HashFunction
    key_type: CKK
    shortest_key: int
    longest_key: int

    def mac(self) -> Mac:
        algorithm = self.hash.algorithm

        def begin(secret: bytes | bytearray) -> MacContext:
            return HMAC(secret, algorithm)

        return Mac(
            begin=begin,
            size=self.hash.size,
            key_types=frozenset({CKK.GENERIC_SECRET, self.key_type}),
            key_size=SizeRange(self.shortest_key, self.longest_key, takes_larger=True),
        )


_ROWS = (
    _Row(CKM.SHA512_HMAC, CKM.SHA512_HMAC_GENERAL, SHA512, CKK.SHA512_HMAC, 32, 128),
    _Row(CKM.SHA384_HMAC, CKM.SHA384_HMAC_GENERAL, SHA384, CKK.SHA384_HMAC, 32, 128),
    _Row(CKM.SHA256_HMAC, CKM.SHA256_HMAC_GENERAL, SHA256, CKK.SHA256_HMAC, 24, 128),
    _Row(CKM.SHA224_HMAC, CKM.SHA224_HMAC_GENERAL, SHA224, CKK.SHA224_HMAC, 14, 64),
    _Row(CKM.SHA_1_HMAC, CKM.SHA_1_HMAC_GENERAL, SHA1, CKK.SHA_1_HMAC, 10, 64),
    _Row(CKM.MD5_HMAC, CKM.MD5_HMAC_GENERAL, MD5, CKK.MD5_HMAC, 8, 64),
)

SPECS = (
    *(general(row.general, row.mac()) for row in _ROWS),
    *(whole(row.whole, row.mac()) for row in _ROWS),
)
