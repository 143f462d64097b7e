# SPDX-License-Identifier: Apache-2.0
"""Debian 13's OpenSSL with pkcs11-provider: keys are made by genpkey, and sign, agree, decrypt, and serve TLS."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography import x509

from interop.clients.debian13 import WORK, Debian13
from interop.clients.ports import free_port, wait_for_port
from interop.tools import PIN

CONFIGURATION = """\
openssl_conf = openssl
[openssl]
providers = providers
[providers]
default = built_in
pkcs11 = pkcs11
[built_in]
activate = 1
[pkcs11]
activate = 1
module = /usr/lib/x86_64-linux-gnu/ossl-modules/pkcs11.so
pkcs11-module-path = {module}
pkcs11-module-token-pin = {pin}
pkcs11-module-encode-provider-uri-to-pem = true
[req]
distinguished_name = name
[name]
"""
OUTSIDE = {"OPENSSL_CONF": "/dev/null"}
"""The environment of an OpenSSL that has no token."""

KEYS = {
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "p256": ("EC", "group:P-256"),
    "p384": ("EC", "group:P-384"),
    "p521": ("EC", "group:P-521"),
    "ed25519": ("ED25519",),
}


@pytest.fixture
def openssl(debian13: Debian13) -> Debian13:
    """Debian 13 with a token, and with OpenSSL set up for it."""
    debian13.init_token()
    (debian13.directory / "openssl.cnf").write_text(CONFIGURATION.format(module=debian13.inner_module, pin=PIN))
    return debian13.with_variables({"OPENSSL_CONF": f"{WORK}/openssl.cnf"})


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest, openssl: Debian13) -> str:
    """A key that genpkey has made on the token, and its certificate; NAME.key is where it is, in a file."""
    return make(openssl, str(request.param))


def make(openssl: Debian13, name: str) -> str:
    algorithm, *options = KEYS[name]
    asked = [part for option in (*options, f"pkcs11_uri:{url(name)}") for part in ("-pkeyopt", option)]
    token = ("-propquery", "provider=pkcs11", "-algorithm", algorithm)
    openssl.run("openssl", "genpkey", *token, *asked, "-out", f"{name}.key")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    openssl.run("openssl", "req", "-x509", "-new", "-key", f"{name}.key", *subject, "-out", f"{name}.pem")
    openssl.run("openssl", "x509", "-in", f"{name}.pem", "-noout", "-pubkey", "-out", f"{name}.pub")
    return name


def url(name: str) -> str:
    return f"pkcs11:token=mytoken;object={name}"


def test_genpkey_makes_a_key_in_the_token_and_a_certificate_is_signed(openssl: Debian13, key: str) -> None:
    assert "BEGIN PKCS#11 PROVIDER URI" in (openssl.directory / f"{key}.key").read_text()
    certificate = x509.load_pem_x509_certificate((openssl.directory / f"{key}.pem").read_bytes())
    certificate.verify_directly_issued_by(certificate)
    listed = openssl.p11_in("--list-objects")
    assert "Access:     sensitive, always sensitive, never extractable, local" in listed


def test_a_certificate_that_is_kept_in_the_token_is_found_there(openssl: Debian13, key: str) -> None:
    der = ("x509", "-in", f"{key}.pem", "-outform", "DER", "-out", "cert.der")
    openssl.run("openssl", *der)
    openssl.p11_in("--write-object", "cert.der", "--type", "cert", "--label", key)
    openssl.run("openssl", "x509", "-in", f"{url(key)};type=cert", "-out", "back.pem")
    one, other = ((openssl.directory / name).read_text() for name in ("back.pem", f"{key}.pem"))
    assert one == other


def test_a_signature_over_a_file_verifies_outside(openssl: Debian13, key: str) -> None:
    (openssl.directory / "text").write_text("hello\n")
    signed = ("-rawin", "-in", "text")
    openssl.run("openssl", "pkeyutl", "-sign", "-inkey", f"{url(key)};type=private", *signed, "-out", "signature")
    outside = openssl.with_variables(OUTSIDE)
    verify = ("-verify", "-pubin", "-inkey", f"{key}.pub", *signed, "-sigfile", "signature")
    assert "Signature Verified Successfully" in outside.run("openssl", "pkeyutl", *verify)


@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_both_sides_of_ecdh_agree(openssl: Debian13, name: str) -> None:
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
def test_what_is_encrypted_outside_is_decrypted_in_the_token(openssl: Debian13, padding: tuple[str, ...]) -> None:
    make(openssl, "rsa")
    (openssl.directory / "text").write_text("hello\n")
    options = [part for option in padding for part in ("-pkeyopt", option)]
    outside = openssl.with_variables(OUTSIDE)
    sealed = ("-pubin", "-inkey", "rsa.pub", "-in", "text", "-out", "sealed")
    outside.run("openssl", "pkeyutl", "-encrypt", *options, *sealed)
    assert openssl.run("openssl", "pkeyutl", "-decrypt", *options, "-inkey", "rsa.key", "-in", "sealed") == "hello\n"


@contextmanager
def s_server(openssl: Debian13, *options: str) -> Iterator[str]:
    """Run a server that sends each client a page about itself, and yield its address."""
    port = free_port()
    command = openssl.command("openssl", "s_server", "-www", "-accept", f"127.0.0.1:{port}", *options)
    with subprocess.Popen(command, env=openssl.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            wait_for_port(port, server)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


CHECKS = ("-verify_return_error", "-verify_hostname", "localhost", "-quiet")
ASK = "GET / HTTP/1.0\r\n\r\n"
NAMED = ("-servername", "localhost")


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_a_tls_server_has_its_key_in_the_token(openssl: Debian13, key: str, version: str) -> None:
    with s_server(openssl, "-cert", f"{key}.pem", "-key", f"{url(key)};type=private", version) as address:
        trust = ("-CAfile", f"{key}.pem", *CHECKS, *NAMED)
        client = ("s_client", "-connect", address, *trust)
        assert "HTTP/1.0 200 ok" in openssl.with_variables(OUTSIDE).run("openssl", *client, stdin=ASK)


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_a_tls_client_has_its_key_in_the_token(openssl: Debian13, key: str, version: str) -> None:
    outside = openssl.with_variables(OUTSIDE)
    own = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "server.key", "-out", "server.pem")
    outside.run("openssl", "req", "-x509", "-nodes", "-subj", "/CN=localhost", *own)
    wanted = (
        "-cert",
        "server.pem",
        "-key",
        "server.key",
        "-Verify",
        "1",
        "-CAfile",
        f"{key}.pem",
        "-verify_return_error",
    )
    with s_server(outside, *wanted, version) as address:
        trust = ("-CAfile", "server.pem", *CHECKS, *NAMED)
        client = ("s_client", "-connect", address, *trust, "-cert", f"{key}.pem", "-key", f"{url(key)};type=private")
        answer = openssl.run("openssl", *client, stdin=ASK)
    assert "HTTP/1.0 200 ok" in answer
    assert "Client certificate" in answer
