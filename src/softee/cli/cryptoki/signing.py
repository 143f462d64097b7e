# SPDX-License-Identifier: Apache-2.0
"""Private keys of a token where `cryptography` takes a private key, as when it builds certificates and requests.

The library asks such an object for nothing but its public key and signatures. It looks at the type to choose the
algorithm, so each of these is registered as one of the library's own classes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm

from softee.cli.cryptoki.session import Session
from softee.cli.failure import CliError
from softee.names import CKM

Hashing = SHA256 | SHA384 | SHA512 | None


class _TokenKey:
    """A private key of a token. ``mechanism`` signs; of signatures that hash by themselves this is all."""

    mechanism = CKM.EDDSA

    def __init__(self, session: Session, handle: int, public: PublicKeyTypes) -> None:
        self._session = session
        self._handle = handle
        self._public = public

    def public_key(self) -> PublicKeyTypes:
        """Return the public key."""
        return self._public

    def sign(self, data: bytes, *_: object) -> bytes:
        """Return a signature."""
        return self._session.sign(self.mechanism, self._handle, data)


class _MlDsaKey(_TokenKey):
    """An ML-DSA private key, which signs without a context."""

    mechanism = CKM.ML_DSA


class _EcKey(_TokenKey):
    """A private key on a Weierstrass curve: ECDSA over what is hashed here, for not every token hashes."""

    mechanism = CKM.ECDSA

    def sign(self, data: bytes, *arguments: object) -> bytes:
        """Return a DER signature."""
        (algorithm,) = arguments
        if not isinstance(algorithm, ec.ECDSA) or not isinstance(algorithm.algorithm, HashAlgorithm):
            raise TypeError("something else than ECDSA is asked for")
        digest = Hash(algorithm.algorithm)
        digest.update(data)
        raw = super().sign(digest.finalize())
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


class _RsaKey(_TokenKey):
    """An RSA private key: PKCS#1 v1.5 over SHA-256, all by the token."""

    mechanism = CKM.SHA256_RSA_PKCS

    def sign(self, data: bytes, *arguments: object) -> bytes:
        """Return a signature."""
        padding, hashing = arguments
        if not isinstance(padding, PKCS1v15) or not isinstance(hashing, SHA256):
            raise TypeError("something else than PKCS#1 v1.5 over SHA-256 is asked for")
        return super().sign(data)


def _registered(library: Any, ours: type[_TokenKey]) -> type[_TokenKey]:  # noqa: ANN401 - an abstract base class
    """Return a class of our own that the library takes for its own."""
    made = type(library.__name__, (ours,), {})
    library.register(made)
    return made


_KEYS: Final[Mapping[Any, type[_TokenKey]]] = MappingProxyType(
    {
        rsa.RSAPublicKey: _registered(rsa.RSAPrivateKey, _RsaKey),
        ec.EllipticCurvePublicKey: _registered(ec.EllipticCurvePrivateKey, _EcKey),
        ed25519.Ed25519PublicKey: _registered(ed25519.Ed25519PrivateKey, _TokenKey),
        ed448.Ed448PublicKey: _registered(ed448.Ed448PrivateKey, _TokenKey),
        mldsa.MLDSA44PublicKey: _registered(mldsa.MLDSA44PrivateKey, _MlDsaKey),
        mldsa.MLDSA65PublicKey: _registered(mldsa.MLDSA65PrivateKey, _MlDsaKey),
        mldsa.MLDSA87PublicKey: _registered(mldsa.MLDSA87PrivateKey, _MlDsaKey),
    }
)
"""By the class of the public key."""


def signing_key(
    session: Session, handle: int, public: PublicKeyTypes
) -> tuple[CertificateIssuerPrivateKeyTypes, Hashing]:
    """Return a token's private key for the library's builders, and what they hash with.

    Raises:
        CliError: keys of this type sign no certificates.

    """
    ours = next((ours for kind, ours in _KEYS.items() if isinstance(public, kind)), None)
    if ours is None:
        raise CliError("Keys of this type sign no certificates and requests.")
    return cast("CertificateIssuerPrivateKeyTypes", ours(session, handle, public)), _hashing(public)


def _hashing(public: PublicKeyTypes) -> Hashing:
    """Return the hash function that is as strong as the key; None where the algorithm has its own."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return SHA256() if public.key_size <= 256 else SHA384() if public.key_size <= 384 else SHA512()
    return SHA256() if isinstance(public, rsa.RSAPublicKey) else None
