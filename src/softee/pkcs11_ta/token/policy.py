# SPDX-License-Identifier: Apache-2.0
"""What a token allows, and what it assumes where nobody says: data, one value for each profile and its changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKM, CKR, MechanismFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.view import KeyView, SizeRange
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.objects.policy import ObjectPolicy
from softee.pkcs11_ta.token.room import PER_TOKEN, WITHOUT_LOGIN, Room
from softee.pkcs11_ta.token.tries import EVERYBODY
from softee.tee.application import ClientIdentity

_OPTEE_ANSWERS: Final = MappingProxyType(
    {
        CKR.CURVE_NOT_SUPPORTED: CKR.ATTRIBUTE_TYPE_INVALID,
        CKR.DOMAIN_PARAMS_INVALID: CKR.ATTRIBUTE_TYPE_INVALID,
        CKR.PUBLIC_KEY_INVALID: CKR.MECHANISM_PARAM_INVALID,
    }
)
"""Return values of OP-TEE's in the place of the standard's, whatever raised them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One token's policy.

    ``mechanisms`` are in the order of C_GetMechanismList. ``key_sizes`` are the sizes that keys may have, by CKK, in
    the unit of C_GetMechanismInfo, and ``curves`` the values of CKA_EC_PARAMS (None: all that there are); keys
    beyond them are neither made nor used. ``users`` and ``groups`` are the uids and gids that see the slot (None: all
    do). Without ``digests_keys`` no key is digested (C_DigestKey). ``refused_hashes`` are digest mechanisms that no
    parameter may choose either. ``room`` is how much may be on the token, and ``room_without_login`` up to where it
    takes more from those who are not logged in. ``flags`` are those of all mechanisms together.
    """

    name: str
    mechanisms: Mapping[CKM, AnyMechanism] = field(repr=False)
    objects: ObjectPolicy
    key_sizes: Mapping[int, SizeRange] = field(default_factory=lambda: MappingProxyType({}))
    curves: frozenset[bytes] | None = None
    users: frozenset[int] | None = None
    groups: frozenset[int] | None = None
    digests_keys: bool = True
    refused_hashes: frozenset[CKM] = frozenset()
    room: Room = PER_TOKEN
    room_without_login: Room = WITHOUT_LOGIN
    flags: MechanismFlag = field(init=False, repr=False, compare=False)
    _by_number: Mapping[int, AnyMechanism] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the mechanisms by plain numbers, which are quicker to look up, and join their flags."""
        by_number = {int(mechanism): spec for mechanism, spec in self.mechanisms.items()}
        object.__setattr__(self, "_by_number", MappingProxyType(by_number))
        flags = reduce(or_, (spec.flags for spec in by_number.values()), MechanismFlag(0))
        object.__setattr__(self, "flags", flags)

    def counted_as(self, client: ClientIdentity) -> int:
        """Return the uid against which a client's wrong PINs count."""
        return EVERYBODY if self.as_optee else client.uid

    @property
    def as_optee(self) -> bool:
        """Where OP-TEE answers or does otherwise than the standard says, its way counts."""
        return self.objects.as_optee

    def mechanism(self, number: int) -> AnyMechanism:
        """Return a mechanism that the token allows. Raises CKR_MECHANISM_INVALID."""
        spec = self._by_number.get(number)
        if spec is None:
            raise Pkcs11Error(CKR.MECHANISM_INVALID, f"mechanism 0x{number:x} is not known here, or not allowed")
        return spec

    def check_hashes(self, chosen: frozenset[CKM]) -> None:
        """Refuse hash functions that a parameter chooses. Raises CKR_MECHANISM_PARAM_INVALID."""
        if refused := chosen & self.refused_hashes:
            named = ", ".join(f"CKM_{number.name}" for number in sorted(refused))
            raise Pkcs11Error(CKR.MECHANISM_PARAM_INVALID, f"this token's policy does not allow {named}")

    def check_key(
        self,
        key: KeyView,
        attributes: Attributes,
        bad_size: CKR = CKR.KEY_SIZE_RANGE,
        bad_curve: CKR = CKR.CURVE_NOT_SUPPORTED,
    ) -> None:
        """Refuse a key that the token does not allow. Raises ``bad_size`` or ``bad_curve``."""
        allowed = self.key_sizes.get(key.key_type)
        if allowed is not None and key.size not in allowed:
            detail = f"keys of CKA_KEY_TYPE 0x{key.key_type:x} have sizes of {allowed.low} to {allowed.high} here"
            raise Pkcs11Error(bad_size, detail)
        curve = attributes.get(CKA.EC_PARAMS)
        if self.curves is not None and curve and curve not in self.curves:
            raise Pkcs11Error(bad_curve, "this token's policy does not allow the curve")

    def sees(self, client: ClientIdentity) -> bool:
        """Say whether a client may see and use the slot."""
        if self.users is None and self.groups is None:
            return True
        groups = client.groups | {client.gid}
        return client.uid in (self.users or ()) or bool(groups & (self.groups or frozenset()))

    def answer(self, rv: CKR, optee: CKR | None = None) -> CKR:
        """Return the value that a client gets for ``rv``, where ``optee`` may be OP-TEE's for what has happened."""
        if not self.as_optee:
            return rv
        return optee or _OPTEE_ANSWERS.get(rv, rv)
