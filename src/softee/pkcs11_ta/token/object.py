# SPDX-License-Identifier: Apache-2.0
"""One object of a token or of a session: its handle and its attributes, which never change.

A change makes a new object in the old one's place, so that who works with the old one (an operation in another thread)
keeps what it began with. Private values are shared by reference and overwritten when the last user lets go.
"""

from collections.abc import Mapping
from types import MappingProxyType

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.codecs import size_of_value
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue
from softee.pkcs11_ta.keys.material import KeyMaterial

FIRST_PRIVATE_HANDLE = 0x40000000
"""Handles below are the vault's numbers of public objects; from here on they are a client's own, of private ones."""

FIRST_SESSION_HANDLE = 0x80000000
"""Handles from here on are session objects."""

FIRST_PRESENTED_HANDLE = 0xFFFFFF00
"""Handles from here on are objects that the token presents of itself; the largest 32-bit number, which is
CK_UNAVAILABLE_INFORMATION, is none's."""

LAST_SESSION_HANDLE = FIRST_PRESENTED_HANDLE - 1


def object_size(attributes: Attributes) -> int:
    """Return the bytes of an object as OP-TEE counts them: its attributes written as a template."""
    return 8 + sum(8 + size_of_value(attribute, value) for attribute, value in attributes.items())


class Pkcs11Object:
    """An object under its handle."""

    __slots__ = ("_key", "attributes", "handle")

    def __init__(self, handle: int, attributes: Mapping[int, AttributeValue]) -> None:
        self.handle = handle
        self.attributes: Attributes = MappingProxyType(dict(attributes))
        self._key: KeyMaterial | None = None

    def __repr__(self) -> str:
        return f"<object {self.handle:#x}>"

    @property
    def is_token(self) -> bool:
        """CKA_TOKEN: the object is on the token."""
        return self.attributes[CKA.TOKEN] is True

    @property
    def is_private(self) -> bool:
        """CKA_PRIVATE: only the logged-in user sees the object."""
        return self.attributes[CKA.PRIVATE] is not False

    def template(self, attribute: CKA) -> Template:
        """Return a template that the object has as an attribute, an empty one where it has none."""
        value = self.attributes.get(attribute, ())
        return value if isinstance(value, tuple) else ()

    def key(self, bad_handle: CKR = CKR.KEY_HANDLE_INVALID, optee: CKR | None = None) -> KeyMaterial:
        """Return the key for mechanisms. Raises ``bad_handle``, or ``optee``, where the object is not a key."""
        if self._key is None:
            self._key = KeyMaterial(self.attributes, bad_handle, optee)
        return self._key
