# SPDX-License-Identifier: Apache-2.0
"""The key behind a key object: what a mechanism sees of it, and the library's key object, made when first needed.

The attributes were checked when the object was made and have been sealed since, so loading them here does not test
their primes again.
"""

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.parts import is_protected, octets
from softee.pkcs11_ta.keys.table import find_form, find_key_type
from softee.pkcs11_ta.keys.view import NativeKey, unfit


class KeyMaterial:
    """A mechanism's view of a key object (``KeyView``). Immutable, but for the native key that it makes once."""

    __slots__ = ("_attributes", "_native", "key_class", "key_type", "size", "slow")

    key_class: CKO
    key_type: int
    size: int
    slow: bool
    """Whether an operation with the key takes longer than some hundred microseconds."""

    def __init__(
        self, attributes: Attributes, bad_handle: CKR = CKR.KEY_HANDLE_INVALID, optee: CKR | None = None
    ) -> None:
        """Take a key object's attributes. Raises ``bad_handle``, or ``optee``, where they are not a key's."""
        key_class, number = attributes.get(CKA.CLASS), attributes.get(CKA.KEY_TYPE)
        key_type = find_key_type(number)
        form = key_type.form(key_class) if key_type else None
        if key_type is None or form is None or not isinstance(number, int):
            raise Pkcs11Error(bad_handle, "the object is not a key", optee=optee)
        self.key_class = form.object_class
        self.key_type = number
        self.size = key_type.measure(attributes)
        self.slow = form.slow_from is not None and self.size >= form.slow_from
        self._attributes = attributes
        self._native: NativeKey | None = None

    @property
    def protected(self) -> bool:
        """Whether its value is shown to nobody."""
        return is_protected(self._attributes)

    def secret(self) -> bytes | bytearray:
        """Return a secret key's value. Raises CKR_KEY_TYPE_INCONSISTENT for another kind of key."""
        if self.key_class is not CKO.SECRET_KEY:
            raise unfit("a secret key")
        return octets(self._attributes, CKA.VALUE)

    def native(self) -> NativeKey:
        """Return the library's key object. Two threads may make it at the same time; both get a good one.

        Raises:
            Pkcs11Error: CKR_KEY_TYPE_INCONSISTENT for a secret key; CKR_GENERAL_ERROR where the parts, checked when the
                object was made, do not make a key.

        """
        if self._native is None:
            form = find_form(self.key_class, self.key_type)
            if form is None or form.load is None:
                raise unfit("a public or private key")
            try:
                self._native = form.load(self._attributes)
            except ValueError:
                raise Pkcs11Error(CKR.GENERAL_ERROR, "the key's parts do not make a key") from None
        return self._native
