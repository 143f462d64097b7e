# SPDX-License-Identifier: Apache-2.0
"""What the files that the walkthrough's programs made must hold, read with ``cryptography``."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from softee.cli.demo.checks import shortened
from softee.cli.demo.step import Answer, Check, CheckFailedError

T = TypeVar("T")


def request_signs_itself(file: str, name: str) -> Check:
    """Check that a certificate request is for the common name, with a P-256 key, and signed by it over SHA-256."""

    def check(answer: Answer) -> None:
        request = _load(x509.load_pem_x509_csr, answer.directory / file)
        if not request.is_signature_valid:
            raise CheckFailedError("a request signed with its own key", "a signature that does not verify")
        _check_content(request, name)

    return check


def certificate_signs_itself(file: str, name: str) -> Check:
    """Check that a certificate is for the common name, with a P-256 key, and signed by it over SHA-256."""

    def check(answer: Answer) -> None:
        certificate = _load(x509.load_pem_x509_certificate, answer.directory / file)
        try:
            certificate.verify_directly_issued_by(certificate)
        except (InvalidSignature, ValueError):
            raise CheckFailedError("a self-signed certificate", "a signature that does not verify") from None
        _check_content(certificate, name)

    return check


def is_private_key(file: str) -> Check:
    """Check that the file holds a P-256 private key."""

    def check(answer: Answer) -> None:
        key = _load(lambda data: load_pem_private_key(data, password=None), answer.directory / file)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise CheckFailedError("a P-256 private key", type(key).__name__)

    return check


def prints_public_key_of(file: str) -> Check:
    """Check that the output shows the public key of a certificate or request, in hexadecimal however it is laid out."""

    def check(answer: Answer) -> None:
        digits = re.sub(r"[\s:]", "", answer.output).lower()
        if point_of(answer.directory / file).hex() not in digits:
            raise CheckFailedError(f"the public key of {file}", shortened(answer.output))

    return check


def point_of(file: Path) -> bytes:
    """Return the public key of a certificate or request, as its uncompressed point. Raises CheckFailedError."""
    return _ec_key(_load(_signed, file)).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _signed(data: bytes) -> x509.Certificate | x509.CertificateSigningRequest:
    is_request = b"BEGIN CERTIFICATE REQUEST" in data
    return x509.load_pem_x509_csr(data) if is_request else x509.load_pem_x509_certificate(data)


def _load(load: Callable[[bytes], T], file: Path) -> T:
    """Read a file as what it should be."""
    try:
        return load(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckFailedError(f"the file {file.name} as it should be", f"{error}") from None


def _check_content(signed: x509.Certificate | x509.CertificateSigningRequest, name: str) -> None:
    if (subject := signed.subject.rfc4514_string()) != f"CN={name}":
        raise CheckFailedError(f"the subject CN={name}", subject)
    if not isinstance((curve := _ec_key(signed).curve), ec.SECP256R1):
        raise CheckFailedError("a P-256 key", curve.name)
    if not isinstance((hashed := signed.signature_hash_algorithm), SHA256):
        raise CheckFailedError("a signature over SHA-256", hashed.name if hashed else "none")


def _ec_key(signed: x509.Certificate | x509.CertificateSigningRequest) -> ec.EllipticCurvePublicKey:
    key = signed.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CheckFailedError("an EC key", type(key).__name__)
    return key
