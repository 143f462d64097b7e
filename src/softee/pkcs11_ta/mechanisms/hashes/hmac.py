# SPDX-License-Identifier: Apache-2.0
"""HMAC with every hash function, whole and truncated (PKCS#11 3.2, section 6, SHA-1 to BLAKE2B-512; RFC 2104).

A generic secret may be used with every one of them. Keys shorter than OP-TEE takes are refused by the mechanisms that
OP-TEE has; the others take any. Longer keys than are listed are used as RFC 2104 says, as OP-TEE does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from softee.names import CKK, CKM
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.shapes import hash_functions as h
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import Hashing
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac, general, whole


@dataclass(frozen=True, slots=True)
class _Row:
    whole: CKM
    general: CKM
    hash: Hashing
    key_type: CKK
    shortest_key: int = 1
    longest_key: int = 128

    def mac(self) -> Mac:
        return Mac(
            begin=self.hash.begin_hmac,
            size=self.hash.size,
            key_types=frozenset({CKK.GENERIC_SECRET, self.key_type}),
            key_size=SizeRange(self.shortest_key, self.longest_key, takes_larger=True),
            hashes=frozenset({self.hash.mechanism}),
        )


_ROWS = (
    _Row(CKM.SHA512_HMAC, CKM.SHA512_HMAC_GENERAL, h.SHA512, CKK.SHA512_HMAC, 32, 128),
    _Row(CKM.SHA384_HMAC, CKM.SHA384_HMAC_GENERAL, h.SHA384, CKK.SHA384_HMAC, 32, 128),
    _Row(CKM.SHA256_HMAC, CKM.SHA256_HMAC_GENERAL, h.SHA256, CKK.SHA256_HMAC, 24, 128),
    _Row(CKM.SHA224_HMAC, CKM.SHA224_HMAC_GENERAL, h.SHA224, CKK.SHA224_HMAC, 14, 64),
    _Row(CKM.SHA_1_HMAC, CKM.SHA_1_HMAC_GENERAL, h.SHA1, CKK.SHA_1_HMAC, 10, 64),
    _Row(CKM.MD5_HMAC, CKM.MD5_HMAC_GENERAL, h.MD5, CKK.MD5_HMAC, 8, 64),
    _Row(CKM.SHA512_256_HMAC, CKM.SHA512_256_HMAC_GENERAL, h.SHA512_256, CKK.SHA512_256_HMAC),
    _Row(CKM.SHA512_224_HMAC, CKM.SHA512_224_HMAC_GENERAL, h.SHA512_224, CKK.SHA512_224_HMAC),
    _Row(CKM.SHA3_512_HMAC, CKM.SHA3_512_HMAC_GENERAL, h.SHA3_512, CKK.SHA3_512_HMAC),
    _Row(CKM.SHA3_384_HMAC, CKM.SHA3_384_HMAC_GENERAL, h.SHA3_384, CKK.SHA3_384_HMAC),
    _Row(CKM.SHA3_256_HMAC, CKM.SHA3_256_HMAC_GENERAL, h.SHA3_256, CKK.SHA3_256_HMAC),
    _Row(CKM.SHA3_224_HMAC, CKM.SHA3_224_HMAC_GENERAL, h.SHA3_224, CKK.SHA3_224_HMAC),
    _Row(CKM.BLAKE2B_512_HMAC, CKM.BLAKE2B_512_HMAC_GENERAL, h.BLAKE2B_512, CKK.BLAKE2B_512_HMAC),
    _Row(CKM.BLAKE2B_384_HMAC, CKM.BLAKE2B_384_HMAC_GENERAL, h.BLAKE2B_384, CKK.BLAKE2B_384_HMAC),
    _Row(CKM.BLAKE2B_256_HMAC, CKM.BLAKE2B_256_HMAC_GENERAL, h.BLAKE2B_256, CKK.BLAKE2B_256_HMAC),
    _Row(CKM.BLAKE2B_160_HMAC, CKM.BLAKE2B_160_HMAC_GENERAL, h.BLAKE2B_160, CKK.BLAKE2B_160_HMAC),
)

MACS: Final[Mapping[int, Mac]] = MappingProxyType({row.whole: row.mac() for row in _ROWS})
"""By mechanism, for derivations that are made of them."""

SPECS = (
    *(general(row.general, row.mac()) for row in _ROWS),
    *(whole(row.whole, row.mac()) for row in _ROWS),
)
