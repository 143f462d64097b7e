# SPDX-License-Identifier: Apache-2.0
"""The objects that a token presents of itself: a CKO_PROFILE for each profile of the standard that it has.

They are public and on no disk, and nobody makes, changes, copies or destroys one. A token has the profiles whose test
cases pass with it (PKCS#11 Profiles 3.2, section 5); OP-TEE's has no such objects.
"""

from collections.abc import Mapping
from typing import Final

from softee.names import CKA, CKM, CKO, CKP, CKR, MechanismFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import Unset
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.objects.kinds import PROFILE
from softee.pkcs11_ta.objects.showing import matches
from softee.pkcs11_ta.token.object import FIRST_PRESENTED_HANDLE, Pkcs11Object
from softee.pkcs11_ta.token.policy import Policy

_CRYPT, _SIGN = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT, MechanismFlag.SIGN | MechanismFlag.VERIFY
_WRAP = MechanismFlag.WRAP | MechanismFlag.UNWRAP

_WANTED: Final[Mapping[CKP, Mapping[CKM, MechanismFlag]]] = {
    CKP.BASELINE_PROVIDER: {},
    CKP.EXTENDED_PROVIDER: {
        CKM.SHA512: MechanismFlag.DIGEST,
        CKM.RSA_PKCS_KEY_PAIR_GEN: MechanismFlag.GENERATE_KEY_PAIR,
        CKM.RSA_PKCS: _CRYPT | _SIGN | _WRAP,
    },
    CKP.AUTHENTICATION_TOKEN: {CKM.SHA256_RSA_PKCS: MechanismFlag.SIGN},
    CKP.PUBLIC_CERTIFICATES_TOKEN: {},
}
"""The profiles, and what their test cases want of mechanisms."""


def profiles_of(policy: Policy) -> tuple[CKP, ...]:
    """Return the profiles that a token with this policy has."""
    if policy.as_optee:
        return ()
    return tuple(profile for profile, wanted in _WANTED.items() if _has(policy, wanted))


def _has(policy: Policy, wanted: Mapping[CKM, MechanismFlag]) -> bool:
    return all(
        mechanism in policy.mechanisms and flags in policy.mechanisms[mechanism].flags
        for mechanism, flags in wanted.items()
    )


def _profile(profile: CKP) -> Attributes:
    return {
        **{int(use.type): use.default for use in PROFILE.rows if not isinstance(use.default, Unset)},
        CKA.LABEL: profile.name.replace("_", " ").title().encode(),
        CKA.UNIQUE_ID: f"CKP_{profile.name}".encode(),
        CKA.PROFILE_ID: int(profile),
    }


class PresentedObjects:
    """What one token presents. A profile has the same handle on every token."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy.objects
        numbered = {FIRST_PRESENTED_HANDLE + profile: profile for profile in profiles_of(policy)}
        self._objects = {handle: Pkcs11Object(handle, _profile(profile)) for handle, profile in numbered.items()}

    def get(self, handle: int) -> Pkcs11Object:
        """Return an object. Raises CKR_OBJECT_HANDLE_INVALID."""
        try:
            return self._objects[handle]
        except KeyError:
            raise Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, f"this token presents no object {handle:#x}") from None

    def find(self, wanted: Attributes) -> list[int]:
        """Return the handles of the objects that have all ``wanted`` values, for who asks for profiles.

        Programs written before there were any meet none where they go through all objects, or destroy them all.
        """
        if CKA.PROFILE_ID not in wanted and wanted.get(CKA.CLASS) != CKO.PROFILE:
            return []
        return [handle for handle, one in self._objects.items() if matches(one.attributes, wanted, self._policy)]
