# SPDX-License-Identifier: Apache-2.0
"""Keys on elliptic curves in Montgomery form (PKCS#11 3.2, section 6.3; RFC 7748, RFC 8410): X25519 and X448.

Every string of the right size is a public key. What a point of small order would give away is found out when a secret
is derived (``mechanisms/ec/ecdh.py``).
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from softee.names import CKA, CKK
from softee.pkcs11_ta.keys.curves import Curve, Curves, curve_name, oid
from softee.pkcs11_ta.keys.octet_keys import Algorithm, octet_key_type
from softee.pkcs11_ta.keys.view import KeyView, unfit

MontgomeryPrivateKey = X25519PrivateKey | X448PrivateKey
MontgomeryPublicKey = X25519PublicKey | X448PublicKey

KEY_TYPES = frozenset({CKK.EC_MONTGOMERY})

X25519: Final = Algorithm(256, 32, X25519PrivateKey, X25519PublicKey)
X448: Final = Algorithm(448, 56, X448PrivateKey, X448PublicKey)

CURVES: Final = Curves(
    Curve(
        "X25519",
        (
            curve_name("curve25519"),
            oid("1.3.101.110"),
            oid("1.3.6.1.4.1.3029.1.5.1"),  # from before RFC 8410, and in use by smart cards
            b"\x13\x0bcurve25519",  # OpenSC 0.23's, one byte short of its length
        ),
        X25519,
    ),
    Curve("X448", (curve_name("curve448"), oid("1.3.101.111")), X448),
)


def private_key(key: KeyView) -> MontgomeryPrivateKey:
    """Return the library's X25519 or X448 private key. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, MontgomeryPrivateKey):
        return native
    raise unfit("a Montgomery private key")


def public_key(key: KeyView) -> MontgomeryPublicKey:
    """Return the library's X25519 or X448 public key, of a private key too. Raises CKR_KEY_TYPE_INCONSISTENT."""
    native = key.native()
    if isinstance(native, MontgomeryPublicKey):
        return native
    return private_key(key).public_key()


MONTGOMERY: Final = octet_key_type(
    "Montgomery",
    CKK.EC_MONTGOMERY,
    CURVES,
    public_usages=frozenset(),
    private_usages=frozenset({CKA.DERIVE}),
)
