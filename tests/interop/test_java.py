# SPDX-License-Identifier: Apache-2.0
"""Java's keytool and jarsigner with the token as their key store, and no configuration beyond the provider's file."""

import shutil
import zipfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from interop.tools import PIN, Programs

pytestmark = pytest.mark.skipif(shutil.which("jarsigner") is None, reason="needs Debian's default-jdk-headless")


@pytest.fixture
def store(programs: Programs) -> tuple[str, ...]:
    """The options that name the token as the key store."""
    programs.init_token()
    (programs.directory / "provider.cfg").write_text(f"name = softee\nlibrary = {programs.module}\n")
    provider = ("-providerClass", "sun.security.pkcs11.SunPKCS11", "-providerArg", "provider.cfg")
    return ("-keystore", "NONE", "-storetype", "PKCS11", *provider, "-storepass", PIN)


def certificate(programs: Programs, store: tuple[str, ...], alias: str) -> x509.Certificate:
    programs.run("keytool", "-exportcert", "-rfc", "-alias", alias, "-file", f"{alias}.pem", *store)
    return x509.load_pem_x509_certificate((programs.directory / f"{alias}.pem").read_bytes())


@pytest.mark.parametrize(("algorithm", "key"), [("EC", ec.EllipticCurvePublicKey), ("RSA", rsa.RSAPublicKey)])
def test_keytool_makes_a_key_and_jarsigner_signs_with_it(
    programs: Programs, store: tuple[str, ...], algorithm: str, key: type
) -> None:
    programs.run("keytool", "-genkeypair", "-keyalg", algorithm, "-alias", "signer", "-dname", "CN=signer", *store)
    assert "signer, PrivateKeyEntry" in programs.run("keytool", "-list", *store)
    made = certificate(programs, store, "signer")
    assert isinstance(made.public_key(), key)
    made.verify_directly_issued_by(made)
    with zipfile.ZipFile(programs.directory / "some.jar", "w") as jar:
        jar.writestr("content", "to be signed")
    programs.run("jarsigner", *store, "some.jar", "signer")
    verified = programs.run("jarsigner", "-verify", "-verbose", "-certs", "some.jar")
    assert "jar verified." in verified
    assert "CN=signer" in verified


def test_the_key_is_the_tokens_and_stays_behind_the_pin(programs: Programs, store: tuple[str, ...]) -> None:
    programs.run("keytool", "-genkeypair", "-keyalg", "EC", "-alias", "kept", "-dname", "CN=kept", *store)
    assert "Private Key Object; EC" not in programs.p11("--list-objects")
    listed = programs.p11_in("--list-objects", "--type", "privkey")
    assert listed.count("Private Key Object; EC") == 1
    assert "Access:     sensitive" in listed
