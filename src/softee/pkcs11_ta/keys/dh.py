# SPDX-License-Identifier: Apache-2.0
"""Keys of Diffie-Hellman over finite fields (PKCS#11 3.2, section 6, PKCS #3), in the groups of ``dh_groups.py``.

They are not wrapped: the PrivateKeyInfo of such a key says nothing of its public half, so that whoever unwraps a
protected one could put anything in the place of its number, and find it by what it is agreed on with.
"""

import warnings
from typing import Final

from cryptography.utils import CryptographyDeprecationWarning

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, PRIVATE_PART, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.dh_groups import BASE, PRIMES
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import big_endian, number, octets
from softee.pkcs11_ta.keys.rows import PRIVATE_KEY, PUBLIC_KEY
from softee.pkcs11_ta.keys.view import KeyView, PublicKey, SizeRange, unfit

with warnings.catch_warnings():
    # The library means to drop it in favour of elliptic curves, and says so to whoever imports it (decision 0009).
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    from cryptography.hazmat.primitives.asymmetric.dh import (
        DHParameterNumbers,
        DHPrivateKey,
        DHPrivateNumbers,
        DHPublicKey,
        DHPublicNumbers,
    )

KEY_TYPES = frozenset({CKK.DH})
KEY_SIZE = SizeRange(2048, 4096)
"""In bits of the prime."""

_GROUP_ROWS = (
    Use(CKA.PRIME, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
    Use(CKA.BASE, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
)
_PUBLIC_ROWS = (*PUBLIC_KEY, *_GROUP_ROWS, Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION))
_PRIVATE_ROWS = (
    *PRIVATE_KEY,
    Use(CKA.PRIME, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.BASE, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
    Use(CKA.VALUE_BITS, Rule.FORBIDDEN_ON_CREATE | Rule.FORBIDDEN_ON_UNWRAP),
)


def group(attributes: Attributes) -> DHParameterNumbers:
    """Return the group of CKA_PRIME and CKA_BASE. Raises CKR_DOMAIN_PARAMS_INVALID where it is none of ours."""
    prime = bytes(octets(attributes, CKA.PRIME)).lstrip(b"\0")
    base = bytes(octets(attributes, CKA.BASE)).lstrip(b"\0")
    if prime not in PRIMES or base != BASE:
        detail = f"CKA_PRIME ({8 * len(prime)} bits) and CKA_BASE are of no group of RFC 3526 or RFC 7919"
        raise Pkcs11Error(CKR.DOMAIN_PARAMS_INVALID, detail)
    return DHParameterNumbers(int.from_bytes(prime, "big"), int.from_bytes(base, "big"))


def private_key(key: KeyView) -> DHPrivateKey:
    """Return the library's private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, DHPrivateKey):
        return native
    raise unfit("a Diffie-Hellman private key")


def public_key(key: KeyView) -> DHPublicKey:
    """Return the library's public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, DHPublicKey):
        return native
    return private_key(key).public_key()


def member(value: bytes, of: DHParameterNumbers) -> DHPublicKey:
    """Return the public key of a value in a group. Raises ValueError for 0, 1 and what stands for them."""
    y = int.from_bytes(value, "big")
    if not 1 < y < of.p - 1:
        raise ValueError("a public value that is none of the group's")
    return DHPublicNumbers(y, of).public_key()


def generated_parts(key: DHPrivateKey, template: Attributes) -> tuple[Parts, Parts]:
    """Return the parts of a public key with this template, and of the private key."""
    numbers = key.private_numbers()
    size = len(octets(template, CKA.PRIME))
    value = bytes(numbers.public_numbers.y.to_bytes(size, "big"))
    shared: Parts = {attribute: bytes(octets(template, attribute)) for attribute in (CKA.PRIME, CKA.BASE)}
    return {CKA.VALUE: value}, {**shared, CKA.VALUE: big_endian(numbers.x), CKA.VALUE_BITS: numbers.x.bit_length()}


def _prime_bits(attributes: Attributes) -> int:
    return number(attributes, CKA.PRIME).bit_length()


def _load_public(attributes: Attributes) -> DHPublicKey:
    return member(bytes(octets(attributes, CKA.VALUE)), group(attributes))


def _load_private(attributes: Attributes) -> DHPrivateKey:
    """Return the private key, whose public value is computed."""
    parameters = group(attributes)
    x = number(attributes, CKA.VALUE)
    if not 1 < x < parameters.p - 1:
        raise ValueError("a private value that is none of the group's")
    own = DHPublicNumbers(parameters.g, parameters)
    # The library wants the public value, and does not ask whether it belongs to x: it computes it as a shared secret.
    y = int.from_bytes(DHPrivateNumbers(x, own).private_key().exchange(own.public_key()), "big")
    return DHPrivateNumbers(x, DHPublicNumbers(y, parameters)).private_key()


def _public_parts(key: PublicKey) -> Parts:
    if not isinstance(key, DHPublicKey):
        raise TypeError("a key of another type")
    numbers = key.public_numbers()
    size = -(-numbers.parameter_numbers.p.bit_length() // 8)
    return {CKA.VALUE: bytes(numbers.y.to_bytes(size, "big"))}


def _complete_public(given: Given) -> None:
    _load_public(given)


def _complete_private(given: Given) -> None:
    given[CKA.VALUE_BITS] = number(given, CKA.VALUE).bit_length()
    _load_private(given)


DH: Final = KeyType(
    name="DH",
    numbers=KEY_TYPES,
    measure=_prime_bits,
    forms=(
        KeyForm(CKO.PUBLIC_KEY, _PUBLIC_ROWS, _complete_public, frozenset(), _load_public),
        KeyForm(CKO.PRIVATE_KEY, _PRIVATE_ROWS, _complete_private, frozenset({CKA.DERIVE}), _load_private),
    ),
    public_parts=_public_parts,
)
