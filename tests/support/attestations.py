# SPDX-License-Identifier: Apache-2.0
"""Statements as clients get them, and the CA of an operator."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from softee.pkcs11_ta.attestation.evidence import EXTENSION, Evidence, decode
from support.commands import c
from support.token_world import NOW, Caller

NONCE = bytes(range(16))
YEAR = timedelta(days=365)
CA = x509.BasicConstraints(ca=True, path_length=None)


def attest(caller: Caller, session: int, handle: int, nonce: bytes = NONCE) -> bytes:
    """Return the statement of a key, in PEM."""
    return caller.ok(c.ATTEST_KEY, session, handle, nonce).output


def chain_of(caller: Caller) -> bytes:
    """Return the attestation key's chain, in PEM."""
    return caller.ok(c.ATTESTATION_CHAIN, 0).output


def request_of(caller: Caller) -> x509.CertificateSigningRequest:
    """Return the attestation key's request."""
    return x509.load_pem_x509_csr(caller.ok(c.ATTESTATION_REQUEST, 0).output)


def certificates(pem: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem)


def stated(pem: bytes) -> Evidence:
    """Return what a statement says, unverified."""
    extension = certificates(pem)[0].extensions.get_extension_for_oid(EXTENSION).value
    assert isinstance(extension, x509.UnrecognizedExtension)
    return decode(extension.value)


def as_pem(*made: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in made)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def name_in(certificate: x509.Certificate) -> str:
    """Return the name that a certificate has."""
    name = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert isinstance(name, str)
    return name


@dataclass(frozen=True)
class Authority:
    """A CA."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def issue(
        self,
        public: ec.EllipticCurvePublicKey,
        name: str,
        *extensions: tuple[x509.ExtensionType, bool],
        start: datetime = NOW,
        end: datetime = NOW + YEAR,
    ) -> x509.Certificate:
        """Issue a certificate with these extensions, each critical or not."""
        builder = _begun(self.certificate.subject, name, public, start, end)
        return _signed(builder, extensions, self.key)


def authority(name: str = "an operator's root", path_length: int | None = None) -> Authority:
    """Return a root."""
    key = ec.generate_private_key(ec.SECP384R1())
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    extensions = ((constraints, True),)
    builder = _begun(named(name), name, key.public_key(), NOW, NOW + YEAR)
    return Authority(key, _signed(builder, extensions, key))


def _begun(
    issuer: x509.Name, name: str, public: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(issuer, named(name), public, x509.random_serial_number(), start, end)


def _signed(
    builder: x509.CertificateBuilder,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, SHA256())


def attestation_key(caller: Caller) -> ec.EllipticCurvePublicKey:
    """Return the public half of the attestation key."""
    public = certificates(chain_of(caller))[0].public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return public
