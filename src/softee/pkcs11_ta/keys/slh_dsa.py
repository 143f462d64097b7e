# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA keys (PKCS#11 3.2, section 6.69; FIPS 205; RFC 9909).

CKA_PARAMETER_SET says which algorithm a key is for. CKA_VALUE is the public key, or the private one, which ends with
the public one.
"""

from typing import Final

from softee.names import CKA, CKK, CKO, CKR, SlhDsaParameterSet
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, PRIVATE_PART, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys import slh_dsa_library as library
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.rows import PRIVATE_KEY, PUBLIC_KEY
from softee.pkcs11_ta.keys.slh_dsa_library import SlhDsa, SlhDsaPrivateKey, SlhDsaPublicKey
from softee.pkcs11_ta.keys.view import KeyView, PrivateKey, PublicKey, SizeRange, unfit

KEY_TYPES: Final = frozenset({CKK.SLH_DSA})
SIZES: Final = SizeRange(library.SHA2_128S.public_size, library.SHA2_256F.public_size)
"""Bytes of public keys, by which C_GetMechanismInfo measures."""

_SETS: Final = {
    int(number): next(one for one in library.ALGORITHMS if number.name.lower() == f"slh_dsa_{one.name}")
    for number in SlhDsaParameterSet
}


def private_key(key: KeyView) -> SlhDsaPrivateKey:
    """Return the library's private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, SlhDsaPrivateKey):
        return native
    raise unfit("an SLH-DSA private key")


def public_key(key: KeyView) -> SlhDsaPublicKey:
    """Return the library's public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, SlhDsaPublicKey):
        return native
    return private_key(key).public_key()


def generate(template: Attributes) -> tuple[Parts, Parts]:
    """Return what a new pair adds to its public key, which has this template, and to its private key."""
    key = _algorithm(template).generate()
    return {CKA.VALUE: key.public_key().value}, _private_parts(key)


def _algorithm(attributes: Attributes) -> SlhDsa:
    """Return a key's algorithm. Raises CKR_PARAMETER_SET_NOT_SUPPORTED."""
    number = attributes.get(CKA.PARAMETER_SET)
    if not isinstance(number, int) or number not in _SETS:
        raise Pkcs11Error(CKR.PARAMETER_SET_NOT_SUPPORTED, f"CKA_PARAMETER_SET is none of 1 to {len(_SETS)}")
    return _SETS[number]


def _private_parts(key: SlhDsaPrivateKey) -> Parts:
    number = next(number for number, algorithm in _SETS.items() if algorithm is key.algorithm)
    return {CKA.PARAMETER_SET: number, CKA.VALUE: key.value}


def _load_public(attributes: Attributes) -> SlhDsaPublicKey:
    return _algorithm(attributes).public_key(bytes(octets(attributes, CKA.VALUE)))


def _load_private(attributes: Attributes) -> SlhDsaPrivateKey:
    return _algorithm(attributes).private_key(octets(attributes, CKA.VALUE))


def _complete_public(given: Given) -> None:
    _load_public(given)


def _complete_private(given: Given) -> None:
    _load_private(given)


def _from_native(key: PrivateKey) -> Parts | None:
    return _private_parts(key) if isinstance(key, SlhDsaPrivateKey) else None


def _public_half(_: PrivateKey) -> None:
    """Say that nothing in a key shows that whoever made it knew all of it: its second secret enters nothing else."""


def _public_parts(key: PublicKey) -> Parts:
    if not isinstance(key, SlhDsaPublicKey):
        raise TypeError("a key of another type")
    return {CKA.VALUE: key.value}


SLH_DSA: Final = KeyType(
    name="SLH-DSA",
    numbers=KEY_TYPES,
    measure=lambda attributes: _algorithm(attributes).public_size,
    forms=(
        KeyForm(
            CKO.PUBLIC_KEY,
            (
                *PUBLIC_KEY,
                Use(CKA.PARAMETER_SET, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
                Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
            ),
            _complete_public,
            frozenset({CKA.VERIFY}),
            _load_public,
            slow_from=0,
        ),
        KeyForm(
            CKO.PRIVATE_KEY,
            (
                *PRIVATE_KEY,
                Use(CKA.PARAMETER_SET, Rule.REQUIRED_ON_CREATE | Rule.FORBIDDEN_ON_UNWRAP),
                Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | PRIVATE_PART),
            ),
            _complete_private,
            frozenset({CKA.SIGN}),
            _load_private,
            slow_from=0,
        ),
    ),
    read_info=library.read,
    from_native=_from_native,
    public_half=_public_half,
    public_parts=_public_parts,
)
