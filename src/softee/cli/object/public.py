# SPDX-License-Identifier: Apache-2.0
"""What is public of keys and certificates, as far as it can be read."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from softee.cli.cryptoki.described import Described
from softee.cli.cryptoki.native import UNREADABLE, public_key
from softee.cli.cryptoki.session import Session
from softee.cli.failure import CliError
from softee.names import CKA, CKO


def public_facts(session: Session, found: Described) -> Iterator[tuple[str, object]]:
    """Yield names and values of what is known of a key or certificate besides its attributes."""
    if found.object_class == CKO.CERTIFICATE:
        yield from _certificate(session.attributes(found.handle, [CKA.VALUE]).get(CKA.VALUE, b""))
    try:
        key = public_key(session, found.handle)
    except CliError:
        return
    digest = Hash(SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    yield "sha256", digest.finalize().hex()
    yield "public_key", key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _certificate(value: bytes) -> Iterator[tuple[str, object]]:
    try:
        certificate = load_der_x509_certificate(value)
        yield "subject", certificate.subject.rfc4514_string()
        yield "issuer", certificate.issuer.rfc4514_string()
        yield "serial", f"{certificate.serial_number:x}"
        yield "valid from", certificate.not_valid_before_utc.isoformat()
        yield "valid until", certificate.not_valid_after_utc.isoformat()
    except UNREADABLE:
        yield "subject", "cannot be read"
