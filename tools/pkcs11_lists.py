# SPDX-License-Identifier: Apache-2.0
"""Which of the standard's lists each constant belongs to, and which name stands for a number that has two.

The standard's prefixes do not tell: CKP_ML_DSA_44, CKP_ML_KEM_512 and CKP_BASELINE_PROVIDER are all 1, of three types.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class NameList:
    """One list, which becomes an enum: the constants that begin with ``prefix`` and match one of ``patterns``."""

    name: str
    prefix: str
    text: str
    patterns: str = "*"
    flags: bool = False

    def has(self, name: str) -> bool:
        """Tell whether a name, without its prefix, is in the list."""
        return any(fnmatchcase(name, pattern) for pattern in self.patterns.split())


@dataclass(frozen=True, slots=True)
class Module:
    """One module of names, with its docstring and its lists."""

    name: str
    text: str
    lists: tuple[NameList, ...]


ATTRIBUTES = Module(
    "attributes",
    "Attribute types.",
    (
        NameList("CKA", "CKA", "Attribute types (CK_ATTRIBUTE_TYPE); unknown ones stay plain ints."),
        NameList("AttributeFlag", "CKF", "Bits of attribute types.", "ARRAY_ATTRIBUTE", flags=True),
    ),
)

FLAGS = Module(
    "flags",
    "Flag words (CKF_*), each of which has its own meaning for a bit.",
    (
        NameList("SlotFlag", "CKF", "CK_SLOT_INFO.flags.", "TOKEN_PRESENT REMOVABLE_DEVICE HW_SLOT", flags=True),
        NameList(
            "TokenFlag",
            "CKF",
            "CK_TOKEN_INFO.flags.",
            "RNG WRITE_PROTECTED LOGIN_REQUIRED USER_PIN_* RESTORE_KEY_NOT_NEEDED CLOCK_ON_TOKEN "
            "PROTECTED_AUTHENTICATION_PATH DUAL_CRYPTO_OPERATIONS TOKEN_INITIALIZED SECONDARY_AUTHENTICATION "
            "SO_PIN_* ERROR_STATE SEED_RANDOM_REQUIRED ASYNC_SESSION_SUPPORTED",
            flags=True,
        ),
        NameList(
            "SessionFlag",
            "CKF",
            "C_OpenSession's flags and CK_SESSION_INFO.flags.",
            "RW_SESSION SERIAL_SESSION ASYNC_SESSION",
            flags=True,
        ),
        NameList(
            "MechanismFlag",
            "CKF",
            "CK_MECHANISM_INFO.flags.",
            "HW MESSAGE_* MULTI_MESS* FIND_OBJECTS ENCRYPT DECRYPT DIGEST SIGN SIGN_RECOVER VERIFY VERIFY_RECOVER "
            "GENERATE GENERATE_KEY_PAIR WRAP UNWRAP DERIVE EC_* ENCAPSULATE DECAPSULATE EXTENSION",
            flags=True,
        ),
        NameList(
            "InitializeFlag",
            "CKF",
            "CK_C_INITIALIZE_ARGS.flags.",
            "LIBRARY_CANT_CREATE_OS_THREADS OS_LOCKING_OK",
            flags=True,
        ),
        NameList("InterfaceFlag", "CKF", "CK_INTERFACE.flags.", "INTERFACE_*", flags=True),
        NameList("MessageFlag", "CKF", "The flags of C_EncryptMessageNext and its like.", "END_OF_MESSAGE", flags=True),
        NameList("WaitFlag", "CKF", "C_WaitForSlotEvent's flags.", "DONT_BLOCK", flags=True),
        NameList("OtpFlag", "CKF", "The value of CK_OTP_FLAGS.", "NEXT_OTP EXCLUDE_* USER_FRIENDLY_OTP", flags=True),
        NameList(
            "SessionValidationFlag",
            "CKS",
            "C_GetSessionValidationFlags' types (CK_SESSION_VALIDATION_FLAGS_TYPE).",
            "LAST_VALIDATION_OK",
        ),
    ),
)

MECHANISMS = Module(
    "mechanisms",
    "Mechanism types.",
    (NameList("CKM", "CKM", "Mechanism types (CK_MECHANISM_TYPE); unknown ones stay plain ints."),),
)

OBJECTS = Module(
    "objects",
    "Kinds of objects, and what the values of their attributes name.",
    (
        NameList("CKO", "CKO", "Object classes (CK_OBJECT_CLASS)."),
        NameList("CKK", "CKK", "Key types (CK_KEY_TYPE)."),
        NameList("CKC", "CKC", "Certificate types (CK_CERTIFICATE_TYPE)."),
        NameList(
            "CertificateCategory", "CK", "Certificate categories (CK_CERTIFICATE_CATEGORY).", "CERTIFICATE_CATEGORY_*"
        ),
        NameList("SecurityDomain", "CK", "Java MIDP's security domains.", "SECURITY_DOMAIN_*"),
        NameList(
            "CKH",
            "CKH",
            "Hardware feature types (CK_HW_FEATURE_TYPE).",
            "MONOTONIC_COUNTER CLOCK USER_INTERFACE VENDOR_DEFINED",
        ),
        NameList("OtpFormat", "CK", "CKA_OTP_FORMAT's values.", "OTP_FORMAT_*"),
        NameList("OtpRequirement", "CK", "The values of CKA_OTP_*_REQUIREMENT.", "OTP_PARAM_*"),
        NameList(
            "CKP",
            "CKP",
            "Profiles (CK_PROFILE_ID).",
            "INVALID_ID *_PROVIDER AUTHENTICATION_TOKEN PUBLIC_CERTIFICATES_TOKEN HKDF_TLS_TOKEN VENDOR_DEFINED",
        ),
        NameList("MlDsaParameterSet", "CKP", "CKA_PARAMETER_SET of ML-DSA keys.", "ML_DSA_*"),
        NameList("MlKemParameterSet", "CKP", "CKA_PARAMETER_SET of ML-KEM keys.", "ML_KEM_*"),
        NameList("SlhDsaParameterSet", "CKP", "CKA_PARAMETER_SET of SLH-DSA keys.", "SLH_DSA_*"),
        NameList("CKT", "CKT", "How far a certificate is trusted (CK_TRUST)."),
        NameList("ValidationType", "CKV", "What was validated (CK_VALIDATION_TYPE).", "TYPE_*"),
        NameList("ValidationAuthority", "CKV", "Who validated it (CK_VALIDATION_AUTHORITY_TYPE).", "AUTHORITY_TYPE_*"),
    ),
)

PARAMETERS = Module(
    "parameters",
    "What the parameters of mechanisms name.",
    (
        NameList("CKG", "CKG", "Mask generation functions (CK_RSA_PKCS_MGF_TYPE).", "MGF1_*"),
        NameList("CKZ", "CKZ", "Where an OAEP label comes from (CK_RSA_PKCS_OAEP_SOURCE_TYPE).", "DATA_SPECIFIED"),
        NameList("CKD", "CKD", "Key derivation functions (CK_EC_KDF_TYPE and its like)."),
        NameList(
            "GeneratorFunction",
            "CKG",
            "How a message's IV is made (CK_GENERATOR_FUNCTION).",
            "NO_GENERATE GENERATE GENERATE_*",
        ),
        NameList("HedgeType", "CKH", "How a signature is hedged (CK_HEDGE_TYPE).", "HEDGE_* DETERMINISTIC_REQUIRED"),
        NameList("HkdfSalt", "CKF", "Where HKDF's salt comes from (CK_HKDF_PARAMS.ulSaltType).", "HKDF_SALT_*"),
        NameList("Pbkd2Prf", "CKP", "PBKDF2's pseudo-random functions.", "PKCS5_PBKD2_*"),
        NameList("Pbkd2Salt", "CKZ", "Where PBKDF2's salt comes from.", "SALT_SPECIFIED"),
        NameList(
            "PrfDataType",
            "CK",
            "The pieces of an SP 800-108 derivation's input (CK_PRF_DATA_TYPE).",
            "SP800_108_ITERATION_VARIABLE SP800_108_*COUNTER SP800_108_DKM_LENGTH SP800_108_BYTE_ARRAY "
            "SP800_108_KEY_HANDLE",
        ),
        NameList(
            "DkmLengthMethod",
            "CK",
            "What SP 800-108's length counts (CK_SP800_108_DKM_LENGTH_METHOD).",
            "SP800_108_DKM_LENGTH_*",
        ),
        NameList(
            "OtpParam",
            "CK",
            "The parts of a one-time password's parameter (CK_OTP_PARAM_TYPE).",
            "OTP_VALUE OTP_PIN OTP_CHALLENGE OTP_TIME OTP_COUNTER OTP_FLAGS OTP_OUTPUT_*",
        ),
    ),
)

RETURNS = Module("returns", "Return values.", (NameList("CKR", "CKR", "What a C_* function answers (CK_RV)."),))

SESSIONS = Module(
    "sessions",
    "Users, the states of sessions, and notifications.",
    (
        NameList("CKU", "CKU", "User types (CK_USER_TYPE)."),
        NameList("CKS", "CKS", "Session states (CK_STATE).", "RO_* RW_*"),
        NameList("CKN", "CKN", "What an application is told of (CK_NOTIFICATION)."),
    ),
)

MODULES = (ATTRIBUTES, FLAGS, MECHANISMS, OBJECTS, PARAMETERS, RETURNS, SESSIONS)

PREFERRED = (
    "CKA_SUB_PRIME_BITS",
    "CKF_EC_NAMEDCURVE",
    "CKK_CAST5",
    "CKM_CAST5_*",
    "CKM_DSA_PROBABLISTIC_PARAMETER_GEN",
    "CKM_PBE_*_CAST5_CBC",
    "CKM_SHA3_*_KEY_DERIVE",
    "CKM_SHAKE_*_KEY_DERIVE",
    "CK_SP800_108_COUNTER",
)
"""Of two names for a number, the one that softee says. Elsewhere it is the one that the facts have first."""


def is_preferred(constant: str) -> bool:
    """Tell whether a constant's name, with its prefix, goes before its other names."""
    return any(fnmatchcase(constant, pattern) for pattern in PREFERRED)
