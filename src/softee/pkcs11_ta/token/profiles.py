# SPDX-License-Identifier: Apache-2.0
"""The profiles: the policies that a slot can have."""

from types import MappingProxyType
from typing import Final

from softee.names import CKM
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.objects.rules import NO_DEFAULTS
from softee.pkcs11_ta.token.policy import Policy

_DOCUMENTED = (
    CKM.SHA224_RSA_PKCS_PSS,
    CKM.SHA512_RSA_PKCS_PSS,
    CKM.SHA384_RSA_PKCS_PSS,
    CKM.SHA256_RSA_PKCS_PSS,
    CKM.SHA1_RSA_PKCS_PSS,
    CKM.RSA_PKCS_PSS,
    CKM.RSA_PKCS_OAEP,
    CKM.SHA224_RSA_PKCS,
    CKM.SHA512_RSA_PKCS,
    CKM.SHA384_RSA_PKCS,
    CKM.SHA256_RSA_PKCS,
    CKM.SHA1_RSA_PKCS,
    CKM.MD5_RSA_PKCS,
    CKM.RSA_PKCS,
    CKM.RSA_PKCS_KEY_PAIR_GEN,
    CKM.ECDSA_SHA512,
    CKM.ECDSA_SHA384,
    CKM.ECDSA_SHA256,
    CKM.ECDSA_SHA224,
    CKM.ECDSA_SHA1,
    CKM.ECDSA,
    CKM.EC_KEY_PAIR_GEN,
    CKM.SHA512_HMAC_GENERAL,
    CKM.SHA384_HMAC_GENERAL,
    CKM.SHA256_HMAC_GENERAL,
    CKM.SHA224_HMAC_GENERAL,
    CKM.SHA_1_HMAC_GENERAL,
    CKM.MD5_HMAC_GENERAL,
    CKM.SHA512_HMAC,
    CKM.SHA384_HMAC,
    CKM.SHA256_HMAC,
    CKM.SHA224_HMAC,
    CKM.SHA_1_HMAC,
    CKM.MD5_HMAC,
    CKM.SHA512,
    CKM.SHA384,
    CKM.SHA256,
    CKM.SHA224,
    CKM.SHA_1,
    CKM.MD5,
    CKM.GENERIC_SECRET_KEY_GEN,
    CKM.AES_KEY_GEN,
    CKM.AES_CMAC_GENERAL,
    CKM.AES_CMAC,
    CKM.AES_CTS,
    CKM.AES_CTR,
    CKM.AES_CBC_PAD,
    CKM.AES_CBC,
    CKM.AES_ECB,
)
"""Those of OP-TEE's documentation, in the order of its list."""

OPTEE: Final = Policy(
    "optee", MappingProxyType({mechanism: MECHANISMS[mechanism] for mechanism in _DOCUMENTED}), NO_DEFAULTS
)
"""What OP-TEE's token on a board does."""
