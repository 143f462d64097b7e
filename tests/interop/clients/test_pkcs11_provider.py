# SPDX-License-Identifier: Apache-2.0
"""Debian 13's OpenSSL with pkcs11-provider: keys are made by genpkey, and sign, agree, decrypt, and serve TLS."""

import pytest
from cryptography import x509

from interop.clients.debian import Debian
from interop.clients.provider import OUTSIDE, ask, certify, generate, s_server, url, wants_client, with_provider

KEYS = {
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "p256": ("EC", "group:P-256"),
    "p384": ("EC", "group:P-384"),
    "p521": ("EC", "group:P-521"),
    "ed25519": ("ED25519",),
}


@pytest.fixture
def openssl(debian13: Debian) -> Debian:
    """Debian 13 with a token, and with OpenSSL set up for it."""
    debian13.init_token()
    return with_provider(debian13)


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest, openssl: Debian) -> str:
    """A key that genpkey has made on the token, and its certificate; NAME.key is where it is, in a file."""
    return make(openssl, str(request.param))


def make(openssl: Debian, name: str) -> str:
    generate(openssl, name, *KEYS[name])
    certify(openssl, name, f"{name}.key")
    return name


def test_genpkey_makes_a_key_in_the_token_and_a_certificate_is_signed(openssl: Debian, key: str) -> None:
    assert "BEGIN PKCS#11 PROVIDER URI" in (openssl.directory / f"{key}.key").read_text()
    certificate = x509.load_pem_x509_certificate((openssl.directory / f"{key}.pem").read_bytes())
    certificate.verify_directly_issued_by(certificate)
    listed = openssl.p11_in("--list-objects")
    assert "Access:     sensitive, always sensitive, never extractable, local" in listed


def test_a_certificate_that_is_kept_in_the_token_is_found_there(openssl: Debian, key: str) -> None:
    der = ("x509", "-in", f"{key}.pem", "-outform", "DER", "-out", "cert.der")
    openssl.run("openssl", *der)
    openssl.p11_in("--write-object", "cert.der", "--type", "cert", "--label", key)
    openssl.run("openssl", "x509", "-in", url(key, "cert"), "-out", "back.pem")
    one, other = ((openssl.directory / name).read_text() for name in ("back.pem", f"{key}.pem"))
    assert one == other


def test_a_signature_over_a_file_verifies_outside(openssl: Debian, key: str) -> None:
    (openssl.directory / "text").write_text("hello\n")
    signed = ("-rawin", "-in", "text")
    openssl.run("openssl", "pkeyutl", "-sign", "-inkey", url(key), *signed, "-out", "signature")
    outside = openssl.with_variables(OUTSIDE)
    verify = ("-verify", "-pubin", "-inkey", f"{key}.pub", *signed, "-sigfile", "signature")
    assert "Signature Verified Successfully" in outside.run("openssl", "pkeyutl", *verify)


@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_both_sides_of_ecdh_agree(openssl: Debian, name: str) -> None:
    make(openssl, name)
    outside = openssl.with_variables(OUTSIDE)
    outside.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", KEYS[name][1], "-out", "peer.key")
    outside.run("openssl", "pkey", "-in", "peer.key", "-pubout", "-out", "peer.pub")
    outside.run("openssl", "pkeyutl", "-derive", "-inkey", "peer.key", "-peerkey", f"{name}.pub", "-out", "theirs")
    openssl.run("openssl", "pkeyutl", "-derive", "-inkey", f"{name}.key", "-peerkey", "peer.pub", "-out", "ours")
    assert (openssl.directory / "ours").read_bytes() == (openssl.directory / "theirs").read_bytes()


@pytest.mark.parametrize(
    "padding",
    [
        ("rsa_padding_mode:pkcs1",),
        ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"),  # the provider knows no default
    ],
    ids=["pkcs1", "oaep"],
)
def test_what_is_encrypted_outside_is_decrypted_in_the_token(openssl: Debian, padding: tuple[str, ...]) -> None:
    make(openssl, "rsa")
    (openssl.directory / "text").write_text("hello\n")
    options = [part for option in padding for part in ("-pkeyopt", option)]
    outside = openssl.with_variables(OUTSIDE)
    sealed = ("-pubin", "-inkey", "rsa.pub", "-in", "text", "-out", "sealed")
    outside.run("openssl", "pkeyutl", "-encrypt", *options, *sealed)
    assert openssl.run("openssl", "pkeyutl", "-decrypt", *options, "-inkey", "rsa.key", "-in", "sealed") == "hello\n"


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_a_tls_server_has_its_key_in_the_token(openssl: Debian, key: str, version: str) -> None:
    with s_server(openssl, "-cert", f"{key}.pem", "-key", url(key), version) as address:
        assert "HTTP/1.0 200 ok" in ask(openssl.with_variables(OUTSIDE), address, f"{key}.pem")


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_a_tls_client_has_its_key_in_the_token(openssl: Debian, key: str, version: str) -> None:
    with s_server(openssl.with_variables(OUTSIDE), *wants_client(openssl, f"{key}.pem"), version) as address:
        answer = ask(openssl, address, "server.pem", "-cert", f"{key}.pem", "-key", url(key))
    assert "Client certificate" in answer.split("HTTP/1.0 200 ok")[1]
