# SPDX-License-Identifier: Apache-2.0
"""GnuTLS: p11tool makes keys and keeps certificates, certtool signs with the keys, gnutls-serv serves with them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509

from interop.clients.debian import Debian
from interop.clients.ports import free_port, wait_for_port
from interop.tools import PIN, Programs

URL = "pkcs11:token=mytoken"
KEYS = {
    "rsa": ("rsa", "--bits", "2048"),
    "ec": ("ecdsa", "--curve", "secp256r1"),
    "p384": ("ecdsa", "--curve", "secp384r1"),
    "ed25519": ("ed25519",),
}
NOT_MADE = ("ed25519",)
"""GnuTLS 3.7, Debian 12's, wants keys made by CKM_EDDSA, which makes none. It uses what pkcs11-tool has made."""

TEMPLATE = (
    "cn = localhost\ndns_name = localhost\nca\nsigning_key\ncert_signing_key\ntls_www_server\nexpiration_days = 10\n"
)


def p11tool(token: Programs, *arguments: str) -> str:
    return token.run("p11tool", "--provider", token.module, "--login", f"--set-pin={PIN}", *arguments)


def certtool(token: Programs, *arguments: str) -> str:
    with_pin = Programs(token.module, token.socket, token.directory, {"GNUTLS_PIN": PIN})
    return with_pin.run("certtool", "--provider", token.module, *arguments)


def private(key: str) -> str:
    return f"{URL};object={key};type=private"


@pytest.fixture(params=KEYS)
def key(request: pytest.FixtureRequest, programs: Programs) -> str:
    """A key pair of p11tool's on the token, and its public half in a file."""
    name = str(request.param)
    programs.init_token()
    if name in NOT_MADE:
        programs.generate("EC:edwards25519", name)
        p11tool(programs, "--export-pubkey", f"{URL};object={name};type=public", "--outfile", f"{name}.pub")
    else:
        p11tool(programs, "--generate-privkey", *KEYS[name], "--label", name, "--outfile", f"{name}.pub", URL)
    return name


def self_signed(token: Programs, key: str) -> Path:
    (token.directory / "template").write_text(TEMPLATE)
    halves = ("--load-privkey", private(key), "--load-pubkey", f"{key}.pub", "--template", "template")
    certtool(token, "--generate-self-signed", *halves, "--outfile", "cert.pem")
    return token.directory / "cert.pem"


def test_a_key_is_made_listed_and_signs(programs: Programs, key: str) -> None:
    assert "CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE" in p11tool(programs, "--list-all", private(key))
    if key not in NOT_MADE:  # it knows SHA-256 only, for every key
        assert p11tool(programs, "--test-sign", private(key)).count("... ok") == 3
    p11tool(programs, "--export-pubkey", f"{URL};object={key};type=public", "--outfile", "again.pub")
    assert (programs.directory / "again.pub").read_text().strip() in (programs.directory / f"{key}.pub").read_text()


def test_certtool_signs_a_certificate_and_a_request(programs: Programs, key: str) -> None:
    certificate = x509.load_pem_x509_certificate(self_signed(programs, key).read_bytes())
    certificate.verify_directly_issued_by(certificate)
    halves = ("--load-privkey", private(key), "--load-pubkey", f"{key}.pub", "--template", "template")
    certtool(programs, "--generate-request", *halves, "--outfile", "request.pem")
    request = x509.load_pem_x509_csr((programs.directory / "request.pem").read_bytes())
    assert request.is_signature_valid
    assert request.public_key() == certificate.public_key()


def test_a_certificate_is_kept_beside_its_key_and_deleted(programs: Programs, key: str) -> None:
    certificate = x509.load_pem_x509_certificate(self_signed(programs, key).read_bytes())
    url = f"{URL};object={key};type=cert"
    answer = p11tool(programs, "--write", "--load-certificate", "cert.pem", "--label", key, URL)
    assert "will re-use ID" in answer, "that of the public key"
    p11tool(programs, "--export", url, "--outfile", "back.pem")
    assert x509.load_pem_x509_certificate((programs.directory / "back.pem").read_bytes()) == certificate
    assert "1 objects deleted" in p11tool(programs, "--delete", "--batch", url)


@contextmanager
def gnutls_serv(token: Programs, key: str) -> Iterator[int]:
    """Serve with the token's key, and yield the port."""
    port = free_port()
    credentials = ("--x509keyfile", f"{private(key)};pin-value={PIN}", "--x509certfile", "cert.pem")
    command = ("gnutls-serv", "--provider", token.module, "--echo", "--port", str(port), *credentials)
    with subprocess.Popen(
        command, cwd=token.directory, env=token.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            wait_for_port(port, server)
            yield port
        finally:
            server.terminate()


@pytest.mark.parametrize("priority", ["NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2"])
def test_a_server_has_its_key_in_the_token(programs: Programs, key: str, priority: str) -> None:
    self_signed(programs, key)
    with gnutls_serv(programs, key) as port:
        client = ("gnutls-cli", "--x509cafile", "cert.pem", "--priority", priority, "--port", str(port), "localhost")
        answer = programs.run(*client, stdin="hello\n")
    assert "The certificate is trusted." in answer
    assert answer.count("hello") == 1


def test_debian_13s_gnutls_makes_an_ed25519_key_and_signs_a_certificate(debian13: Debian) -> None:
    debian13.init_token()
    provider = ("--provider", debian13.inner_module)
    made = ("--generate-privkey", "ed25519", "--label", "ed25519", "--outfile", "ed25519.pub", URL)
    debian13.run("p11tool", *provider, "--login", f"--set-pin={PIN}", *made)
    (debian13.directory / "template").write_text(TEMPLATE)
    halves = ("--load-privkey", private("ed25519"), "--load-pubkey", "ed25519.pub", "--template", "template")
    with_pin = debian13.with_variables({"GNUTLS_PIN": PIN})
    with_pin.run("certtool", *provider, "--generate-self-signed", *halves, "--outfile", "cert.pem")
    certificate = x509.load_pem_x509_certificate((debian13.directory / "cert.pem").read_bytes())
    certificate.verify_directly_issued_by(certificate)
