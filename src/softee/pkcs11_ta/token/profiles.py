# SPDX-License-Identifier: Apache-2.0
"""The profiles: the policies that a slot can have."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Functions, Wrapping
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.objects.policy import APART, OPTEE_OBJECTS, ObjectPolicy
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

_OFF_IN_STRICT = frozenset(
    {
        CKM.MD5,
        CKM.MD5_HMAC,
        CKM.MD5_HMAC_GENERAL,
        CKM.MD5_RSA_PKCS,
        CKM.SHA_1,
        CKM.SHA_1_HMAC,
        CKM.SHA_1_HMAC_GENERAL,
        CKM.SHA1_RSA_PKCS,
        CKM.SHA1_RSA_PKCS_PSS,
        CKM.ECDSA_SHA1,
        CKM.AES_ECB,
    }
)

_LESS_IN_STRICT: Mapping[CKM, type[Functions[Any]]] = {CKM.RSA_PKCS: Ciphering, CKM.AES_CBC: Wrapping}
"""Mechanisms that do less: PKCS#1 v1.5 does not encrypt; CBC, which does not vouch for its content, does not wrap."""

_PROTECTED: Mapping[CKA, AttributeValue] = {CKA.PRIVATE: True, CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}
_PROTECTED_DEFAULTS = MappingProxyType({CKO.PRIVATE_KEY: _PROTECTED, CKO.SECRET_KEY: _PROTECTED})


def _strict_mechanisms() -> Mapping[CKM, AnyMechanism]:
    allowed = {number: spec for number, spec in MECHANISMS.items() if number not in _OFF_IN_STRICT}
    for number, group in _LESS_IN_STRICT.items():
        rest = tuple(functions for functions in allowed[number].functions if not isinstance(functions, group))
        allowed[number] = replace(allowed[number], functions=rest)
    return MappingProxyType(allowed)


OPTEE: Final = Policy(
    name="optee",
    mechanisms=MappingProxyType({mechanism: MECHANISMS[mechanism] for mechanism in _DOCUMENTED}),
    objects=OPTEE_OBJECTS,
)
"""What OP-TEE's token on a board does."""

PORTABLE: Final = Policy(
    name="portable",
    mechanisms=MECHANISMS,
    objects=ObjectPolicy(defaults=_PROTECTED_DEFAULTS, usable=True),
)
"""What programs written for other tokens count on; the standard's answers. The default."""

STRICT: Final = Policy(
    name="strict",
    mechanisms=_strict_mechanisms(),
    objects=ObjectPolicy(defaults=_PROTECTED_DEFAULTS, usable=True, apart=APART, check_values=False),
    key_sizes=MappingProxyType({CKK.RSA: SizeRange(2048, 4096), CKK.EC: SizeRange(224, 521)}),
    digests_keys=False,
)
"""As portable, less what is weak."""

PROFILES: Mapping[str, Policy] = MappingProxyType({policy.name: policy for policy in (PORTABLE, OPTEE, STRICT)})
