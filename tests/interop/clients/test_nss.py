# SPDX-License-Identifier: Apache-2.0
"""NSS: modutil adds the module to a database, certutil makes keys and certificates with it, cmsutil signs messages."""

import re
import secrets

import pytest
from cryptography import x509

from interop.tools import LABEL, PIN, Programs

KEYS = {"rsa": ("rsa", "-g", "2048"), "p256": ("ec", "-q", "nistp256"), "p384": ("ec", "-q", "nistp384")}


@pytest.fixture
def nss(programs: Programs) -> Programs:
    """Programs with a database of NSS' own, without a password, that has the module."""
    programs.init_token()
    (programs.directory / "pin").write_text(PIN)
    (programs.directory / "noise").write_bytes(secrets.token_bytes(64))
    programs.run("certutil", "-N", "-d", "sql:.", "--empty-password")
    programs.run("modutil", "-dbdir", "sql:.", "-add", "softee", "-libfile", programs.module, "-force")
    return programs


def certutil(nss: Programs, command: str, *arguments: str) -> str:
    return nss.run("certutil", command, "-d", "sql:.", "-f", "pin", *arguments)


def self_signed(nss: Programs, key: str) -> None:
    """Make a key on the token, and a certificate for it that the database trusts."""
    kind, *size = KEYS[key]
    trusted = ("-x", "-t", "CT,C,C", "-z", "noise", "-m", "1")
    certutil(nss, "-S", "-h", LABEL, "-n", key, "-s", f"CN={key}", "-k", kind, *size, *trusted)


def read(nss: Programs, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certutil(nss, "-L", "-h", LABEL, "-n", f"{LABEL}:{name}", "-a").encode())


def test_modutil_lists_the_token(nss: Programs) -> None:
    listed = nss.run("modutil", "-dbdir", "sql:.", "-list", "softee")
    assert re.search(rf"^ *Token Name: +{LABEL} *$", listed, re.MULTILINE)
    assert re.search(r"^ *Login Type: +Login required$", listed, re.MULTILINE)


@pytest.mark.parametrize("key", KEYS)
def test_certutil_makes_a_key_and_its_certificate(nss: Programs, key: str) -> None:
    self_signed(nss, key)
    assert certutil(nss, "-K", "-h", LABEL).splitlines()[-1].split()[-1] == f"{LABEL}:{key}"
    assert f"{LABEL}:{key}" in certutil(nss, "-L", "-h", LABEL)
    certificate = read(nss, key)
    certificate.verify_directly_issued_by(certificate)
    assert "certificate is valid" in certutil(nss, "-V", "-n", key, "-u", "L", "-e")
    assert "Private Key Object" in nss.p11_in("--list-objects", "--type", "privkey")


@pytest.mark.parametrize("authority", KEYS)
def test_a_key_of_the_token_signs_another_keys_certificate(nss: Programs, authority: str) -> None:
    self_signed(nss, authority)
    issued = ("-c", f"{LABEL}:{authority}", "-t", ",,", "-z", "noise", "-m", "2")
    certutil(nss, "-S", "-h", LABEL, "-n", "leaf", "-s", "CN=leaf", "-k", "ec", "-q", "nistp256", *issued)
    read(nss, "leaf").verify_directly_issued_by(read(nss, authority))
    assert "certificate is valid" in certutil(nss, "-V", "-n", "leaf", "-u", "V", "-e")


def test_a_request_is_signed(nss: Programs) -> None:
    made = ("-k", "ec", "-q", "nistp256", "-z", "noise", "-a", "-o", "request.pem")
    certutil(nss, "-R", "-h", LABEL, "-s", "CN=asked", *made)
    request = (nss.directory / "request.pem").read_bytes()
    assert x509.load_pem_x509_csr(request[request.index(b"-----BEGIN") :]).is_signature_valid


@pytest.mark.parametrize("key", ["rsa", "p256"])
def test_cmsutil_signs_a_message(nss: Programs, key: str) -> None:
    self_signed(nss, key)
    (nss.directory / "text").write_text("hello\n")
    nss.run("cmsutil", "-S", "-d", "sql:.", "-f", "pin", "-N", f"{LABEL}:{key}", "-i", "text", "-o", "signed")
    assert nss.run("cmsutil", "-D", "-d", "sql:.", "-f", "pin", "-i", "signed") == "hello\n"


def test_a_key_is_deleted(nss: Programs) -> None:
    self_signed(nss, "p256")
    certutil(nss, "-F", "-h", LABEL, "-n", f"{LABEL}:p256")
    assert "Private Key Object" not in nss.p11_in("--list-objects")
