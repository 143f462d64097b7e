# SPDX-License-Identifier: Apache-2.0
"""OpenSSL with pkcs11-provider: ML-DSA keys of the token sign and serve TLS, its ML-KEM keys decapsulate.

That needs pkcs11-provider 1.2: Debian 13 has OpenSSL 3.5, and 1.2 in its backports; Debian 14 has OpenSSL 3.6 and 1.3.
"""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mldsa

from interop.clients.debian import Debian
from interop.clients.provider import (
    BACKPORTED,
    OUTSIDE,
    ask,
    certify,
    generate,
    s_server,
    url,
    wants_client,
    with_provider,
)

HYBRID = "X25519MLKEM768"

SIGNING = {
    "ML-DSA-44": mldsa.MLDSA44PublicKey,
    "ML-DSA-65": mldsa.MLDSA65PublicKey,
    "ML-DSA-87": mldsa.MLDSA87PublicKey,
}
CIPHERTEXTS = {"ML-KEM-512": 768, "ML-KEM-768": 1088, "ML-KEM-1024": 1568}


@pytest.fixture(params=["debian13", "debian14"])
def openssl(request: pytest.FixtureRequest) -> Debian:
    """A Debian with a token, and with OpenSSL set up for it."""
    debian = request.getfixturevalue(request.param)
    assert isinstance(debian, Debian)
    debian.init_token()
    return with_provider(debian, BACKPORTED if request.param == "debian13" else {})


@pytest.fixture(params=SIGNING)
def signing(request: pytest.FixtureRequest, openssl: Debian) -> str:
    """A key that genpkey has made in the token, and its certificate."""
    name = str(request.param)
    generate(openssl, name, name)
    certify(openssl, name, url(name))
    return name


def test_a_certificate_and_a_request_are_signed(openssl: Debian, signing: str) -> None:
    certificate = x509.load_pem_x509_certificate((openssl.directory / f"{signing}.pem").read_bytes())
    assert isinstance(certificate.public_key(), SIGNING[signing])
    certificate.verify_directly_issued_by(certificate)
    openssl.run("openssl", "req", "-new", "-key", url(signing), "-subj", "/CN=localhost", "-out", "request.pem")
    request = x509.load_pem_x509_csr((openssl.directory / "request.pem").read_bytes())
    assert request.is_signature_valid
    outside = openssl.with_variables(OUTSIDE)
    assert "verify OK" in outside.run("openssl", "req", "-in", "request.pem", "-noout", "-verify")
    outside.run("openssl", "verify", "-CAfile", f"{signing}.pem", f"{signing}.pem")


def signs(openssl: Debian, name: str, *options: str) -> None:
    """Assert that the token signs a file, and that the signature verifies outside, for this file and these options."""
    (openssl.directory / "text").write_text("hello\n")
    what = ("-rawin", "-in", "text")
    openssl.run("openssl", "pkeyutl", "-sign", "-inkey", url(name), *what, *options, "-out", "signature")
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", f"{name}.pub", "-sigfile", "signature", *what)
    outside = openssl.with_variables(OUTSIDE)
    assert "Signature Verified Successfully" in outside.run("openssl", *verify, *options)
    outside.run("openssl", *verify, "-pkeyopt", "context-string:another", fails=True)
    (openssl.directory / "text").write_text("hullo\n")
    outside.run("openssl", *verify, *options, fails=True)


def test_a_signature_over_a_file_verifies_outside(openssl: Debian, signing: str) -> None:
    signs(openssl, signing)


@pytest.mark.parametrize("openssl", ["debian14"], indirect=True)  # 1.2 leaves the context out
def test_a_signature_with_a_context_verifies_with_it_alone(openssl: Debian, signing: str) -> None:
    signs(openssl, signing, "-pkeyopt", "context-string:minutes")


def test_a_tls_server_has_its_key_in_the_token_and_agrees_on_a_hybrid_secret(openssl: Debian, signing: str) -> None:
    with s_server(openssl, "-cert", f"{signing}.pem", "-key", url(signing), "-tls1_3") as address:
        answer = ask(openssl.with_variables(OUTSIDE), address, f"{signing}.pem", "-groups", HYBRID)
    assert "Verification: OK" in answer
    assert f"Peer signature type: {signing.replace('-', '').lower()}" in answer
    assert f"Negotiated TLS1.3 group: {HYBRID}" in answer
    assert "HTTP/1.0 200 ok" in answer


def test_a_tls_client_has_its_key_in_the_token_and_agrees_on_a_hybrid_secret(openssl: Debian, signing: str) -> None:
    wanted = wants_client(openssl, f"{signing}.pem")
    with s_server(openssl.with_variables(OUTSIDE), *wanted, "-tls1_3", "-groups", HYBRID) as address:
        answer = ask(openssl, address, "server.pem", "-cert", f"{signing}.pem", "-key", url(signing))
    assert f"Negotiated TLS1.3 group: {HYBRID}" in answer
    assert "Client certificate" in answer.split("HTTP/1.0 200 ok")[1]


@pytest.fixture(params=CIPHERTEXTS)
def decapsulating(request: pytest.FixtureRequest, openssl: Debian) -> str:
    """A key that genpkey has made in the token, and its public half in a file."""
    name = str(request.param)
    generate(openssl, name, name)
    openssl.run("openssl", "pkey", "-pubin", "-in", url(name, "public"), "-pubout", "-out", f"{name}.pub")
    return name


def decapsulated(openssl: Debian, name: str) -> bytes:
    openssl.run("openssl", "pkeyutl", "-decap", "-inkey", url(name), "-in", "sealed", "-secret", "opened")
    return (openssl.directory / "opened").read_bytes()


def test_what_is_encapsulated_outside_is_decapsulated_in_the_token(openssl: Debian, decapsulating: str) -> None:
    encapsulate = (
        "pkeyutl",
        "-encap",
        "-pubin",
        "-inkey",
        f"{decapsulating}.pub",
        "-out",
        "sealed",
        "-secret",
        "secret",
    )
    openssl.with_variables(OUTSIDE).run("openssl", *encapsulate)
    sealed, secret = ((openssl.directory / name).read_bytes() for name in ("sealed", "secret"))
    assert (len(sealed), len(secret)) == (CIPHERTEXTS[decapsulating], 32)
    assert decapsulated(openssl, decapsulating) == secret
    (openssl.directory / "sealed").write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert decapsulated(openssl, decapsulating) != secret, "FIPS 203 rejects it without a word"


def test_the_token_encapsulates_too(openssl: Debian, decapsulating: str) -> None:
    encapsulate = ("pkeyutl", "-encap", "-pubin", "-inkey", url(decapsulating, "public"), "-out", "sealed")
    openssl.run("openssl", *encapsulate, "-secret", "secret")
    assert decapsulated(openssl, decapsulating) == (openssl.directory / "secret").read_bytes()


def test_the_keys_never_leave_the_token(openssl: Debian) -> None:
    for name in ("ML-DSA-65", "ML-KEM-768"):
        generate(openssl, name, name)
    listed = openssl.p11_in("--list-objects", "--type", "privkey")
    assert listed.count("Access:     sensitive, always sensitive, never extractable, local") == 2
    for name in ("ML-DSA-65", "ML-KEM-768"):
        openssl.run("openssl", "pkey", "-in", url(name), "-outform", "DER", "-out", "key.der", fails=True)
