# SPDX-License-Identifier: Apache-2.0
"""The certificates of attestation: of the key that attests, its request to a CA, and of the keys that it attests.

Whoever trusts the root believes what the attestation key signs. No CA can be below it: its path length is 0.
"""

from datetime import datetime
from typing import Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    CertificateSigningRequest,
    CertificateSigningRequestBuilder,
    ExtensionNotFound,
    KeyUsage,
    Name,
    NameAttribute,
    SubjectKeyIdentifier,
    UnrecognizedExtension,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attestation import evidence
from softee.pkcs11_ta.keys.lattice_library import MlDsaPublicKey, MlKemPublicKey
from softee.pkcs11_ta.keys.view import PublicKey

_SIGNS_CERTIFICATES: Final = KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
_ATTESTS: Final = BasicConstraints(ca=True, path_length=0)
_ATTESTED: Final = Name([NameAttribute(NameOID.COMMON_NAME, "softee attested key")])


def self_signed(key: EllipticCurvePrivateKey, name: str, now: datetime) -> Certificate:
    """Return the certificate of a new attestation key, which is its own root, and does not end (RFC 5280, 4.1.2.5)."""
    subject = _name(name)
    builder = CertificateBuilder(
        subject_name=subject,
        issuer_name=subject,
        public_key=key.public_key(),
        serial_number=random_serial_number(),
        not_valid_before=now,
        not_valid_after=now.replace(year=9999, month=12, day=31, hour=23, minute=59, second=59),
    )
    builder = builder.add_extension(_ATTESTS, critical=True).add_extension(_SIGNS_CERTIFICATES, critical=True)
    identifier = SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, SHA256())


def request(key: EllipticCurvePrivateKey, name: str) -> CertificateSigningRequest:
    """Return what asks a CA for a certificate of the attestation key."""
    builder = CertificateSigningRequestBuilder(_name(name))
    builder = builder.add_extension(_ATTESTS, critical=True).add_extension(_SIGNS_CERTIFICATES, critical=True)
    return builder.sign(key, SHA256())


def attest(
    key: EllipticCurvePrivateKey, issuer: Certificate, public: PublicKey, statement: evidence.Evidence
) -> Certificate:
    """Return the certificate of an attested key, with the statement in it.

    It is valid as long as the issuer's is: a statement does not grow old, and a verifier's clock may be behind. When it
    was made is one of the claims.

    Raises:
        Pkcs11Error: CKR_KEY_TYPE_INCONSISTENT: the library makes no certificates for keys of this type.

    """
    builder = _certificate_of(public).subject_name(_ATTESTED).issuer_name(issuer.subject)
    builder = builder.serial_number(random_serial_number())
    builder = builder.not_valid_before(issuer.not_valid_before_utc).not_valid_after(issuer.not_valid_after_utc)
    builder = builder.add_extension(BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_identifier_of(issuer, key), critical=False)
    extension = UnrecognizedExtension(evidence.EXTENSION, evidence.encode(statement))
    return builder.add_extension(extension, critical=False).sign(key, SHA256())


def _name(name: str) -> Name:
    return Name([NameAttribute(NameOID.COMMON_NAME, name)])


def _identifier_of(issuer: Certificate, key: EllipticCurvePrivateKey) -> AuthorityKeyIdentifier:
    try:
        own = issuer.extensions.get_extension_for_class(SubjectKeyIdentifier).value
    except ExtensionNotFound:
        return AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _certificate_of(public: PublicKey) -> CertificateBuilder:
    """Begin the certificate of a public key, if the library makes them for such keys."""
    try:
        return CertificateBuilder().public_key(_native(public))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Pkcs11Error(CKR.KEY_TYPE_INCONSISTENT, "there are no certificates for keys of this type") from None


def _native(public: PublicKey) -> CertificatePublicKeyTypes:
    """Return the key as the library that makes certificates has it; whether it makes one of it, it says then."""
    if isinstance(public, MlDsaPublicKey | MlKemPublicKey):
        encoded = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cast("CertificatePublicKeyTypes", load_der_public_key(encoded))
    return cast("CertificatePublicKeyTypes", public)
