# SPDX-License-Identifier: Apache-2.0
"""The profiles: the policies that a slot can have."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from softee.names import CKA, CKK, CKM, CKO
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.ec import EC
from softee.pkcs11_ta.keys.edwards import EDWARDS
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms import hash_based
from softee.pkcs11_ta.mechanisms.aes import encrypt_data
from softee.pkcs11_ta.mechanisms.ec import ecdh
from softee.pkcs11_ta.mechanisms.functions import Ciphering, Functions, Messaging, Recovering, Signing, Wrapping
from softee.pkcs11_ta.mechanisms.rsa import raw
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HASHINGS
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.objects.policy import OPTEE_OBJECTS, ObjectPolicy
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.policy import Policy

_OPTEE_MECHANISMS = (
    CKM.SHA224_RSA_PKCS_PSS,
    CKM.SHA224_RSA_PKCS,
    CKM.SHA512_RSA_PKCS_PSS,
    CKM.SHA384_RSA_PKCS_PSS,
    CKM.SHA256_RSA_PKCS_PSS,
    CKM.SHA512_RSA_PKCS,
    CKM.SHA384_RSA_PKCS,
    CKM.SHA256_RSA_PKCS,
    CKM.SHA1_RSA_PKCS_PSS,
    CKM.RSA_PKCS_OAEP,
    CKM.SHA1_RSA_PKCS,
    CKM.MD5_RSA_PKCS,
    CKM.RSA_PKCS_PSS,
    CKM.RSA_X_509,
    CKM.RSA_PKCS,
    CKM.RSA_PKCS_KEY_PAIR_GEN,
    CKM.RSA_AES_KEY_WRAP,
    CKM.EDDSA,
    CKM.ECDSA_SHA512,
    CKM.ECDSA_SHA384,
    CKM.ECDSA_SHA256,
    CKM.ECDSA_SHA224,
    CKM.ECDSA_SHA1,
    CKM.ECDSA,
    CKM.EC_EDWARDS_KEY_PAIR_GEN,
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
    CKM.ECDH1_DERIVE,
    CKM.AES_CBC_ENCRYPT_DATA,
    CKM.AES_ECB_ENCRYPT_DATA,
    CKM.AES_CMAC_GENERAL,
    CKM.AES_CMAC,
    CKM.AES_CTS,
    CKM.AES_GCM,
    CKM.AES_CTR,
    CKM.AES_CBC_PAD,
    CKM.AES_CBC,
    CKM.AES_ECB,
)
"""Those that OP-TEE 4.10 lists, in its order, and CKM_AES_CBC_PAD, which its documentation has."""

_OPTEE_FUNCTIONS: Mapping[CKM, tuple[type[Functions[Any]], ...]] = {
    CKM.RSA_PKCS: (Ciphering, Signing),
    CKM.RSA_X_509: (Ciphering, Signing),
    CKM.RSA_PKCS_OAEP: (Ciphering,),
    CKM.AES_CBC_PAD: (Ciphering,),
    CKM.AES_GCM: (Ciphering, Wrapping),
}
"""What these do there; the others do all that they do here."""

_AS_OPTEE: Mapping[CKM, AnyMechanism] = {
    spec.mechanism: spec for module in (ecdh, encrypt_data, raw) for spec in module.AS_OPTEE
}
"""Those that do it otherwise there."""

_OPTEE_CURVES = frozenset[bytes]().union(
    *(EC.curves[name] for name in ("P-192", "P-224", "P-256", "P-384", "P-521")), EDWARDS.curves["Ed25519"]
)

OFF_BY_DEFAULT = frozenset(
    {
        CKM.RSA_X_509,
        CKM.CONCATENATE_BASE_AND_KEY,
        CKM.CONCATENATE_BASE_AND_DATA,
        CKM.CONCATENATE_DATA_AND_BASE,
        CKM.XOR_BASE_AND_DATA,
        CKM.EXTRACT_KEY_FROM_KEY,
        CKM.POLY1305_KEY_GEN,
        CKM.POLY1305,
        CKM.DES3_KEY_GEN,
        CKM.DES3_ECB,
        CKM.DES3_CBC,
        CKM.DES3_CBC_PAD,
        CKM.DES3_MAC,
        CKM.DES3_MAC_GENERAL,
        CKM.DES3_CMAC,
        CKM.DES3_CMAC_GENERAL,
        *(spec.mechanism for spec in hash_based.SPECS),
    }
)
"""What attacks are built of, is obsolete, or stops all clients while it signs. A token has it where its settings add it
(``added_mechanisms``)."""

_OFF_IN_STRICT = frozenset(
    {
        CKM.MD5,
        CKM.MD5_HMAC,
        CKM.MD5_HMAC_GENERAL,
        CKM.MD5_RSA_PKCS,
        CKM.MD5_KEY_DERIVATION,
        CKM.SHA_1,
        CKM.SHA_1_HMAC,
        CKM.SHA_1_HMAC_GENERAL,
        CKM.SHA_1_KEY_GEN,
        CKM.SHA1_KEY_DERIVATION,
        CKM.SHA1_RSA_PKCS,
        CKM.SHA1_RSA_PKCS_PSS,
        CKM.ECDSA_SHA1,
        CKM.AES_ECB,
        CKM.AES_MAC,
        CKM.AES_MAC_GENERAL,
        CKM.AES_CBC_ENCRYPT_DATA,
        CKM.AES_ECB_ENCRYPT_DATA,
    }
)
"""What is weak. The last two encrypt under another name: with a key that also wraps or unwraps, by turns."""

_STRICT_FUNCTIONS: Mapping[CKM, tuple[type[Functions[Any]], ...]] = {
    CKM.RSA_PKCS: (Signing, Recovering),
    CKM.AES_GCM: (Ciphering, Messaging),
    CKM.AES_CCM: (Ciphering, Messaging),
}
"""What these do in strict. PKCS#1 v1.5 does not encrypt; and whoever wraps a key of his own with GCM, with the
initialization vector by which another key was wrapped, has that one too: their difference is the ciphertexts'. So has
whoever encrypts with the same key, where the token has made the vector."""

_PROTECTED: Mapping[CKA, AttributeValue] = {CKA.PRIVATE: True, CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}
_PROTECTED_DEFAULTS = MappingProxyType({CKO.PRIVATE_KEY: _PROTECTED, CKO.SECRET_KEY: _PROTECTED})


def _with_functions(
    mechanisms: Mapping[CKM, AnyMechanism], wanted: Mapping[CKM, tuple[type[Functions[Any]], ...]]
) -> Mapping[CKM, AnyMechanism]:
    """Return mechanisms, those in ``wanted`` with the groups of functions that stand there alone."""
    return MappingProxyType(
        {
            mechanism: replace(spec, functions=tuple(spec.of(group) for group in wanted[mechanism]))
            if mechanism in wanted
            else spec
            for mechanism, spec in mechanisms.items()
        }
    )


_ON_A_BOARD = _with_functions(
    {
        mechanism: _AS_OPTEE.get(mechanism, MECHANISMS[mechanism])
        for mechanism in _OPTEE_MECHANISMS
        if mechanism in MECHANISMS
    },
    _OPTEE_FUNCTIONS,
)
_BY_DEFAULT = MappingProxyType(
    {mechanism: spec for mechanism, spec in MECHANISMS.items() if mechanism not in OFF_BY_DEFAULT}
)

OPTEE: Final = Policy(
    name="optee",
    mechanisms=_ON_A_BOARD,
    objects=OPTEE_OBJECTS,
    curves=_OPTEE_CURVES,
    refused_hashes=frozenset(hashing.mechanism for hashing in HASHINGS).difference(_OPTEE_MECHANISMS),
)
"""What OP-TEE's token on a board does."""

PORTABLE: Final = Policy(
    name="portable",
    mechanisms=_BY_DEFAULT,
    objects=ObjectPolicy(defaults=_PROTECTED_DEFAULTS, usable=True),
)
"""What programs written for other tokens count on; the standard's answers. The default."""

STRICT: Final = changed(
    replace(
        PORTABLE,
        name="strict",
        mechanisms=_with_functions(_BY_DEFAULT, _STRICT_FUNCTIONS),
    ),
    PolicyChanges(
        refused=_OFF_IN_STRICT,
        key_sizes={CKK.RSA: SizeRange(2048, 4096), CKK.EC: SizeRange(224, 521), CKK.EC_MONTGOMERY: SizeRange(256, 448)},
        apart=True,
        check_values=False,
        digests_keys=False,
        malleable_wrapping=False,
    ),
)
"""As portable, less what is weak."""

PROFILES: Mapping[str, Policy] = MappingProxyType({policy.name: policy for policy in (PORTABLE, OPTEE, STRICT)})
