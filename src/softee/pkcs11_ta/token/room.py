# SPDX-License-Identifier: Apache-2.0
"""How much may be on a token, so that none fills the disk for all: objects, and their bytes in the store."""

from dataclasses import dataclass
from typing import Final

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error


@dataclass(frozen=True, slots=True)
class Room:
    """A token's room. The settings that say how much it is end in ``per``."""

    objects: int
    bytes: int
    per: str

    def require(self, objects: int, size: int) -> None:
        """Refuse to let a token grow to so many objects of ``size`` bytes together.

        Raises:
            Pkcs11Error: CKR_DEVICE_MEMORY.

        """
        for what, wanted, limit in (("objects", objects, self.objects), ("bytes", size, self.bytes)):
            if wanted > limit:
                detail = f"the token would have {wanted} {what}; the setting {what}_{self.per} allows {limit}"
                raise Pkcs11Error(CKR.DEVICE_MEMORY, detail)


PER_TOKEN: Final = Room(200_000, 256 << 20, "per_token")
"""For whoever is logged in."""
WITHOUT_LOGIN: Final = Room(10_000, 64 << 20, "without_login")
"""For others, where these write at all. What is on the token counts, whoever has put it there."""
