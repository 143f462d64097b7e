# SPDX-License-Identifier: Apache-2.0
"""What the demo wants of the files that its programs make: right signatures by the right keys for the right names."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from softee.cli.demo import files
from softee.cli.demo.step import Answer, Check, CheckFailedError

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

SHA_256 = SHA256()
KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(key: Key, signer: Key | None = None, name: str = "My CSR", over: SHA256 | SHA384 = SHA_256) -> bytes:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(named(name), named(name), key.public_key(), 1, now, now + dt.timedelta(1))
    return builder.sign(signer or key, over).public_bytes(Encoding.PEM)


def request(key: Key, name: str = "My CSR", over: SHA256 | SHA384 = SHA_256) -> bytes:
    signed = x509.CertificateSigningRequestBuilder(named(name)).sign(key, over)
    return signed.public_bytes(Encoding.PEM)


def tampered(pem: bytes) -> bytes:
    """Change the signature of a request."""
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)


@pytest.fixture
def judge(tmp_path: Path) -> Callable[[Check, bytes], None]:
    """Apply a check to a file."""

    def judge(check: Check, content: bytes, output: str = "") -> None:
        (tmp_path / "file.pem").write_bytes(content)
        check(Answer(0, output, tmp_path, tmp_path, {}))

    return judge


CERTIFICATE = files.certificate_signs_itself("file.pem", "My CSR")
REQUEST = files.request_signs_itself("file.pem", "My CSR")
PRIVATE_KEY = files.is_private_key("file.pem")
PRINTED = files.prints_public_key_of("file.pem")


def private(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("check", "content"),
    [(CERTIFICATE, certificate(KEY)), (REQUEST, request(KEY)), (PRIVATE_KEY, private(KEY))],
    ids=["certificate", "request", "key"],
)
def test_the_right_file_is_taken(judge: Callable[..., None], check: Check, content: bytes) -> None:
    judge(check, content)


@pytest.mark.parametrize(
    ("check", "content"),
    [
        pytest.param(CERTIFICATE, certificate(KEY, OTHER), id="a certificate signed by another key"),
        pytest.param(CERTIFICATE, certificate(KEY, name="Other"), id="a certificate for another name"),
        pytest.param(CERTIFICATE, certificate(P384), id="a certificate of another curve"),
        pytest.param(CERTIFICATE, certificate(RSA), id="a certificate of another kind of key"),
        pytest.param(CERTIFICATE, certificate(KEY, over=SHA384()), id="a certificate signed over another hash"),
        pytest.param(CERTIFICATE, request(KEY), id="a request where a certificate belongs"),
        pytest.param(CERTIFICATE, b"", id="an empty file"),
        pytest.param(REQUEST, tampered(request(KEY)), id="a request with a wrong signature"),
        pytest.param(REQUEST, request(KEY, name="Other"), id="a request for another name"),
        pytest.param(REQUEST, request(P384), id="a request of another curve"),
        pytest.param(REQUEST, certificate(KEY), id="a certificate where a request belongs"),
        pytest.param(PRIVATE_KEY, private(P384), id="a key of another curve"),
        pytest.param(PRIVATE_KEY, private(RSA), id="another kind of key"),
        pytest.param(PRIVATE_KEY, certificate(KEY), id="no key"),
    ],
)
def test_a_wrong_file_is_not(judge: Callable[..., None], check: Check, content: bytes) -> None:
    with pytest.raises(CheckFailedError):
        judge(check, content)


def test_a_file_that_was_not_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"expected the file file\.pem"):
        CERTIFICATE(Answer(0, "", tmp_path, tmp_path, {}))


def test_a_public_key_is_found_however_it_is_laid_out(judge: Callable[..., None]) -> None:
    point = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    lines = "\n    ".join(point[i : i + 15].hex(":") + ":" for i in range(0, len(point), 15))
    for content in (certificate(KEY), request(KEY)):
        judge(PRINTED, content, f"pub:\n    {lines}\n")
        judge(PRINTED, content, f"public key {point.hex().upper()}")


def test_another_public_key_is_not(judge: Callable[..., None]) -> None:
    point = OTHER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for output in ("", point.hex()):
        with pytest.raises(CheckFailedError):
            judge(PRINTED, certificate(KEY), output)
