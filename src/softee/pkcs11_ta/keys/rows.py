# SPDX-License-Identifier: Apache-2.0
"""The attributes that keys of every type have, by class (PKCS#11 3.2, sections 4.8 to 4.11).

Where the standard leaves a default to the token, it is OP-TEE's: usages are false, keys are not sensitive, not private
and not extractable. As there, public keys show a few attributes that the standard gives to others (CKA_LOCAL,
CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE).
"""

from typing import Final

from softee.names import CKA, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.attributes.uses import (
    MADE_BY_GENERATION,
    PRIVATE_PART,
    REQUIRED,
    SET_BY_TOKEN,
    STORAGE,
    Rule,
    Use,
)

_KEY = (
    *STORAGE,
    Use(CKA.KEY_TYPE, REQUIRED),
    Use(CKA.ID, Rule.MODIFIABLE, default=b""),
    Use(CKA.START_DATE, Rule.MODIFIABLE, default=b""),
    Use(CKA.END_DATE, Rule.MODIFIABLE, default=b""),
    Use(CKA.DERIVE, Rule.MODIFIABLE, default=False),
    Use(CKA.KEY_GEN_MECHANISM, SET_BY_TOKEN, default=UNAVAILABLE_INFORMATION),
    Use(CKA.ALLOWED_MECHANISMS),
    Use(CKA.ALWAYS_SENSITIVE, SET_BY_TOKEN, default=False),
    Use(CKA.NEVER_EXTRACTABLE, SET_BY_TOKEN, default=False),
)

_PROTECTED_KEY = (
    *_KEY,
    Use(CKA.SENSITIVE, Rule.MODIFIABLE | Rule.STICKY_TRUE, default=False),
    Use(CKA.EXTRACTABLE, Rule.MODIFIABLE | Rule.STICKY_FALSE, default=False),
    Use(CKA.WRAP_WITH_TRUSTED, Rule.MODIFIABLE | Rule.STICKY_TRUE, default=False),
    Use(CKA.SIGN, Rule.MODIFIABLE, default=False),
    Use(CKA.DECRYPT, Rule.MODIFIABLE, default=False),
    Use(CKA.UNWRAP, Rule.MODIFIABLE, default=False),
    Use(CKA.UNWRAP_TEMPLATE, default=()),
)

_SECRET_KEY = (
    *_PROTECTED_KEY,
    Use(CKA.ENCRYPT, Rule.MODIFIABLE, default=False),
    Use(CKA.VERIFY, Rule.MODIFIABLE, default=False),
    Use(CKA.WRAP, Rule.MODIFIABLE, default=False),
    Use(CKA.TRUSTED, Rule.MODIFIABLE | Rule.ONLY_SO_SETS, default=False),
    Use(CKA.WRAP_TEMPLATE, default=()),
    Use(CKA.DERIVE_TEMPLATE, default=()),
    Use(CKA.CHECK_VALUE, Rule.MODIFIABLE),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
)

# The standard forbids a length on unwrapping; OP-TEE takes it, and stock pkcs11-tool sends it.
SECRET_KEY: Final = (*_SECRET_KEY, Use(CKA.VALUE_LEN, Rule.FORBIDDEN_ON_CREATE | Rule.REQUIRED_ON_GENERATE))

FIXED_SECRET_KEY: Final = (*_SECRET_KEY, Use(CKA.VALUE_LEN, Rule.FORBIDDEN_ON_CREATE))
"""Of a type whose keys all have one size, which a template need not say."""

PUBLIC_KEY: Final = (
    *_KEY,
    Use(CKA.SUBJECT, Rule.MODIFIABLE, default=b""),
    Use(CKA.ENCRYPT, Rule.MODIFIABLE, default=False),
    Use(CKA.VERIFY, Rule.MODIFIABLE, default=False),
    Use(CKA.VERIFY_RECOVER, Rule.MODIFIABLE, default=False),
    Use(CKA.WRAP, Rule.MODIFIABLE, default=False),
    Use(CKA.TRUSTED, Rule.MODIFIABLE | Rule.ONLY_SO_SETS, default=False),
    Use(CKA.WRAP_TEMPLATE, default=()),
    Use(CKA.PUBLIC_KEY_INFO, Rule.FORBIDDEN_ON_GENERATE, default=b""),
)

PRIVATE_KEY: Final = (
    *_PROTECTED_KEY,
    Use(CKA.SUBJECT, Rule.MODIFIABLE, default=b""),
    Use(CKA.SIGN_RECOVER, Rule.MODIFIABLE, default=False),
    Use(CKA.ALWAYS_AUTHENTICATE, default=False),
    Use(CKA.PUBLIC_KEY_INFO, Rule.MODIFIABLE | MADE_BY_GENERATION, default=b""),
)

ENCAPSULATION: Final = (
    Use(CKA.ENCAPSULATE, Rule.MODIFIABLE, default=False),
    Use(CKA.ENCAPSULATE_TEMPLATE, default=()),
)
"""What public keys of types that encapsulate have besides."""

DECAPSULATION: Final = (
    Use(CKA.DECAPSULATE, Rule.MODIFIABLE, default=False),
    Use(CKA.DECAPSULATE_TEMPLATE, default=()),
)
"""What private keys of such types have besides."""
