# SPDX-License-Identifier: Apache-2.0
"""Keys for tests of mechanisms: what a mechanism may see of a key object, without the object."""

from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from softee.names import CKK, CKO
from softee.pkcs11_ta.keys.view import NativeKey


@dataclass(frozen=True)
class StandInKey:
    """A KeyView over the library's key or a secret value. Asked for what it is not, it fails."""

    key_class: CKO
    key_type: int
    size: int
    value: bytes = field(default=b"", repr=False)
    library_key: NativeKey | None = field(default=None, repr=False)

    def secret(self) -> bytes:
        assert self.key_class is CKO.SECRET_KEY
        return self.value

    def native(self) -> NativeKey:
        assert self.library_key is not None
        return self.library_key

    def public(self) -> PublicKeyTypes:
        """Return the library's public key of a private key."""
        assert isinstance(self.library_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        return self.library_key.public_key()


def secret_key(value: bytes, key_type: CKK = CKK.GENERIC_SECRET) -> StandInKey:
    return StandInKey(CKO.SECRET_KEY, key_type, len(value), value=value)


def aes_key(value: bytes) -> StandInKey:
    return secret_key(value, CKK.AES)


def rsa_key(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> StandInKey:
    key_class = CKO.PRIVATE_KEY if isinstance(key, rsa.RSAPrivateKey) else CKO.PUBLIC_KEY
    return StandInKey(key_class, CKK.RSA, key.key_size, library_key=key)


def ec_key(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> StandInKey:
    key_class = CKO.PRIVATE_KEY if isinstance(key, ec.EllipticCurvePrivateKey) else CKO.PUBLIC_KEY
    return StandInKey(key_class, CKK.EC, key.key_size, library_key=key)


@cache
def rsa_pair(bits: int = 2048) -> StandInKey:
    """Return an RSA private key, the same for the whole run."""
    return rsa_key(rsa.generate_private_key(65537, bits))


@cache
def ec_pair(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> StandInKey:
    """Return an EC private key, the same for the whole run."""
    return ec_key(ec.generate_private_key(curve()))
