# SPDX-License-Identifier: Apache-2.0
"""What a mechanism may see of a key, and how large keys may be."""

from dataclasses import dataclass, replace
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from softee.names import CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.lattice_library import LatticePrivateKey, LatticePublicKey
from softee.pkcs11_ta.keys.slh_dsa_library import SlhDsaPrivateKey, SlhDsaPublicKey

PublicKey = PublicKeyTypes | LatticePublicKey | SlhDsaPublicKey
PrivateKey = PrivateKeyTypes | LatticePrivateKey | SlhDsaPrivateKey
NativeKey = PublicKey | PrivateKey
"""The library's object for a public or a private key."""


class KeyView(Protocol):
    """The little that a mechanism may see of a key object. Immutable; used by several threads at once."""

    @property
    def key_class(self) -> CKO:
        """CKO_SECRET_KEY, CKO_PUBLIC_KEY or CKO_PRIVATE_KEY."""
        ...

    @property
    def key_type(self) -> int:
        """CKA_KEY_TYPE."""
        ...

    @property
    def size(self) -> int:
        """In the unit of C_GetMechanismInfo: bits of an RSA modulus or of a curve's field, bytes of a secret key."""
        ...

    @property
    def protected(self) -> bool:
        """Whether its value is shown to nobody: what is derived from it must not tell it piece by piece."""
        ...

    def secret(self) -> bytes | bytearray:
        """Return a secret key's value. Do not keep it. Raises CKR_KEY_TYPE_INCONSISTENT."""
        ...

    def native(self) -> NativeKey:
        """Return the library's key object, which the key type's module narrows. Raises CKR_KEY_TYPE_INCONSISTENT."""
        ...


def unfit(wanted: str) -> Pkcs11Error:
    """Return the error for a key that is not ``wanted``."""
    return Pkcs11Error(CKR.KEY_TYPE_INCONSISTENT, f"the key is not {wanted}")


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Smallest and largest key, as C_GetMechanismInfo says it.

    ``takes_larger``: a larger key may be used all the same, though C_GetMechanismInfo says ``high``. HMAC shortens it.
    ``scale``: how many make one of :attr:`KeyView.size`; 8 where bits of a key are listed that is measured in bytes.
    """

    low: int
    high: int
    takes_larger: bool = False
    scale: int = 1

    def __contains__(self, size: object) -> bool:
        if not isinstance(size, int):
            return False
        listed = size * self.scale
        return self.low <= listed and (listed <= self.high or self.takes_larger)

    def within(self, allowed: "SizeRange") -> "SizeRange | None":
        """Return those of the sizes that are also ``allowed``, which are in the unit of KeyView.size; None: no size."""
        low, high = max(self.low, allowed.low * self.scale), allowed.high * self.scale
        if low <= self.high or not self.takes_larger:
            high = min(self.high, high)
        return replace(self, low=low, high=high) if low <= high else None
