# SPDX-License-Identifier: Apache-2.0
"""Keys of ML-DSA and ML-KEM: what the two types have in common (PKCS#11 3.2, section 6; RFC 9881, RFC 9935).

CKA_PARAMETER_SET says which algorithm a key is for. CKA_VALUE is the public key, or the expanded private key; CKA_SEED
is what a private key was expanded from. A private key that is imported with one of the two gets the other where it
follows: an expanded key does not tell its seed, and has an empty one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, PRIVATE_PART, Rule, Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.lattice_library import Algorithm, LatticePrivateKey, LatticePublicKey
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.rows import PRIVATE_KEY, PUBLIC_KEY
from softee.pkcs11_ta.keys.view import PrivateKey, PublicKey, SizeRange

_PUBLIC_ROWS = (
    *PUBLIC_KEY,
    Use(CKA.PARAMETER_SET, Rule.REQUIRED_ON_CREATE | Rule.REQUIRED_ON_GENERATE),
    Use(CKA.VALUE, Rule.REQUIRED_ON_CREATE | MADE_BY_GENERATION),
)
_PRIVATE_ROWS = (
    *PRIVATE_KEY,
    Use(CKA.PARAMETER_SET, Rule.REQUIRED_ON_CREATE | Rule.FORBIDDEN_ON_UNWRAP),
    Use(CKA.SEED, PRIVATE_PART, default=b""),
    Use(CKA.VALUE, PRIVATE_PART),
)


class ParameterSets:
    """The algorithms that keys of one type may be for, by CKA_PARAMETER_SET."""

    def __init__(self, sets: Mapping[int, Algorithm]) -> None:
        """Take the algorithms."""
        self._sets = {int(number): algorithm for number, algorithm in sets.items()}

    @property
    def sizes(self) -> SizeRange:
        """Bytes of public keys, by which C_GetMechanismInfo measures. There is nothing between them."""
        sizes = [algorithm.public_size for algorithm in self._sets.values()]
        return SizeRange(min(sizes), max(sizes))

    def of(self, attributes: Attributes) -> Algorithm:
        """Return a key's algorithm. Raises CKR_PARAMETER_SET_NOT_SUPPORTED."""
        number = attributes.get(CKA.PARAMETER_SET)
        if not isinstance(number, int) or number not in self._sets:
            known = ", ".join(map(str, self._sets))
            raise Pkcs11Error(CKR.PARAMETER_SET_NOT_SUPPORTED, f"CKA_PARAMETER_SET is none of {known}")
        return self._sets[number]

    def private_parts(self, key: LatticePrivateKey) -> Parts | None:
        """Return all parts of a private key, None for a key of another type. Raises ValueError."""
        for number, algorithm in self._sets.items():
            if algorithm is key.algorithm:
                return {CKA.PARAMETER_SET: number, CKA.SEED: key.seed, CKA.VALUE: key.expanded}
        return None

    def generate(self, template: Attributes) -> tuple[Parts, Parts]:
        """Return what a new pair adds to its public key, which has this template, and to its private key."""
        key = self.of(template).generate()
        return {CKA.VALUE: key.public_key().value}, self.private_parts(key) or {}


@dataclass(frozen=True, slots=True)
class Half:
    """What a type's public or private keys have of their own: usages, and further rows."""

    usages: frozenset[CKA]
    rows: tuple[Use, ...] = ()


def lattice_key_type(
    name: str,
    number: CKK,
    sets: ParameterSets,
    read: Callable[[bytes], LatticePrivateKey],
    *,
    public: Half,
    private: Half,
) -> KeyType:
    """Return the type of the keys for ``sets``. ``read`` makes one of a PrivateKeyInfo."""

    def load_public(attributes: Attributes) -> LatticePublicKey:
        return sets.of(attributes).public_key(bytes(octets(attributes, CKA.VALUE)))

    def load_private(attributes: Attributes) -> LatticePrivateKey:
        seed = attributes.get(CKA.SEED)
        known = seed if isinstance(seed, bytes | bytearray) else b""
        expanded = b"" if known and CKA.VALUE not in attributes else octets(attributes, CKA.VALUE)
        return sets.of(attributes).private_key(known, expanded)

    def complete_public(given: Given) -> None:
        load_public(given)

    def complete_private(given: Given) -> None:
        """Have the library check that the parts belong together, and add the expanded key."""
        given.update(sets.private_parts(load_private(given)) or {})

    def from_native(key: PrivateKey) -> Parts | None:
        return sets.private_parts(key) if isinstance(key, LatticePrivateKey) else None

    public_rows, private_rows = (*_PUBLIC_ROWS, *public.rows), (*_PRIVATE_ROWS, *private.rows)
    return KeyType(
        name=name,
        numbers=frozenset({number}),
        measure=lambda attributes: sets.of(attributes).public_size,
        forms=(
            KeyForm(CKO.PUBLIC_KEY, public_rows, complete_public, public.usages, load_public, slow_from=0),
            KeyForm(CKO.PRIVATE_KEY, private_rows, complete_private, private.usages, load_private, slow_from=0),
        ),
        read_info=read,
        from_native=from_native,
        public_half=_public_half,
        public_parts=_public_parts,
    )


def _public_half(key: PrivateKey) -> bytes | None:
    """Return the part of the public key that also stands in an expanded key; None where the seed is not known.

    All of a key follows from its seed, so whoever wrote a part beside the seed knew it. Of an expanded key there are
    parts that nothing else depends on, so it proves nothing by itself.
    """
    if not isinstance(key, LatticePrivateKey) or not key.seed:
        return None
    return key.public_key().shared_part


def _public_parts(key: PublicKey) -> Parts:
    if not isinstance(key, LatticePublicKey):
        raise TypeError("a key of another type")
    return {CKA.VALUE: key.value}
