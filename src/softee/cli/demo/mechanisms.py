# SPDX-License-Identifier: Apache-2.0
"""The mechanisms that OP-TEE's documentation lists, with their key sizes and functions, in its order."""

from collections.abc import Mapping

from softee.names import CKM, MechanismFlag

Sizes = tuple[int, int] | None
"""The smallest and the largest key; None where no size is shown."""

_SIGN = MechanismFlag.SIGN | MechanismFlag.VERIFY
_CRYPT = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
_WRAP = MechanismFlag.WRAP | MechanismFlag.UNWRAP
_RSA, _EC, _AES = (256, 4096), (160, 521), (16, 32)

_ROWS: tuple[tuple[str, Sizes, MechanismFlag], ...] = (
    ("SHA224_RSA_PKCS_PSS", _RSA, _SIGN),
    ("SHA224_RSA_PKCS", _RSA, _SIGN),
    ("SHA512_RSA_PKCS_PSS", _RSA, _SIGN),
    ("SHA384_RSA_PKCS_PSS", _RSA, _SIGN),
    ("SHA256_RSA_PKCS_PSS", _RSA, _SIGN),
    ("SHA512_RSA_PKCS", _RSA, _SIGN),
    ("SHA384_RSA_PKCS", _RSA, _SIGN),
    ("SHA256_RSA_PKCS", _RSA, _SIGN),
    ("SHA1_RSA_PKCS_PSS", _RSA, _SIGN),
    ("RSA_PKCS_OAEP", _RSA, _CRYPT),
    ("SHA1_RSA_PKCS", _RSA, _SIGN),
    ("MD5_RSA_PKCS", _RSA, _SIGN),
    ("RSA_PKCS_PSS", None, _SIGN),
    ("RSA_PKCS", _RSA, _CRYPT | _SIGN),
    ("RSA_PKCS_KEY_PAIR_GEN", _RSA, MechanismFlag.GENERATE_KEY_PAIR),
    ("ECDSA_SHA512", _EC, _SIGN),
    ("ECDSA_SHA384", _EC, _SIGN),
    ("ECDSA_SHA256", _EC, _SIGN),
    ("ECDSA_SHA224", _EC, _SIGN),
    ("ECDSA_SHA1", _EC, _SIGN),
    ("ECDSA", _EC, _SIGN),
    ("EC_KEY_PAIR_GEN", _EC, MechanismFlag.GENERATE_KEY_PAIR),
    ("SHA512_HMAC_GENERAL", (32, 128), _SIGN),
    ("SHA384_HMAC_GENERAL", (32, 128), _SIGN),
    ("SHA256_HMAC_GENERAL", (24, 128), _SIGN),
    ("SHA224_HMAC_GENERAL", (14, 64), _SIGN),
    ("SHA_1_HMAC_GENERAL", (10, 64), _SIGN),
    ("MD5_HMAC_GENERAL", (8, 64), _SIGN),
    ("SHA512_HMAC", (32, 128), _SIGN),
    ("SHA384_HMAC", (32, 128), _SIGN),
    ("SHA256_HMAC", (24, 128), _SIGN),
    ("SHA224_HMAC", (14, 64), _SIGN),
    ("SHA_1_HMAC", (10, 64), _SIGN),
    ("MD5_HMAC", (8, 64), _SIGN),
    ("SHA512", None, MechanismFlag.DIGEST),
    ("SHA384", None, MechanismFlag.DIGEST),
    ("SHA256", None, MechanismFlag.DIGEST),
    ("SHA224", None, MechanismFlag.DIGEST),
    ("SHA_1", None, MechanismFlag.DIGEST),
    ("MD5", None, MechanismFlag.DIGEST),
    ("GENERIC_SECRET_KEY_GEN", (1, 4096), MechanismFlag.GENERATE),
    ("AES_KEY_GEN", _AES, MechanismFlag.GENERATE),
    ("AES_CMAC_GENERAL", _AES, _SIGN),
    ("AES_CMAC", _AES, _SIGN),
    ("AES_CTS", _AES, _CRYPT),
    ("AES_CTR", _AES, _CRYPT),
    ("AES_CBC_PAD", _AES, _CRYPT),
    ("AES_CBC", _AES, _CRYPT | _WRAP),
    ("AES_ECB", _AES, _CRYPT | _WRAP),
)

DOCUMENTED: Mapping[CKM, tuple[Sizes, MechanismFlag]] = {CKM[name]: (sizes, use) for name, sizes, use in _ROWS}
"""The 49 mechanisms, as ``pkcs11-tool --list-mechanisms`` prints them in the documentation."""

OFFERED: Mapping[CKM, tuple[Sizes, MechanismFlag]] = {
    **DOCUMENTED,
    CKM["RSA_PKCS_KEY_PAIR_GEN"]: ((1024, 4096), MechanismFlag.GENERATE_KEY_PAIR),
}
"""The same as softee offers them: it generates no RSA keys below 1024 bits, which nobody should use."""
