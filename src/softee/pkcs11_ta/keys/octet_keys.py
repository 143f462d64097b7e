# SPDX-License-Identifier: Apache-2.0
"""Keys that are octets (RFC 8032, RFC 7748, RFC 8410): what Edwards and Montgomery keys have in common.

CKA_EC_POINT is the public key with nothing around it: so the standard has it since 3.1, and so does OP-TEE. Version 3.0
was read as asking for a DER OCTET STRING; that is taken too, and shown where the token's policy says so, for many
programs read no other form. CKA_VALUE is the private key. Every string of the right size is one, so a private key that
is unwrapped must not be made of the blocks of others: its public half proves it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.uses import MADE_BY_GENERATION, UNSET, Use
from softee.pkcs11_ta.attributes.values import Attributes, Given, Parts
from softee.pkcs11_ta.keys.curves import FLAGS, PRIVATE_ROWS, PUBLIC_ROWS, Curves
from softee.pkcs11_ta.keys.key_type import KeyForm, KeyType
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.view import PrivateKey, SizeRange

OctetPrivateKey = Ed25519PrivateKey | Ed448PrivateKey | X25519PrivateKey | X448PrivateKey
OctetPublicKey = Ed25519PublicKey | Ed448PublicKey | X25519PublicKey | X448PublicKey

KEY_SIZE = SizeRange(256, 448)
"""In bits of the field, where 255 count as 256: as OP-TEE has it. There is nothing between the two."""


_OCTET_KEY_TYPES = frozenset({CKK.EC_EDWARDS, CKK.EC_MONTGOMERY})


_PRIVATE_ROWS = (*PRIVATE_ROWS, Use(CKA.EC_POINT, MADE_BY_GENERATION, UNSET))
"""The standard has no CKA_EC_POINT for a private key. OP-TEE has it, needs it, and its tests import keys with it."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What is done with keys on a curve: the bits of its field, the bytes of a public key, the library's keys."""

    bits: int
    size: int
    private: type[OctetPrivateKey]
    public: type[OctetPublicKey]

    def decode_point(self, ec_point: bytes) -> bytes:
        """Return the public key in CKA_EC_POINT: the bytes themselves, or a DER OCTET STRING of them.

        The size says which: a key may happen to begin like an OCTET STRING. Raises ValueError where it is neither.
        """
        return ec_point if len(ec_point) == self.size else asn1.decode_der(bytes, ec_point)


def octet_key_type(
    name: str, number: CKK, curves: Curves[Algorithm], *, public_usages: frozenset[CKA], private_usages: frozenset[CKA]
) -> KeyType:
    """Return the type of the keys on ``curves``."""
    load_public, load_private = _loaders(curves)

    def complete_public(given: Given) -> None:
        """Check the public key's size, and keep it bare."""
        given[CKA.EC_POINT] = load_public(given).public_bytes_raw()

    def complete_private(given: Given) -> None:
        """Add the public key, or check that it is the private key's."""
        point = load_private(given).public_key().public_bytes_raw()
        claimed = given.setdefault(CKA.EC_POINT, point)
        if not isinstance(claimed, bytes) or curves.of(given).decode_point(claimed) != point:
            raise ValueError("CKA_EC_POINT is not that of the private key")
        given[CKA.EC_POINT] = point

    def from_native(key: PrivateKey) -> Parts | None:
        for curve in curves:
            if isinstance(key, curve.native.private):
                return private_parts(key, curve.params[0])
        return None

    return KeyType(
        name=name,
        numbers=frozenset({number}),
        measure=lambda attributes: curves.of(attributes).bits,
        forms=(
            KeyForm(CKO.PUBLIC_KEY, PUBLIC_ROWS, complete_public, public_usages, load_public, slow_from=257),
            KeyForm(CKO.PRIVATE_KEY, _PRIVATE_ROWS, complete_private, private_usages, load_private, slow_from=257),
        ),
        from_native=from_native,
        public_half=_public_half,
        public_parts=lambda key: {CKA.EC_POINT: key.public_bytes(Encoding.Raw, PublicFormat.Raw)},
        curves=curves.names,
        flags=FLAGS,
    )


def wrapped_point(attributes: Attributes) -> bytes | None:
    """Return CKA_EC_POINT as a DER OCTET STRING, None where the key is no public key of octets."""
    point = attributes.get(CKA.EC_POINT)
    if attributes.get(CKA.KEY_TYPE) not in _OCTET_KEY_TYPES or not isinstance(point, bytes):
        return None
    return asn1.encode_der(point)


def private_parts(key: OctetPrivateKey, ec_params: bytes) -> Parts:
    """Return CKA_EC_PARAMS, which names the key's curve, CKA_VALUE and CKA_EC_POINT of a private key."""
    return {
        CKA.EC_PARAMS: ec_params,
        CKA.VALUE: SecretBytes(key.private_bytes_raw()),
        CKA.EC_POINT: key.public_key().public_bytes_raw(),
    }


def _loaders(
    curves: Curves[Algorithm],
) -> tuple[Callable[[Attributes], OctetPublicKey], Callable[[Attributes], OctetPrivateKey]]:
    def load_public(attributes: Attributes) -> OctetPublicKey:
        curve = curves.of(attributes)
        return curve.public.from_public_bytes(curve.decode_point(bytes(octets(attributes, CKA.EC_POINT))))

    def load_private(attributes: Attributes) -> OctetPrivateKey:
        return curves.of(attributes).private.from_private_bytes(octets(attributes, CKA.VALUE))

    return load_public, load_private


def _public_half(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
