# SPDX-License-Identifier: Apache-2.0
"""Reading and writing the attributes that a key is made of."""

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes


def octets(attributes: Attributes, attribute: CKA) -> bytes | bytearray:
    """Return an attribute that is bytes. Raises CKR_TEMPLATE_INCOMPLETE where it is missing or empty."""
    value = attributes.get(attribute)
    if not isinstance(value, bytes | bytearray) or not value:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, f"CKA_{attribute.name} is missing or empty")
    return value


def number(attributes: Attributes, attribute: CKA) -> int:
    """Return an attribute that is a big integer (big-endian). Raises CKR_TEMPLATE_INCOMPLETE where it is missing."""
    return int.from_bytes(octets(attributes, attribute), "big")


def big_endian(value: int, size: int | None = None) -> SecretBytes:
    """Return a big integer as the standard writes it: big-endian, of ``size`` bytes or as few as it takes."""
    return SecretBytes(value.to_bytes(-(-value.bit_length() // 8) if size is None else size, "big"))


def is_protected(attributes: Attributes) -> bool:
    """Say whether a key's value is shown to nobody: it is sensitive, or not extractable."""
    return attributes.get(CKA.SENSITIVE) is not False or attributes.get(CKA.EXTRACTABLE) is not True
