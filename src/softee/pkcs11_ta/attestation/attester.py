# SPDX-License-Identifier: Apache-2.0
"""The installation's attestation key: made when it is first needed, in a vault of its own, which it never leaves.

The vault's head is the certificate that the key has made for itself, its one object the private key. A chain from the
settings takes that certificate's place, if it is the key's.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates

import softee
from softee.pkcs11_ta.attestation.certificates import attest, request, self_signed
from softee.pkcs11_ta.attestation.chain import UNREADABLE, ChainError, check_chain, check_issuer
from softee.pkcs11_ta.attestation.claims import claims_of
from softee.pkcs11_ta.attestation.evidence import PROFILE, Evidence, TokenClaims, base64url
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.keys.view import PublicKey
from softee.stores.base import ConflictError
from softee.tee.keys import wipe
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import SecureStorage
from softee.tee.vault import Vault

VAULT: Final = "attestation"
"""The vault's name."""

_KEY: Final = 1
_COMPARTMENT: Final = 0

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _Identity:
    """The key, and its chain: its own certificate first."""

    key: EllipticCurvePrivateKey
    chain: tuple[Certificate, ...]


class Attester:
    """Signs statements of where keys come from. Safe to use from several threads.

    What it raises besides: TamperedError, where its vault is damaged, and StoreError.
    """

    def __init__(self, storage: SecureStorage, clock: Clock) -> None:
        """Take a storage that has the vault. Nothing is read or made before it is needed."""
        self._storage = storage
        self._clock = clock
        self._lock = threading.Lock()
        self._identity: _Identity | None = None
        self._name = f"softee attestation {storage.installation}"

    def install(self, pem: bytes) -> None:
        """Use this chain instead of the certificate that the key has made for itself.

        Raises:
            ChainError: it does not decode, is not the key's, or does not hang together.

        """
        key = self._own().key
        try:
            chain = tuple(load_pem_x509_certificates(pem))
            if chain[0].public_key() != key.public_key():
                raise ChainError("its first certificate is not that of this installation's attestation key")
            check_issuer(chain[0])
            check_chain(chain, depth=1)
        except UNREADABLE:
            raise ChainError("it does not decode as certificates in PEM") from None
        self._identity = _Identity(key, chain)

    def chain(self) -> bytes:
        """Return the attestation key's certificate, and those of the CAs above it that are known, in PEM."""
        return _pem(*self._own().chain)

    def request(self) -> bytes:
        """Return a PKCS#10 request for a certificate of the attestation key, in PEM."""
        return request(self._own().key, self._name).public_bytes(Encoding.PEM)

    def attest(self, public: PublicKey, attributes: Attributes, token: TokenClaims, nonce: bytes) -> bytes:
        """Return the statement of a private key: its certificate, and the attestation key's chain, in PEM.

        Args:
            public: the public key.
            attributes: the private key's.
            token: the one that has it.
            nonce: the caller's, by which he knows that the statement is new.

        Raises:
            Pkcs11Error: CKR_KEY_TYPE_INCONSISTENT: there are no certificates for keys of this type.

        """
        own = self._own()
        statement = Evidence(
            eat_profile=PROFILE,
            iat=int(self._clock().timestamp()),
            swname="softee",
            swversion=(softee.__version__,),
            token=token,
            key=claims_of(attributes),
            eat_nonce=base64url(nonce),
        )
        return _pem(attest(own.key, own.chain[0], public, statement), *own.chain)

    def _own(self) -> _Identity:
        with self._lock:
            if self._identity is None:
                vault = self._storage.vault(VAULT)
                self._identity = _load(vault) if vault.head else self._make(vault)
            return self._identity

    def _make(self, vault: Vault) -> _Identity:
        key = generate_private_key(SECP256R1())
        certificate = self_signed(key, self._name, self._clock())
        change = vault.change()
        encoded = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        change.add(encoded, vault.key, _COMPARTMENT, ())
        change.set_head(certificate.public_bytes(Encoding.DER))
        try:
            change.commit()
        except ConflictError:  # another secure world was quicker
            vault.refresh()
            return _load(vault)
        return _Identity(key, (certificate,))


def _load(vault: Vault) -> _Identity:
    try:
        encoded = vault.read(_KEY, vault.key)
        try:
            key = load_der_private_key(encoded, password=None)
        finally:
            wipe(encoded)
        certificate = load_der_x509_certificate(vault.head)
    except (KeyError, ValueError):
        raise TamperedError("the attestation key does not decode") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TamperedError("the attestation key is of another type")
    return _Identity(key, (certificate,))


def _pem(*certificates: Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
