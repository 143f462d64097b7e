# SPDX-License-Identifier: Apache-2.0
"""The kinds of object that the token keeps: which attributes each has, from the tables of the key types and those here.

``rules.py`` interprets them and knows no attribute by name that could stand in a row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKC, CKM, CKO, CKT
from softee.pkcs11_ta.attributes.uses import REQUIRED, SET_BY_TOKEN, STORAGE, Rule, Use
from softee.pkcs11_ta.keys.table import KEY_TYPES


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A class of objects, narrowed to the key or certificate types that have the same attributes.

    ``subtype`` is the attribute that narrows it, None for classes that have none; ``subtypes`` are its values.
    ``frozen_when_trusted``: nothing of it may be changed while its CKA_TRUSTED is true. ``usages`` are what a key of
    this kind is for where nobody says (``KeyForm.usages``).
    """

    name: str
    object_class: CKO
    rows: tuple[Use, ...]
    subtype: CKA | None = None
    subtypes: frozenset[int] = frozenset()
    frozen_when_trusted: bool = field(default=False, kw_only=True)
    usages: frozenset[CKA] = field(default=frozenset(), kw_only=True)
    uses: Mapping[int, Use] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the rows, which must not say two things of one attribute."""
        uses = {int(use.type): use for use in self.rows}
        if len(uses) != len(self.rows):
            raise ValueError(f"{self.name} has an attribute twice")
        object.__setattr__(self, "uses", MappingProxyType(uses))


_DATA = (
    *STORAGE,
    Use(CKA.APPLICATION, default=b""),
    Use(CKA.OBJECT_ID, default=b""),
    Use(CKA.VALUE, default=b""),
)

_CERTIFICATE = (
    *STORAGE,
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

TRUSTS: Final = (
    CKA.TRUST_SERVER_AUTH,
    CKA.TRUST_CLIENT_AUTH,
    CKA.TRUST_CODE_SIGNING,
    CKA.TRUST_EMAIL_PROTECTION,
    CKA.TRUST_IPSEC_IKE,
    CKA.TRUST_TIME_STAMPING,
    CKA.TRUST_OCSP_SIGNING,
)
"""What a certificate may be trusted for."""

_TRUST = (
    *STORAGE,
    Use(CKA.ISSUER, Rule.REQUIRED_ON_CREATE),
    Use(CKA.SERIAL_NUMBER, Rule.REQUIRED_ON_CREATE),
    Use(CKA.HASH_OF_CERTIFICATE, default=b""),
    Use(CKA.NAME_HASH_ALGORITHM, default=int(CKM.SHA_1)),
    *(Use(usage, Rule.MODIFIABLE, default=int(CKT.TRUST_UNKNOWN)) for usage in TRUSTS),
)

_PROFILE = (
    Use(CKA.CLASS, SET_BY_TOKEN, default=int(CKO.PROFILE)),
    Use(CKA.TOKEN, SET_BY_TOKEN, default=True),
    Use(CKA.PRIVATE, SET_BY_TOKEN, default=False),
    Use(CKA.MODIFIABLE, SET_BY_TOKEN, default=False),
    Use(CKA.LABEL, SET_BY_TOKEN),
    Use(CKA.COPYABLE, SET_BY_TOKEN, default=False),
    Use(CKA.DESTROYABLE, SET_BY_TOKEN, default=False),
    Use(CKA.UNIQUE_ID, SET_BY_TOKEN),
    Use(CKA.PROFILE_ID, SET_BY_TOKEN),
)

_CLASS_WORDS: Final = {CKO.PUBLIC_KEY: "public key", CKO.PRIVATE_KEY: "private key", CKO.SECRET_KEY: "key"}


def _key_kinds() -> Iterator[ObjectKind]:
    for key_type in KEY_TYPES:
        for form in key_type.forms:
            name = f"{key_type.name} {_CLASS_WORDS[form.object_class]}"
            yield ObjectKind(name, form.object_class, form.rows, CKA.KEY_TYPE, key_type.numbers, usages=form.usages)


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
    ObjectKind("trust", CKO.TRUST, _TRUST),
    *_key_kinds(),
)
"""Every kind of object that the token keeps. A kind of keys comes from its key type."""

PROFILE: Final = ObjectKind("profile", CKO.PROFILE, _PROFILE)
"""A kind that the token presents of itself (``token/presented.py``). It keeps none of them, and nobody makes any."""

PROTECTED_CLASSES: Final = frozenset({CKO.PRIVATE_KEY, CKO.SECRET_KEY})
"""Classes whose private parts CKA_SENSITIVE and CKA_EXTRACTABLE protect."""

HIDDEN_PARTS: Final = frozenset(
    int(use.type) for kind in KINDS for use in kind.rows if Rule.HIDDEN_WHEN_SENSITIVE in use.rules
)
"""Every attribute that is a private part in some kind of object."""
