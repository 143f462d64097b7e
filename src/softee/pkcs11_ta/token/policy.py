# SPDX-License-Identifier: Apache-2.0
"""What a token allows, and what it assumes where a template is silent: data, one value for each profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.objects.rules import Defaults


@dataclass(frozen=True, slots=True)
class Policy:
    """One profile. ``mechanisms`` are in the order of C_GetMechanismList."""

    name: str
    mechanisms: Mapping[CKM, AnyMechanism] = field(repr=False)
    defaults: Defaults = field(repr=False)
    _by_number: Mapping[int, AnyMechanism] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the mechanisms by plain numbers, which are quicker to look up."""
        by_number = {int(mechanism): spec for mechanism, spec in self.mechanisms.items()}
        object.__setattr__(self, "_by_number", MappingProxyType(by_number))

    def mechanism(self, number: int) -> AnyMechanism:
        """Return a mechanism that the token allows. Raises CKR_MECHANISM_INVALID."""
        spec = self._by_number.get(number)
        if spec is None:
            raise Pkcs11Error(CKR.MECHANISM_INVALID, f"mechanism 0x{number:x} is not known here")
        return spec
