# SPDX-License-Identifier: Apache-2.0
"""What keys on elliptic curves have in common: the curves' names, and the attributes (PKCS#11 3.2, section 6.3).

CKA_EC_PARAMS names a curve by its object identifier or by its curveName, and is kept as it was given. Explicit
parameters, which RFC 5480 forbids, are not taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from softee.names import CKA, CKR, MechanismFlag
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, PRIVATE_PART, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.rows import PRIVATE_KEY, PUBLIC_KEY

C = TypeVar("C")

PUBLIC_ROWS: Final = (
    *PUBLIC_KEY,
    Use(CKA.EC_PARAMS, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
    Use(CKA.EC_POINT, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
)

PRIVATE_ROWS: Final = (
    *PRIVATE_KEY,
    Use(CKA.EC_PARAMS, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
)


FLAGS: Final = MechanismFlag.EC_F_P | MechanismFlag.EC_OID | MechanismFlag.EC_CURVENAME | MechanismFlag.EC_UNCOMPRESS
"""What C_GetMechanismInfo says of mechanisms with such keys."""


def oid(dotted: str) -> bytes:
    """Return the CKA_EC_PARAMS of the choice oId."""
    return asn1.encode_der(ObjectIdentifier(dotted))


def curve_name(name: str) -> bytes:
    """Return the CKA_EC_PARAMS of the choice curveName."""
    return asn1.encode_der(asn1.PrintableString(name))


@dataclass(frozen=True, slots=True)
class Curve(Generic[C]):
    """A curve: what people call it, the values of CKA_EC_PARAMS that mean it, and what the library has of it.

    The first value is that of keys which come without one.
    """

    name: str
    params: tuple[bytes, ...]
    native: C


class Curves(Generic[C]):
    """The curves that keys of one type may be on."""

    def __init__(self, *curves: Curve[C]) -> None:
        """Take the curves; no two have a name in common."""
        self._curves = curves
        self._by_params = {params: curve.native for curve in curves for params in curve.params}
        self.names: Mapping[str, frozenset[bytes]] = MappingProxyType(
            {curve.name: frozenset(curve.params) for curve in curves}
        )

    def __iter__(self) -> Iterator[Curve[C]]:
        return iter(self._curves)

    def find(self, ec_params: bytes) -> C:
        """Return the curve that CKA_EC_PARAMS names.

        What was given is not told: an application that mixes up its attributes may have put a key there.

        Raises:
            Pkcs11Error: CKR_CURVE_NOT_SUPPORTED where it is none of these, CKR_DOMAIN_PARAMS_INVALID where it is no
                name at all (section 6.3).

        """
        curve = self._by_params.get(ec_params)
        if curve is None:
            rv = CKR.CURVE_NOT_SUPPORTED if _is_name(ec_params) else CKR.DOMAIN_PARAMS_INVALID
            detail = f"CKA_EC_PARAMS ({len(ec_params)} bytes) names none of the curves {', '.join(self.names)}"
            raise Pkcs11Error(rv, detail)
        return curve

    def of(self, attributes: Attributes) -> C:
        """Return a key's curve. Raises CKR_TEMPLATE_INCOMPLETE, and as ``find``."""
        return self.find(bytes(octets(attributes, CKA.EC_PARAMS)))


def _is_name(ec_params: bytes) -> bool:
    """Say whether CKA_EC_PARAMS is of the choice oId or curveName."""
    for choice in (ObjectIdentifier, asn1.PrintableString):
        try:
            asn1.decode_der(choice, ec_params)
        except ValueError:
            continue
        return True
    return False
