# SPDX-License-Identifier: Apache-2.0
"""OpenSSL with libp11's engine uses keys of the token (TLS and curl: tests/interop/test_demo.py)."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from interop.tools import PIN, Programs
from support.secure_world import RunningDaemon

ENGINE = ("-engine", "pkcs11", "-keyform", "engine")


def key(label: str) -> str:
    return f"pkcs11:token=mytoken;object={label};type=private"


@pytest.mark.parametrize("key_type", ["EC:prime256v1", "EC:secp521r1", "rsa:2048"])
def test_a_certificate_request_is_signed_by_the_tokens_key(token: Programs, key_type: str) -> None:
    label = f"req-{key_type.replace(':', '-')}"
    token.generate(key_type, label)
    token.openssl("req", "-new", *ENGINE, "-key", key(label), "-subj", "/CN=My CSR", "-out", "csr.pem")
    token.openssl("req", "-new", *ENGINE, "-key", key(label), "-subj", "/CN=My CSR", "-x509", "-out", "cert.pem")
    request = x509.load_pem_x509_csr((token.directory / "csr.pem").read_bytes())
    certificate = x509.load_pem_x509_certificate((token.directory / "cert.pem").read_bytes())
    assert request.is_signature_valid
    certificate.verify_directly_issued_by(certificate)
    assert public(request) == public(certificate)


def public(signed: x509.CertificateSigningRequest | x509.Certificate) -> bytes:
    return signed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("key_type", "options"),
    [
        ("EC:prime256v1", ()),
        ("rsa:2048", ()),
        ("rsa:2048", ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1")),
    ],
    ids=["ecdsa", "rsa-pkcs1", "rsa-pss"],
)
def test_a_signature_over_a_file_verifies(token: Programs, key_type: str, options: tuple[str, ...]) -> None:
    label = f"dgst-{key_type.replace(':', '-')}-{len(options)}"
    token.generate(key_type, label)
    (token.directory / "text").write_text("hello")
    token.openssl("req", "-new", *ENGINE, "-key", key(label), "-subj", "/CN=x", "-x509", "-out", "cert.pem")
    token.openssl("dgst", *ENGINE[:2], "-keyform", "engine", "-sha256", *options, "-sign", key(label),
                  "-out", "signature", "text")  # fmt: skip
    token.run("openssl", "x509", "-in", "cert.pem", "-noout", "-pubkey", "-out", "public.pem")
    verify = ("dgst", "-sha256", *options[:2], "-verify", "public.pem", "-signature", "signature", "text")
    assert "Verified OK" in token.run("openssl", *verify)


def test_a_wrong_pin_gives_no_key_and_the_right_one_does(programs: Programs, daemon: RunningDaemon) -> None:
    programs.init_token()
    programs.generate("EC:prime256v1", "guarded")
    request = ("req", "-new", *ENGINE, "-subj", "/CN=x", "-out", "csr.pem", "-key")
    programs.openssl(*request, f"{key('guarded')};pin-value=99999", fails=True)
    assert daemon.log().count("C_Login: CKR_PIN_INCORRECT") == 1
    assert not (programs.directory / "csr.pem").exists()
    programs.openssl(*request, f"{key('guarded')};pin-value={PIN}")
    assert x509.load_pem_x509_csr((programs.directory / "csr.pem").read_bytes()).is_signature_valid
