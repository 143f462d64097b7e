# SPDX-License-Identifier: Apache-2.0
"""The mechanisms that OP-TEE's documentation lists, as pkcs11-tool prints them."""

import re
from dataclasses import dataclass

_LINE = re.compile(
    r"^  (?P<name>[\w-]+)(?:, keySize=\{(?P<smallest>\d+),(?P<largest>\d+)\})?(?P<functions>(?:, \w+)*)$"
)
_NUMBERED = "mechtype-"


@dataclass(frozen=True)
class Listed:
    """A line of ``pkcs11-tool --list-mechanisms``: name, key sizes (None where it prints none), functions."""

    name: str
    sizes: tuple[int, int] | None
    functions: frozenset[str]

    @classmethod
    def parse(cls, line: str) -> "Listed | None":
        """Read a line, or return None where it is not a mechanism's."""
        found = _LINE.match(line.partition(", other flags")[0])
        if found is None:
            return None
        sizes = (int(found["smallest"]), int(found["largest"])) if found["smallest"] else None
        return cls(found["name"], sizes, frozenset(found["functions"].split(", ")[1:]))

    def is_offered_by(self, other: "Listed") -> bool:
        """Tell whether ``other`` is this mechanism, with the same key sizes and all of this one's functions.

        pkcs11-tool prints the number of a mechanism whose name it does not know; a newer one may know it.
        """
        named = self.name in {other.name, *_NAMES_SINCE.get(self.name, ())}
        sized = self.sizes == other.sizes or self.name in _SIZES_DIFFER
        return named and sized and self.functions <= other.functions

    def __str__(self) -> str:
        sizes = f", keySize={{{self.sizes[0]},{self.sizes[1]}}}" if self.sizes else ""
        return f"{self.name}{sizes}, {', '.join(sorted(self.functions))}"


_SIZES_DIFFER = frozenset({"RSA-PKCS-KEY-PAIR-GEN"})
"""softee generates RSA keys from 1024 to 4096 bits; OP-TEE says 256, which nobody should use."""

_NAMES_SINCE = {
    "mechtype-0x252": ("SHA256-HMAC-GENERAL",),
    "mechtype-0x257": ("SHA224-HMAC-GENERAL",),
    "mechtype-0x262": ("SHA384-HMAC-GENERAL",),
    "mechtype-0x272": ("SHA512-HMAC-GENERAL",),
    "mechtype-0x1089": ("AES-CTS",),
    "mechtype-0x108B": ("AES-CMAC-GENERAL",),
}


def _family(names: str, sizes: tuple[int, int] | None, *functions: str) -> tuple[Listed, ...]:
    return tuple(Listed(name, sizes, frozenset(functions)) for name in names.split())


DOCUMENTED = (
    *_family("MD5-RSA-PKCS SHA1-RSA-PKCS SHA224-RSA-PKCS SHA256-RSA-PKCS", (256, 4096), "sign", "verify"),
    *_family("SHA384-RSA-PKCS SHA512-RSA-PKCS SHA1-RSA-PKCS-PSS", (256, 4096), "sign", "verify"),
    *_family("SHA224-RSA-PKCS-PSS SHA256-RSA-PKCS-PSS SHA384-RSA-PKCS-PSS", (256, 4096), "sign", "verify"),
    *_family("SHA512-RSA-PKCS-PSS", (256, 4096), "sign", "verify"),
    *_family("RSA-PKCS-PSS", None, "sign", "verify"),
    *_family("RSA-PKCS-OAEP", (256, 4096), "encrypt", "decrypt"),
    *_family("RSA-PKCS", (256, 4096), "encrypt", "decrypt", "sign", "verify"),
    *_family("RSA-PKCS-KEY-PAIR-GEN", (256, 4096), "generate_key_pair"),
    *_family("ECDSA ECDSA-SHA1 ECDSA-SHA224 ECDSA-SHA256 ECDSA-SHA384 ECDSA-SHA512", (160, 521), "sign", "verify"),
    *_family("ECDSA-KEY-PAIR-GEN", (160, 521), "generate_key_pair"),
    *_family("MD5-HMAC MD5-HMAC-GENERAL", (8, 64), "sign", "verify"),
    *_family("SHA-1-HMAC SHA-1-HMAC-GENERAL", (10, 64), "sign", "verify"),
    *_family("SHA224-HMAC mechtype-0x257", (14, 64), "sign", "verify"),
    *_family("SHA256-HMAC mechtype-0x252", (24, 128), "sign", "verify"),
    *_family("SHA384-HMAC mechtype-0x262 SHA512-HMAC mechtype-0x272", (32, 128), "sign", "verify"),
    *_family("MD5 SHA-1 SHA224 SHA256 SHA384 SHA512", None, "digest"),
    *_family("GENERIC-SECRET-KEY-GEN", (1, 4096), "generate"),
    *_family("AES-KEY-GEN", (16, 32), "generate"),
    *_family("AES-CMAC mechtype-0x108B", (16, 32), "sign", "verify"),
    *_family("AES-CTR AES-CBC-PAD mechtype-0x1089", (16, 32), "encrypt", "decrypt"),
    *_family("AES-ECB AES-CBC", (16, 32), "encrypt", "decrypt", "wrap", "unwrap"),
)
"""The 49 mechanisms of the walkthrough. Where a family repeats functions and sizes, they are those shown there."""
