# SPDX-License-Identifier: Apache-2.0
"""What a token's policy says of its objects: data, which the rules read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKO
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue
from softee.pkcs11_ta.objects.kinds import ObjectKind

USAGES: Final = frozenset(
    {
        CKA.ENCRYPT,
        CKA.DECRYPT,
        CKA.SIGN,
        CKA.SIGN_RECOVER,
        CKA.VERIFY,
        CKA.VERIFY_RECOVER,
        CKA.WRAP,
        CKA.UNWRAP,
        CKA.DERIVE,
        CKA.ENCAPSULATE,
        CKA.DECAPSULATE,
    }
)
"""The attributes that say what a key is for."""


APART: Final = ((CKA.WRAP, CKA.DECRYPT), (CKA.UNWRAP, CKA.ENCRYPT))
"""Usages by which together a key wraps another one and then shows it, or unwraps what it has encrypted (Clulow)."""


Defaults = Mapping[CKO, Mapping[CKA, AttributeValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPolicy:
    """What holds for the objects of one profile.

    ``defaults`` are those, by class, that differ from the rows' own, which are OP-TEE's. ``usable``: a key whose
    template names no usage gets those of its kind. ``as_optee``: where OP-TEE answers otherwise than the standard says,
    its answers count. ``apart`` are pairs of usages of which a key may have one. Without ``check_values`` no key has a
    CKA_CHECK_VALUE. ``bare_points``: CKA_EC_POINT of Edwards and Montgomery keys is shown as PKCS#11 3.1 and OP-TEE
    write it, else as a DER OCTET STRING.
    """

    defaults: Mapping[CKO, Mapping[CKA, AttributeValue]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    usable: bool = False
    as_optee: bool = False
    apart: tuple[tuple[CKA, CKA], ...] = ()
    check_values: bool = True
    bare_points: bool = False

    def defaults_of(self, kind: ObjectKind, given: Attributes) -> Mapping[CKA, AttributeValue]:
        """Return the defaults of an object of this kind, for which a template gives ``given``."""
        own = self.defaults.get(kind.object_class, {})
        if not self.usable or any(given.get(usage) is True for usage in USAGES):
            return own
        return {**own, **dict.fromkeys(kind.usages, True)}


OPTEE_OBJECTS: Final = ObjectPolicy(as_optee=True, bare_points=True)
"""What OP-TEE does."""
