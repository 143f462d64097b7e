# SPDX-License-Identifier: Apache-2.0
"""How mechanism parameters travel: one statement of each, from which the C library and the application both read.

A layout names the members of the application's structure in the order in which they travel, and how each does. Only the
application's process can follow the pointers in a CK_MECHANISM's parameter, so a mechanism whose parameter has no
layout cannot be passed on. The layouts of OP-TEE's mechanisms are OP-TEE's; integers are 32 bits, little endian.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from softee.names.generated.mechanisms import CKM
from softee.names.generated.parameters import PrfDataType

BLOCK_SIZE = 16


class Form(Enum):
    """How a member of a structure travels."""

    WHOLE = "the parameter's bytes as they are"
    ULONG = "u32"
    FLAG = "u32, of a CK_BBOOL"
    BLOCK = "16 bytes"
    COUNTED = "u32 size, bytes"
    COUNTED_BITS = "u32 size, bytes, of a size that programs give in bits"
    COUNTED_EITHER = "u32 size, bytes, of a size that programs give in bytes, or from 64 on in bits"
    COUNTED_BY = "u32 size, bytes, of a size that older programs point to"
    CHOSEN = "u32 size, what its type says: bytes, or the members of a structure"
    LIST = "u32 count, so many structures' members"
    STRUCTURE = "the members of the structure that it points to"
    POINTED = "u32, whether it points anywhere"


class Use(Enum):
    """What a mechanism's parameter is for. Functions on messages have structures of their own for some mechanisms."""

    OPERATION = "C_*Init, C_GenerateKey, C_DeriveKey, C_WrapKey and the like"
    MESSAGE = "C_*Message and the like"


@dataclass(frozen=True, slots=True)
class Member:
    """A member, by its name in C; ``RandomInfo.pClientRandom`` is one of a structure that is a member itself.

    ``length`` is the member that says how many bytes a counted one points to, or how many structures of ``layout`` a
    list has. ``choices`` are the layouts of what a chosen one points to, by the value of the
    member ``selector``; what has none there is bytes.
    """

    name: str
    form: Form
    length: str = ""
    layout: "Layout | None" = None
    selector: str = ""
    choices: "tuple[tuple[int, Layout], ...]" = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """A parameter. ``structure`` is its type in C, "" where it is bytes of any size.

    ``optional``: no parameter at all means a structure of zeros.
    """

    structure: str
    members: tuple[Member, ...]
    optional: bool = False

    def described(self) -> str:
        """Return the layout in words, for the protocol's page."""
        return ", ".join(_described(member) for member in self.members)


def _described(member: Member) -> str:
    if member.form is Form.LIST and member.layout is not None:
        return f"{member.name}: {member.form.value} ({member.layout.described()})"
    if member.layout is not None:
        return member.layout.described()
    return f"{member.name}: {member.form.value}" if member.name else member.form.value


def _ulong(name: str) -> Member:
    return Member(name, Form.ULONG)


def _counted(name: str, length: str) -> Member:
    return Member(name, Form.COUNTED, length)


BYTES = Layout("", (Member("", Form.WHOLE),))
"""An initialization vector."""

MAC_GENERAL = Layout("CK_MAC_GENERAL_PARAMS", (Member("", Form.ULONG),))
"""How many bytes of a MAC are wanted."""

AES_CTR = Layout("CK_AES_CTR_PARAMS", (_ulong("ulCounterBits"), Member("cb", Form.BLOCK)))
GCM = Layout("CK_GCM_PARAMS", (_counted("pIv", "ulIvLen"), _counted("pAAD", "ulAADLen"), _ulong("ulTagBits")))
CCM = Layout(
    "CK_CCM_PARAMS",
    (_ulong("ulDataLen"), _counted("pNonce", "ulNonceLen"), _counted("pAAD", "ulAADLen"), _ulong("ulMACLen")),
)
GCM_MESSAGE = Layout(
    "CK_GCM_MESSAGE_PARAMS",
    (_counted("pIv", "ulIvLen"), _ulong("ulIvFixedBits"), _ulong("ivGenerator"), _ulong("ulTagBits")),
)
"""The tags of messages travel apart: those that come out have no bytes yet."""
CCM_MESSAGE = Layout(
    "CK_CCM_MESSAGE_PARAMS",
    (
        _ulong("ulDataLen"),
        _counted("pNonce", "ulNonceLen"),
        _ulong("ulNonceFixedBits"),
        _ulong("nonceGenerator"),
        _ulong("ulMACLen"),
    ),
)
RSA_PKCS_PSS = Layout("CK_RSA_PKCS_PSS_PARAMS", (_ulong("hashAlg"), _ulong("mgf"), _ulong("sLen")))
RSA_PKCS_OAEP = Layout(
    "CK_RSA_PKCS_OAEP_PARAMS",
    (_ulong("hashAlg"), _ulong("mgf"), _ulong("source"), _counted("pSourceData", "ulSourceDataLen")),
)
RSA_AES_KEY_WRAP = Layout(
    "CK_RSA_AES_KEY_WRAP_PARAMS",
    (_ulong("ulAESKeyBits"), Member("pOAEPParams", Form.STRUCTURE, layout=RSA_PKCS_OAEP)),
)
ECDH1_DERIVE = Layout(
    "CK_ECDH1_DERIVE_PARAMS",
    (_ulong("kdf"), _counted("pSharedData", "ulSharedDataLen"), _counted("pPublicData", "ulPublicDataLen")),
)
EDDSA = Layout(
    "CK_EDDSA_PARAMS",
    (Member("phFlag", Form.FLAG), _counted("pContextData", "ulContextDataLen")),
    optional=True,
)
SIGN_ADDITIONAL_CONTEXT = Layout(
    "CK_SIGN_ADDITIONAL_CONTEXT", (_ulong("hedgeVariant"), _counted("pContext", "ulContextLen")), optional=True
)
HASH_SIGN_ADDITIONAL_CONTEXT = Layout(
    "CK_HASH_SIGN_ADDITIONAL_CONTEXT",
    (_ulong("hedgeVariant"), _counted("pContext", "ulContextLen"), _ulong("hash")),
)
KEY_DERIVATION_STRING_DATA = Layout("CK_KEY_DERIVATION_STRING_DATA", (_counted("pData", "ulLen"),))
AES_CBC_ENCRYPT_DATA = Layout("CK_AES_CBC_ENCRYPT_DATA_PARAMS", (Member("iv", Form.BLOCK), _counted("pData", "length")))

HKDF = Layout(
    "CK_HKDF_PARAMS",
    (
        Member("bExtract", Form.FLAG),
        Member("bExpand", Form.FLAG),
        _ulong("prfHashMechanism"),
        _ulong("ulSaltType"),
        _counted("pSalt", "ulSaltLen"),
        _ulong("hSaltKey"),
        _counted("pInfo", "ulInfoLen"),
    ),
)
_COUNTER_FORMAT = Layout("CK_SP800_108_COUNTER_FORMAT", (Member("bLittleEndian", Form.FLAG), _ulong("ulWidthInBits")))
_DKM_LENGTH_FORMAT = Layout(
    "CK_SP800_108_DKM_LENGTH_FORMAT",
    (_ulong("dkmLengthMethod"), Member("bLittleEndian", Form.FLAG), _ulong("ulWidthInBits")),
)
EXTRACT = Layout("CK_EXTRACT_PARAMS", (Member("", Form.ULONG),))
"""The first bit that is wanted."""
OBJECT_HANDLE = Layout("CK_OBJECT_HANDLE", (Member("", Form.ULONG),))
_PRF_DATA = Layout(
    "CK_PRF_DATA_PARAM",
    (
        _ulong("type"),
        Member(
            "pValue",
            Form.CHOSEN,
            "ulValueLen",
            selector="type",
            choices=(
                (PrfDataType.SP800_108_ITERATION_VARIABLE, _COUNTER_FORMAT),
                (PrfDataType.SP800_108_COUNTER, _COUNTER_FORMAT),
                (PrfDataType.SP800_108_DKM_LENGTH, _DKM_LENGTH_FORMAT),
                (PrfDataType.SP800_108_KEY_HANDLE, OBJECT_HANDLE),
            ),
        ),
    ),
)
_PRF_DATA_LIST = Member("pDataParams", Form.LIST, "ulNumberOfDataParams", _PRF_DATA)
SP800_108_KDF = Layout(
    "CK_SP800_108_KDF_PARAMS", (_ulong("prfType"), _PRF_DATA_LIST, _ulong("ulAdditionalDerivedKeys"))
)
SP800_108_FEEDBACK_KDF = Layout(
    "CK_SP800_108_FEEDBACK_KDF_PARAMS",
    (_ulong("prfType"), _PRF_DATA_LIST, _counted("pIV", "ulIVLen"), _ulong("ulAdditionalDerivedKeys")),
)
PKCS5_PBKD2 = Layout(
    "CK_PKCS5_PBKD2_PARAMS2",
    (
        _ulong("saltSource"),
        _counted("pSaltSourceData", "ulSaltSourceDataLen"),
        _ulong("iterations"),
        _ulong("prf"),
        _counted("pPrfData", "ulPrfDataLen"),
        Member("pPassword", Form.COUNTED_BY, "ulPasswordLen"),
    ),
)
"""CK_PKCS5_PBKD2_PARAMS is as large, and has a pointer to the password's length where this one has the length."""

_RANDOMS = (
    _counted("RandomInfo.pClientRandom", "RandomInfo.ulClientRandomLen"),
    _counted("RandomInfo.pServerRandom", "RandomInfo.ulServerRandomLen"),
)
_VERSION = Member("pVersion", Form.POINTED)
TLS12_MASTER_KEY_DERIVE = Layout("CK_TLS12_MASTER_KEY_DERIVE_PARAMS", (*_RANDOMS, _VERSION, _ulong("prfHashMechanism")))
TLS12_EXTENDED_MASTER_KEY_DERIVE = Layout(
    "CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS",
    (_ulong("prfHashMechanism"), _counted("pSessionHash", "ulSessionHashLen"), _VERSION),
)
TLS12_KEY_MAT = Layout(
    "CK_TLS12_KEY_MAT_PARAMS",
    (
        _ulong("ulMacSizeInBits"),
        _ulong("ulKeySizeInBits"),
        _ulong("ulIVSizeInBits"),
        Member("bIsExport", Form.FLAG),
        *_RANDOMS,
        _ulong("prfHashMechanism"),
    ),
)
"""What pReturnedKeyMaterial points to is filled in by the C library."""

TLS_KDF = Layout(
    "CK_TLS_KDF_PARAMS",
    (
        _ulong("prfMechanism"),
        _counted("pLabel", "ulLabelLength"),
        *_RANDOMS,
        _counted("pContextData", "ulContextDataLength"),
    ),
)
TLS_MAC = Layout("CK_TLS_MAC_PARAMS", (_ulong("prfHashMechanism"), _ulong("ulMacLength"), _ulong("ulServerOrClient")))
CHACHA20 = Layout(
    "CK_CHACHA20_PARAMS",
    (
        Member("pBlockCounter", Form.COUNTED_BITS, "blockCounterBits"),
        Member("pNonce", Form.COUNTED_BITS, "ulNonceBits"),
    ),
)
CHACHA20_POLY1305 = Layout(
    "CK_SALSA20_CHACHA20_POLY1305_PARAMS",
    (Member("pNonce", Form.COUNTED_EITHER, "ulNonceLen"), _counted("pAAD", "ulAADLen")),
)
"""The standard says that the nonce's length is in bits: 64, 96 or 192. Most programs give it in bytes."""
CHACHA20_POLY1305_MESSAGE = Layout(
    "CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS", (Member("pNonce", Form.COUNTED_EITHER, "ulNonceLen"),)
)

_OPERATIONS: tuple[tuple[Layout, tuple[CKM, ...]], ...] = (
    (
        BYTES,
        (
            CKM.AES_CBC,
            CKM.AES_CBC_PAD,
            CKM.AES_CTS,
            CKM.AES_KEY_WRAP,
            CKM.AES_KEY_WRAP_KWP,
            CKM.AES_KEY_WRAP_PKCS7,
            CKM.AES_KEY_WRAP_PAD,
            CKM.AES_GMAC,
            CKM.AES_XTS,
            CKM.AES_OFB,
            CKM.AES_CFB128,
            CKM.AES_CFB8,
            CKM.AES_CFB64,
            CKM.DH_PKCS_DERIVE,
            CKM.TLS_PRE_MASTER_KEY_GEN,
            CKM.DES3_CBC,
            CKM.DES3_CBC_PAD,
        ),
    ),
    (
        MAC_GENERAL,
        (
            CKM.MD5_HMAC_GENERAL,
            CKM.SHA_1_HMAC_GENERAL,
            CKM.SHA224_HMAC_GENERAL,
            CKM.SHA256_HMAC_GENERAL,
            CKM.SHA384_HMAC_GENERAL,
            CKM.SHA512_HMAC_GENERAL,
            CKM.SHA512_224_HMAC_GENERAL,
            CKM.SHA512_256_HMAC_GENERAL,
            CKM.SHA3_224_HMAC_GENERAL,
            CKM.SHA3_256_HMAC_GENERAL,
            CKM.SHA3_384_HMAC_GENERAL,
            CKM.SHA3_512_HMAC_GENERAL,
            CKM.BLAKE2B_160_HMAC_GENERAL,
            CKM.BLAKE2B_256_HMAC_GENERAL,
            CKM.BLAKE2B_384_HMAC_GENERAL,
            CKM.BLAKE2B_512_HMAC_GENERAL,
            CKM.AES_CMAC_GENERAL,
            CKM.AES_MAC_GENERAL,
            CKM.DES3_CMAC_GENERAL,
            CKM.DES3_MAC_GENERAL,
        ),
    ),
    (AES_CTR, (CKM.AES_CTR,)),
    (GCM, (CKM.AES_GCM,)),
    (CCM, (CKM.AES_CCM,)),
    (
        RSA_PKCS_PSS,
        (
            CKM.RSA_PKCS_PSS,
            CKM.SHA1_RSA_PKCS_PSS,
            CKM.SHA224_RSA_PKCS_PSS,
            CKM.SHA256_RSA_PKCS_PSS,
            CKM.SHA384_RSA_PKCS_PSS,
            CKM.SHA512_RSA_PKCS_PSS,
            CKM.SHA3_224_RSA_PKCS_PSS,
            CKM.SHA3_256_RSA_PKCS_PSS,
            CKM.SHA3_384_RSA_PKCS_PSS,
            CKM.SHA3_512_RSA_PKCS_PSS,
        ),
    ),
    (RSA_PKCS_OAEP, (CKM.RSA_PKCS_OAEP,)),
    (RSA_AES_KEY_WRAP, (CKM.RSA_AES_KEY_WRAP,)),
    (ECDH1_DERIVE, (CKM.ECDH1_DERIVE, CKM.ECDH1_COFACTOR_DERIVE)),
    (EDDSA, (CKM.EDDSA,)),
    (
        SIGN_ADDITIONAL_CONTEXT,
        (
            CKM.ML_DSA,
            CKM.HASH_ML_DSA_SHA224,
            CKM.HASH_ML_DSA_SHA256,
            CKM.HASH_ML_DSA_SHA384,
            CKM.HASH_ML_DSA_SHA512,
            CKM.HASH_ML_DSA_SHA3_224,
            CKM.HASH_ML_DSA_SHA3_256,
            CKM.HASH_ML_DSA_SHA3_384,
            CKM.HASH_ML_DSA_SHA3_512,
            CKM.HASH_ML_DSA_SHAKE128,
            CKM.HASH_ML_DSA_SHAKE256,
            CKM.SLH_DSA,
            CKM.HASH_SLH_DSA_SHA224,
            CKM.HASH_SLH_DSA_SHA256,
            CKM.HASH_SLH_DSA_SHA384,
            CKM.HASH_SLH_DSA_SHA512,
            CKM.HASH_SLH_DSA_SHA3_224,
            CKM.HASH_SLH_DSA_SHA3_256,
            CKM.HASH_SLH_DSA_SHA3_384,
            CKM.HASH_SLH_DSA_SHA3_512,
            CKM.HASH_SLH_DSA_SHAKE128,
            CKM.HASH_SLH_DSA_SHAKE256,
        ),
    ),
    (HASH_SIGN_ADDITIONAL_CONTEXT, (CKM.HASH_ML_DSA,)),
    (
        KEY_DERIVATION_STRING_DATA,
        (
            CKM.AES_ECB_ENCRYPT_DATA,
            CKM.CONCATENATE_BASE_AND_DATA,
            CKM.CONCATENATE_DATA_AND_BASE,
            CKM.XOR_BASE_AND_DATA,
        ),
    ),
    (OBJECT_HANDLE, (CKM.CONCATENATE_BASE_AND_KEY,)),
    (EXTRACT, (CKM.EXTRACT_KEY_FROM_KEY,)),
    (AES_CBC_ENCRYPT_DATA, (CKM.AES_CBC_ENCRYPT_DATA,)),
    (HKDF, (CKM.HKDF_DERIVE, CKM.HKDF_DATA)),
    (SP800_108_KDF, (CKM.SP800_108_COUNTER_KDF, CKM.SP800_108_DOUBLE_PIPELINE_KDF)),
    (SP800_108_FEEDBACK_KDF, (CKM.SP800_108_FEEDBACK_KDF,)),
    (PKCS5_PBKD2, (CKM.PKCS5_PBKD2,)),
    (TLS12_MASTER_KEY_DERIVE, (CKM.TLS12_MASTER_KEY_DERIVE, CKM.TLS12_MASTER_KEY_DERIVE_DH)),
    (
        TLS12_EXTENDED_MASTER_KEY_DERIVE,
        (CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH),
    ),
    (TLS12_KEY_MAT, (CKM.TLS12_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_SAFE_DERIVE)),
    (TLS_KDF, (CKM.TLS_KDF, CKM.TLS12_KDF)),
    (TLS_MAC, (CKM.TLS_MAC, CKM.TLS12_MAC)),
    (CHACHA20, (CKM.CHACHA20,)),
    (CHACHA20_POLY1305, (CKM.CHACHA20_POLY1305,)),
)

_MESSAGES: Mapping[CKM, Layout] = {
    CKM.AES_GCM: GCM_MESSAGE,
    CKM.AES_CCM: CCM_MESSAGE,
    CKM.CHACHA20_POLY1305: CHACHA20_POLY1305_MESSAGE,
}

LAYOUTS: Mapping[tuple[CKM, Use], Layout] = MappingProxyType(
    {
        **{(mechanism, Use.OPERATION): layout for layout, mechanisms in _OPERATIONS for mechanism in mechanisms},
        **{(mechanism, Use.MESSAGE): layout for mechanism, layout in _MESSAGES.items()},
    }
)
"""The layout of every mechanism that takes a parameter, by use."""

NOTHING = Layout("", ())
"""That of a mechanism that takes none."""
