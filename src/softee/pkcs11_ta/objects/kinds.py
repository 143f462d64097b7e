# SPDX-License-Identifier: Apache-2.0
"""The kinds of object that the token keeps, as tables: which attributes, their defaults, and the rules they obey.

One row per attribute; a kind joins rows. ``rules.py`` interprets the tables and knows no attribute by name that could
stand here. Footnote numbers are those of the standard's table 13 (PKCS#11 3.2, section 4.1.2; table 10
in 2.40).

Where the standard leaves a default to the token, it is OP-TEE's: usages are false, keys are not sensitive, not private
and not extractable. As there, public keys and data objects show a few attributes that the standard gives to others
(CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKC, CKK, CKM, CKO, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.keys.secret import SECRET_KEY_TYPES


class Rule(Flag):
    """What holds for an attribute in a kind of object."""

    REQUIRED_ON_CREATE = auto()  # footnote 1
    FORBIDDEN_ON_CREATE = auto()  # footnote 2
    REQUIRED_ON_GENERATE = auto()  # footnote 3
    FORBIDDEN_ON_GENERATE = auto()  # footnote 4
    REQUIRED_ON_UNWRAP = auto()  # footnote 5
    FORBIDDEN_ON_UNWRAP = auto()  # footnote 6
    HIDDEN_WHEN_SENSITIVE = auto()  # footnote 7: not shown while CKA_SENSITIVE is true or CKA_EXTRACTABLE false
    MODIFIABLE = auto()  # footnote 8: C_SetAttributeValue and C_CopyObject may change it
    ONLY_SO_SETS = auto()  # footnote 10
    STICKY_TRUE = auto()  # footnote 11: once true, it stays
    STICKY_FALSE = auto()  # footnote 12: once false, it stays
    MODIFIABLE_BY_COPY = auto()  # section 5.7.2: C_CopyObject alone may change it


NONE: Final = Rule(0)
SET_BY_TOKEN: Final = Rule.FORBIDDEN_ON_CREATE | Rule.FORBIDDEN_ON_GENERATE | Rule.FORBIDDEN_ON_UNWRAP
REQUIRED: Final = Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE | Rule.REQUIRED_ON_UNWRAP
MADE_BY_GENERATION: Final = Rule.FORBIDDEN_ON_GENERATE | Rule.FORBIDDEN_ON_UNWRAP
PRIVATE_PART: Final = MADE_BY_GENERATION | Rule.HIDDEN_WHEN_SENSITIVE


class Unset(Enum):
    """The default of an attribute that an object lacks unless it is given."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class Use:
    """One attribute, as it appears in one kind of object."""

    type: CKA
    rules: Rule = NONE
    default: AttributeValue | Unset = UNSET


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A class of objects, narrowed to the key or certificate types that have the same attributes.

    ``subtype`` is the attribute that narrows it, None for classes that have none; ``subtypes`` are its values.
    ``frozen_when_trusted``: nothing of it may be changed while its CKA_TRUSTED is true.
    """

    name: str
    object_class: CKO
    rows: tuple[Use, ...]
    subtype: CKA | None = None
    subtypes: frozenset[int] = frozenset()
    frozen_when_trusted: bool = field(default=False, kw_only=True)
    uses: Mapping[int, Use] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the rows, which must not say two things of one attribute."""
        uses = {int(use.type): use for use in self.rows}
        if len(uses) != len(self.rows):
            raise ValueError(f"{self.name} has an attribute twice")
        object.__setattr__(self, "uses", MappingProxyType(uses))


_STORAGE = (
    Use(CKA.CLASS, REQUIRED),
    Use(CKA.TOKEN, Rule.MODIFIABLE_BY_COPY, default=False),
    Use(CKA.PRIVATE, Rule.MODIFIABLE_BY_COPY | Rule.STICKY_TRUE, default=False),
    Use(CKA.MODIFIABLE, Rule.MODIFIABLE_BY_COPY, default=True),
    Use(CKA.LABEL, Rule.MODIFIABLE, default=b""),
    Use(CKA.COPYABLE, Rule.MODIFIABLE | Rule.STICKY_FALSE, default=True),
    Use(CKA.DESTROYABLE, Rule.MODIFIABLE_BY_COPY, default=True),
    Use(CKA.LOCAL, SET_BY_TOKEN, default=False),
)

_DATA = (
    *_STORAGE,
    Use(CKA.APPLICATION, default=b""),
    Use(CKA.OBJECT_ID, default=b""),
    Use(CKA.VALUE, default=b""),
)

_CERTIFICATE = (
    *_STORAGE,
    Use(CKA.CERTIFICATE_TYPE, REQUIRED),
    Use(CKA.TRUSTED, Rule.MODIFIABLE | Rule.ONLY_SO_SETS, default=False),
    Use(CKA.CERTIFICATE_CATEGORY, default=0),
    Use(CKA.CHECK_VALUE),
    Use(CKA.START_DATE, default=b""),
    Use(CKA.END_DATE, default=b""),
    Use(CKA.PUBLIC_KEY_INFO, default=b""),
    Use(CKA.SUBJECT, Rule.REQUIRED_ON_CREATE),
    Use(CKA.ID, Rule.MODIFIABLE, default=b""),
    Use(CKA.ISSUER, Rule.MODIFIABLE, default=b""),
    Use(CKA.SERIAL_NUMBER, Rule.MODIFIABLE, default=b""),
    Use(CKA.VALUE, default=b""),
    Use(CKA.URL, default=b""),
    Use(CKA.HASH_OF_SUBJECT_PUBLIC_KEY, default=b""),
    Use(CKA.HASH_OF_ISSUER_PUBLIC_KEY, default=b""),
    Use(CKA.JAVA_MIDP_SECURITY_DOMAIN, default=0),
    Use(CKA.NAME_HASH_ALGORITHM, default=int(CKM.SHA_1)),
)

_KEY = (
    *_STORAGE,
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
    Use(CKA.CHECK_VALUE),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
    # The standard forbids a length on unwrapping; OP-TEE takes it, and stock pkcs11-tool sends it.
    Use(CKA.VALUE_LEN, Rule.FORBIDDEN_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
)

_PUBLIC_KEY = (
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

_RSA_PUBLIC_KEY = (
    *_PUBLIC_KEY,
    Use(CKA.MODULUS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.MODULUS_BITS, Rule.FORBIDDEN_ON_CREATE | Rule.REQUIRED_ON_GENERATE | Rule.FORBIDDEN_ON_UNWRAP),
    Use(CKA.PUBLIC_EXPONENT, Rule.REQUIRED_ON_CREATE),
)

_EC_PUBLIC_KEY = (
    *_PUBLIC_KEY,
    Use(CKA.EC_PARAMS, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
    Use(CKA.EC_POINT, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
)

_PRIVATE_KEY = (
    *_PROTECTED_KEY,
    Use(CKA.SUBJECT, Rule.MODIFIABLE, default=b""),
    Use(CKA.SIGN_RECOVER, Rule.MODIFIABLE, default=False),
    Use(CKA.ALWAYS_AUTHENTICATE, default=False),
    Use(CKA.PUBLIC_KEY_INFO, Rule.MODIFIABLE | MADE_BY_GENERATION, default=b""),
)

_RSA_PRIVATE_KEY = (
    *_PRIVATE_KEY,
    Use(CKA.MODULUS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    # The standard asks for the modulus and the private exponent alone; without this one they make no key.
    Use(CKA.PUBLIC_EXPONENT, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.PRIVATE_EXPONENT, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
    Use(CKA.PRIME_1, PRIVATE_PART),
    Use(CKA.PRIME_2, PRIVATE_PART),
    Use(CKA.EXPONENT_1, PRIVATE_PART),
    Use(CKA.EXPONENT_2, PRIVATE_PART),
    Use(CKA.COEFFICIENT, PRIVATE_PART),
)

_EC_PRIVATE_KEY = (
    *_PRIVATE_KEY,
    Use(CKA.EC_PARAMS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
)

KINDS: Final = (
    ObjectKind("data", CKO.DATA, _DATA),
    ObjectKind(
        "X.509 certificate",
        CKO.CERTIFICATE,
        _CERTIFICATE,
        CKA.CERTIFICATE_TYPE,
        frozenset({CKC.X_509}),
        frozen_when_trusted=True,
    ),
    ObjectKind("RSA public key", CKO.PUBLIC_KEY, _RSA_PUBLIC_KEY, CKA.KEY_TYPE, frozenset({CKK.RSA})),
    ObjectKind("EC public key", CKO.PUBLIC_KEY, _EC_PUBLIC_KEY, CKA.KEY_TYPE, frozenset({CKK.EC})),
    ObjectKind("RSA private key", CKO.PRIVATE_KEY, _RSA_PRIVATE_KEY, CKA.KEY_TYPE, frozenset({CKK.RSA})),
    ObjectKind("EC private key", CKO.PRIVATE_KEY, _EC_PRIVATE_KEY, CKA.KEY_TYPE, frozenset({CKK.EC})),
    ObjectKind("secret key", CKO.SECRET_KEY, _SECRET_KEY, CKA.KEY_TYPE, SECRET_KEY_TYPES),
)
"""Every kind of object. Adding one is a row here, and its rows above."""

PROTECTED_CLASSES: Final = frozenset({CKO.PRIVATE_KEY, CKO.SECRET_KEY})
"""Classes whose private parts CKA_SENSITIVE and CKA_EXTRACTABLE protect."""

HIDDEN_PARTS: Final = frozenset(
    int(use.type) for kind in KINDS for use in kind.rows if Rule.HIDDEN_WHEN_SENSITIVE in use.rules
)
"""Every attribute that is a private part in some kind of object."""
