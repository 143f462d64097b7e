# SPDX-License-Identifier: Apache-2.0
"""How attribute values are converted between an application and the wire.

A CK_ULONG has the size of the application's long; on the wire it is 32 bits. An attribute that is not in this table is
a string of bytes and travels as it is (booleans, dates, big integers, names). The C library's table is generated from
this one. The PKCS#11 application has codecs of its own, which also say what values are good (pkcs11_ta/attributes); a
test holds that the two agree. The kinds are those of PKCS#11 3.2, sections 4 and 6.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from softee.names.generated.attributes import CKA


class AttributeKind(Enum):
    """What the value of an attribute is made of."""

    BYTES = "bytes, the same on both sides"
    ULONG = "one CK_ULONG"
    ULONG_LIST = "an array of CK_ULONG (mechanism types and the like)"
    TEMPLATE = "an array of CK_ATTRIBUTE"


OPTEE_ULONGS = frozenset(
    {
        CKA.CLASS,
        CKA.CERTIFICATE_TYPE,
        CKA.CERTIFICATE_CATEGORY,
        CKA.NAME_HASH_ALGORITHM,
        CKA.KEY_TYPE,
        CKA.HW_FEATURE_TYPE,
        CKA.MECHANISM_TYPE,
        CKA.KEY_GEN_MECHANISM,
        CKA.VALUE_LEN,
        CKA.MODULUS_BITS,
    }
)
"""The ulongs that OP-TEE's own client library converts. It sends the others as they lie in memory: 8 bytes, or 4."""

ULONGS = OPTEE_ULONGS | {
    CKA.JAVA_MIDP_SECURITY_DOMAIN,
    CKA.PRIME_BITS,
    CKA.SUB_PRIME_BITS,
    CKA.VALUE_BITS,
    CKA.AUTH_PIN_FLAGS,
    CKA.OTP_FORMAT,
    CKA.OTP_LENGTH,
    CKA.OTP_TIME_INTERVAL,
    CKA.OTP_CHALLENGE_REQUIREMENT,
    CKA.OTP_TIME_REQUIREMENT,
    CKA.OTP_COUNTER_REQUIREMENT,
    CKA.OTP_PIN_REQUIREMENT,
    CKA.PIXEL_X,
    CKA.PIXEL_Y,
    CKA.RESOLUTION,
    CKA.CHAR_ROWS,
    CKA.CHAR_COLUMNS,
    CKA.BITS_PER_PIXEL,
    CKA.PROFILE_ID,
    CKA.X2RATCHET_BAGSIZE,
    CKA.X2RATCHET_NR,
    CKA.X2RATCHET_NS,
    CKA.X2RATCHET_PNS,
    CKA.HSS_LEVELS,
    CKA.HSS_LMS_TYPE,
    CKA.HSS_LMOTS_TYPE,
    CKA.HSS_KEYS_REMAINING,
    CKA.PARAMETER_SET,
    CKA.OBJECT_VALIDATION_FLAGS,
    CKA.VALIDATION_TYPE,
    CKA.VALIDATION_LEVEL,
    CKA.VALIDATION_FLAG,
    CKA.VALIDATION_AUTHORITY_TYPE,
    CKA.TRUST_SERVER_AUTH,
    CKA.TRUST_CLIENT_AUTH,
    CKA.TRUST_CODE_SIGNING,
    CKA.TRUST_EMAIL_PROTECTION,
    CKA.TRUST_IPSEC_IKE,
    CKA.TRUST_TIME_STAMPING,
    CKA.TRUST_OCSP_SIGNING,
}
"""All attributes that are one CK_ULONG."""

ULONG_LISTS = frozenset({CKA.ALLOWED_MECHANISMS, CKA.HSS_LMS_TYPES, CKA.HSS_LMOTS_TYPES})
"""Attributes that are an array of CK_ULONG."""

TEMPLATES = frozenset(
    {
        CKA.WRAP_TEMPLATE,
        CKA.UNWRAP_TEMPLATE,
        CKA.DERIVE_TEMPLATE,
        CKA.ENCAPSULATE_TEMPLATE,
        CKA.DECAPSULATE_TEMPLATE,
    }
)
"""Attributes that hold attributes."""

ATTRIBUTE_KINDS: Mapping[CKA, AttributeKind] = MappingProxyType(
    {
        **dict.fromkeys(ULONGS, AttributeKind.ULONG),
        **dict.fromkeys(ULONG_LISTS, AttributeKind.ULONG_LIST),
        **dict.fromkeys(TEMPLATES, AttributeKind.TEMPLATE),
    }
)
"""The kind of every attribute that is not plain bytes."""
