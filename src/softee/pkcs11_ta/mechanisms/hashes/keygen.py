# SPDX-License-Identifier: Apache-2.0
"""Generation of HMAC keys, each of its own type (PKCS#11 3.2, section 6, SHA-1 to BLAKE2B-512)."""

from softee.names import CKK, CKM
from softee.pkcs11_ta.mechanisms.shapes.generating import secret_of_any_size

SPECS = tuple(
    secret_of_any_size(mechanism, key_type)
    for mechanism, key_type in (
        (CKM.SHA_1_KEY_GEN, CKK.SHA_1_HMAC),
        (CKM.SHA224_KEY_GEN, CKK.SHA224_HMAC),
        (CKM.SHA256_KEY_GEN, CKK.SHA256_HMAC),
        (CKM.SHA384_KEY_GEN, CKK.SHA384_HMAC),
        (CKM.SHA512_KEY_GEN, CKK.SHA512_HMAC),
        (CKM.SHA512_224_KEY_GEN, CKK.SHA512_224_HMAC),
        (CKM.SHA512_256_KEY_GEN, CKK.SHA512_256_HMAC),
        (CKM.SHA3_224_KEY_GEN, CKK.SHA3_224_HMAC),
        (CKM.SHA3_256_KEY_GEN, CKK.SHA3_256_HMAC),
        (CKM.SHA3_384_KEY_GEN, CKK.SHA3_384_HMAC),
        (CKM.SHA3_512_KEY_GEN, CKK.SHA3_512_HMAC),
        (CKM.BLAKE2B_160_KEY_GEN, CKK.BLAKE2B_160_HMAC),
        (CKM.BLAKE2B_256_KEY_GEN, CKK.BLAKE2B_256_HMAC),
        (CKM.BLAKE2B_384_KEY_GEN, CKK.BLAKE2B_384_HMAC),
        (CKM.BLAKE2B_512_KEY_GEN, CKK.BLAKE2B_512_HMAC),
    )
)
