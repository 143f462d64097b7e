# SPDX-License-Identifier: Apache-2.0
"""What a type of keys is: one frozen description, from which object kinds, checks, loaders and sizes are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from softee.names import CKA, CKK, CKO, MechanismFlag
from softee.pkcs11_ta.attributes.uses import Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.view import NativeKey, PrivateKey, PublicKey

_NO_FLAGS: Final = MechanismFlag(0)


@dataclass(frozen=True, slots=True)
class KeyForm:
    """A type's public, private or secret keys.

    ``complete`` checks the parts of a key in the making, which are hostile, keeps one way to write them where there are
    several, and adds those that follow from others; it raises ValueError, or Pkcs11Error with the return value of
    C_CreateObject. It does not run on generated pairs, whose parts are as the mechanism makes them. ``load`` makes the
    library's key object of complete attributes, or raises ValueError; secret keys have none. ``usages`` are the
    attributes of what such keys can do, less derive, wrap and unwrap, where they can do anything else: what a key is
    for whose template says nothing of it. ``sizes`` are those that a secret key may have, in bytes, ``check_value`` is
    how its CKA_CHECK_VALUE is computed, and ``arrange`` makes a value of bytes that come from chance or a derivation,
    where the type does not take all bytes. ``slow_from`` is the size from which on an operation with such a key takes
    longer than some hundred microseconds; None: with none does it.
    """

    object_class: CKO
    rows: tuple[Use, ...]
    complete: Callable[[Given], None]
    usages: frozenset[CKA]
    load: Callable[[Attributes], NativeKey] | None = None
    sizes: Sequence[int] | None = None
    check_value: Callable[[bytes | bytearray], bytes] | None = None
    arrange: Callable[[bytes | bytearray], bytes] | None = None
    slow_from: int | None = None


@dataclass(frozen=True, slots=True)
class KeyType:
    """Keys whose attributes and parts are alike.

    ``measure`` returns a key's size in the unit of C_GetMechanismInfo. ``from_native`` returns the parts of the
    library's private key, None where that is of another type, and raises ValueError for one that the token does not
    take: so PKCS#8 is read. Types whose keys are not wrapped in it leave it out. ``read_info`` makes the library's
    key of PKCS#8 for types that `cryptography` does not read; it raises ValueError. ``public_half`` returns what
    stands in the PKCS#8 of a key whose private value could be any number, and shows that whoever made it knew the
    number, or None where nothing can; a type whose parts prove each other has none. ``free_length``: a key may have
    any number of bytes, so a short one tells all that it is to whoever can use it. ``public_parts`` returns what a
    public key object has of the library's public key, less what its private key's object names alike; types of
    secret keys have none. ``curves`` are the values of CKA_EC_PARAMS, by the names that people know them by, and
    ``flags`` what C_GetMechanismInfo says of curves.
    """

    name: str
    numbers: frozenset[CKK]
    measure: Callable[[Attributes], int]
    forms: tuple[KeyForm, ...]
    from_native: Callable[[PrivateKey], Parts | None] | None = None
    read_info: Callable[[bytes], PrivateKey] | None = None
    public_half: Callable[[PrivateKey], bytes | None] | None = None
    free_length: bool = False
    public_parts: Callable[[PublicKey], Parts] | None = None
    curves: Mapping[str, frozenset[bytes]] = field(default_factory=lambda: MappingProxyType({}))
    flags: MechanismFlag = _NO_FLAGS

    def form(self, object_class: object) -> KeyForm | None:
        """Return the type's keys of a class, or None where it has none."""
        return next((form for form in self.forms if form.object_class == object_class), None)
