# SPDX-License-Identifier: Apache-2.0
"""How mechanism parameters travel: for each mechanism that has one, which of OP-TEE's layouts it uses.

Integers are 32 bits, counted bytes are a 32-bit length and the bytes. A mechanism that is not in the table has no
parameter. The C library's table is generated from this one: only the application's process can follow the pointers in a
CK_MECHANISM's parameter, so a mechanism whose parameter is unknown here cannot be passed on.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from softee.names.generated.mechanisms import CKM


class MechanismLayout(Enum):
    """What a parameter is on the wire. The names are those of the C structures, without CK_ and _PARAMS."""

    BYTES = "the parameter's bytes as they are: an initialization vector"
    ULONG = "u32"
    AES_CTR = "u32 counter bits, counter block[16]"
    GCM = "counted IV, counted additional data, u32 tag bits"
    RSA_PKCS_PSS = "u32 hash mechanism, u32 mask generation function, u32 salt length"
    RSA_PKCS_OAEP = "u32 hash mechanism, u32 mask generation function, u32 source, counted source data"
    RSA_AES_KEY_WRAP = "u32 AES key bits, then as RSA_PKCS_OAEP"
    ECDH1_DERIVE = "u32 key derivation function, counted shared data, counted public data"
    EDDSA = "u32 pre-hash flag, counted context; both zero without a parameter"
    KEY_DERIVATION_STRING_DATA = "counted data"
    AES_CBC_ENCRYPT_DATA = "IV[16], counted data"


_ROWS: Mapping[MechanismLayout, tuple[CKM, ...]] = {
    MechanismLayout.BYTES: (CKM.AES_CBC, CKM.AES_CBC_PAD, CKM.AES_CTS),
    MechanismLayout.ULONG: (
        CKM.MD5_HMAC_GENERAL,
        CKM.SHA_1_HMAC_GENERAL,
        CKM.SHA224_HMAC_GENERAL,
        CKM.SHA256_HMAC_GENERAL,
        CKM.SHA384_HMAC_GENERAL,
        CKM.SHA512_HMAC_GENERAL,
        CKM.AES_CMAC_GENERAL,
    ),
    MechanismLayout.AES_CTR: (CKM.AES_CTR,),
    MechanismLayout.GCM: (CKM.AES_GCM,),
    MechanismLayout.RSA_PKCS_PSS: (
        CKM.RSA_PKCS_PSS,
        CKM.SHA1_RSA_PKCS_PSS,
        CKM.SHA224_RSA_PKCS_PSS,
        CKM.SHA256_RSA_PKCS_PSS,
        CKM.SHA384_RSA_PKCS_PSS,
        CKM.SHA512_RSA_PKCS_PSS,
    ),
    MechanismLayout.RSA_PKCS_OAEP: (CKM.RSA_PKCS_OAEP,),
    MechanismLayout.RSA_AES_KEY_WRAP: (CKM.RSA_AES_KEY_WRAP,),
    MechanismLayout.ECDH1_DERIVE: (CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE),
    MechanismLayout.EDDSA: (CKM.EDDSA,),
    MechanismLayout.KEY_DERIVATION_STRING_DATA: (CKM.AES_ECB_ENCRYPT_DATA,),
    MechanismLayout.AES_CBC_ENCRYPT_DATA: (CKM.AES_CBC_ENCRYPT_DATA,),
}

MECHANISM_LAYOUTS: Mapping[CKM, MechanismLayout] = MappingProxyType(
    {mechanism: layout for layout, mechanisms in _ROWS.items() for mechanism in mechanisms}
)
"""The layout of every mechanism that takes a parameter."""
