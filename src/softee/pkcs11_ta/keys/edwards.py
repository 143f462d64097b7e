# SPDX-License-Identifier: Apache-2.0
"""Keys on elliptic curves in Edwards form (PKCS#11 3.2, section 6.3; RFC 8032, RFC 8410): Ed25519 and Ed448.

The library does not test public keys. One that is no point of its curve verifies nothing; one of the few points of
small order verifies signatures that anybody can make.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from softee.names import CKA, CKK
from softee.pkcs11_ta.keys.curves import Curve, Curves, curve_name, oid
from softee.pkcs11_ta.keys.octet_keys import Algorithm, octet_key_type
from softee.pkcs11_ta.keys.view import KeyView, unfit

EdwardsPrivateKey = Ed25519PrivateKey | Ed448PrivateKey
EdwardsPublicKey = Ed25519PublicKey | Ed448PublicKey

KEY_TYPES = frozenset({CKK.EC_EDWARDS})

OPTEE_ED25519: Final = oid("1.3.6.1.4.1.11591.15.1")
"""GnuPG's name for it, from before RFC 8410: the only one that OP-TEE knows."""

CURVES: Final = Curves(
    Curve(
        "Ed25519",
        (curve_name("edwards25519"), oid("1.3.101.112"), OPTEE_ED25519),
        Algorithm(256, 32, Ed25519PrivateKey, Ed25519PublicKey),
    ),
    Curve("Ed448", (curve_name("edwards448"), oid("1.3.101.113")), Algorithm(448, 57, Ed448PrivateKey, Ed448PublicKey)),
)


def private_key(key: KeyView) -> EdwardsPrivateKey:
    """Return the library's Ed25519 or Ed448 private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, EdwardsPrivateKey):
        return native
    raise unfit("an Edwards private key")


def public_key(key: KeyView) -> EdwardsPublicKey:
    """Return the library's Ed25519 or Ed448 public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, EdwardsPublicKey):
        return native
    return private_key(key).public_key()


EDWARDS: Final = octet_key_type(
    "Edwards",
    CKK.EC_EDWARDS,
    CURVES,
    public_usages=frozenset({CKA.VERIFY}),
    private_usages=frozenset({CKA.SIGN}),
)
