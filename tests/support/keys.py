# SPDX-License-Identifier: Apache-2.0
"""Keys for tests of mechanisms: what a mechanism may see of a key object, without the object."""

from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from softee.names import CKK, CKO


@dataclass(frozen=True)
class StandInKey:
    """A KeyView over the library's key or a secret value. Asked for what it is not, it fails."""

    key_class: CKO
    key_type: int
    size: int
    value: bytes = field(default=b"", repr=False)
    rsa_half: rsa.RSAPrivateKey | rsa.RSAPublicKey | None = field(default=None, repr=False)
    ec_half: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey | None = field(default=None, repr=False)

    def secret(self) -> bytes:
        assert self.key_class is CKO.SECRET_KEY
        return self.value

    def rsa_public(self) -> rsa.RSAPublicKey:
        assert self.rsa_half is not None
        return self.rsa_half.public_key() if isinstance(self.rsa_half, rsa.RSAPrivateKey) else self.rsa_half

    def rsa_private(self) -> rsa.RSAPrivateKey:
        assert isinstance(self.rsa_half, rsa.RSAPrivateKey)
        return self.rsa_half

    def ec_public(self) -> ec.EllipticCurvePublicKey:
        assert self.ec_half is not None
        return self.ec_half.public_key() if isinstance(self.ec_half, ec.EllipticCurvePrivateKey) else self.ec_half

    def ec_private(self) -> ec.EllipticCurvePrivateKey:
        assert isinstance(self.ec_half, ec.EllipticCurvePrivateKey)
        return self.ec_half


def secret_key(value: bytes, key_type: CKK = CKK.GENERIC_SECRET) -> StandInKey:
    return StandInKey(CKO.SECRET_KEY, key_type, len(value), value=value)


def aes_key(value: bytes) -> StandInKey:
    return secret_key(value, CKK.AES)


def rsa_key(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> StandInKey:
    key_class = CKO.PRIVATE_KEY if isinstance(key, rsa.RSAPrivateKey) else CKO.PUBLIC_KEY
    return StandInKey(key_class, CKK.RSA, key.key_size, rsa_half=key)


def ec_key(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> StandInKey:
    key_class = CKO.PRIVATE_KEY if isinstance(key, ec.EllipticCurvePrivateKey) else CKO.PUBLIC_KEY
    return StandInKey(key_class, CKK.EC, key.key_size, ec_half=key)


@cache
def rsa_pair(bits: int = 2048) -> StandInKey:
    """Return an RSA private key, the same for the whole run."""
    return rsa_key(rsa.generate_private_key(65537, bits))


@cache
def ec_pair(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> StandInKey:
    """Return an EC private key, the same for the whole run."""
    return ec_key(ec.generate_private_key(curve()))
