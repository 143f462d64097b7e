# SPDX-License-Identifier: Apache-2.0
"""Java with the token as its key store: keytool, jarsigner, TLS 1.2. Nothing is configured but what a test says."""

import shutil
import zipfile
from pathlib import Path

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


HANDSHAKE = Path(__file__).with_name("Handshake.java")
KEYS_DERIVE = """\
attributes(*, CKO_PRIVATE_KEY, CKK_EC) = { CKA_SIGN = true CKA_DERIVE = true }
attributes(*, CKO_SECRET_KEY, CKK_GENERIC_SECRET) = { CKA_SIGN = true CKA_VERIFY = true CKA_DERIVE = true }
"""
"""SunPKCS11 asks for no use of the keys that it makes, and a key of which nothing is said derives none."""
RSA_WRAPS = """\
attributes(*, CKO_PUBLIC_KEY, CKK_RSA) = { CKA_ENCRYPT = true CKA_VERIFY = true CKA_WRAP = true }
attributes(*, CKO_PRIVATE_KEY, CKK_RSA) = { CKA_DECRYPT = true CKA_SIGN = true CKA_UNWRAP = true }
"""
"""A premaster secret is wrapped, which a token lets an RSA key do whose template says so."""
IN_THE_TOKEN = ("RsaPremasterSecret", "MasterSecret", "KeyMaterial", "Prf")
ECDHE = {
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "RSA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "EC",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384": "EC",
}
SIZES = {"EC": "256", "RSA": "2048"}
"""The curve is one of the handshake's groups; by default a Java after 18 takes a larger one."""
RSA = {"TLS_RSA_WITH_AES_128_GCM_SHA256": "RSA", "TLS_RSA_WITH_AES_256_CBC_SHA256": "RSA"}


def shake_hands(programs: Programs, store: tuple[str, ...], suites: dict[str, str], group: str = "secp256r1") -> None:
    with (programs.directory / "provider.cfg").open("a") as configuration:
        configuration.write(KEYS_DERIVE)
    for algorithm in set(suites.values()):
        kind = ("-keyalg", algorithm, "-keysize", SIZES[algorithm])
        programs.run("keytool", "-genkeypair", *kind, "-alias", algorithm, "-dname", "CN=server", *store)
    pairs = [argument for suite, algorithm in suites.items() for argument in (algorithm, suite)]
    options = ("-Djdk.tls.useExtendedMasterSecret=false", f"-Djdk.tls.namedGroups={group}")
    said = programs.run("java", *options, HANDSHAKE, "provider.cfg", PIN, *pairs)
    assert all(f"SunTls12{secret}: SunPKCS11-softee" in said for secret in IN_THE_TOKEN)
    assert all(f"{suite}: said by the client" in said for suite in suites), said


@pytest.mark.parametrize("group", ["secp256r1", "x25519,secp256r1"])
def test_a_tls_1_2_handshake_has_all_of_its_secrets_in_the_token(
    programs: Programs, store: tuple[str, ...], group: str
) -> None:
    """The token does what SunPKCS11 knows: with X25519 the premaster secret comes from Java."""
    shake_hands(programs, store, ECDHE, group)


def test_a_premaster_secret_is_wrapped_by_the_servers_key(programs: Programs, store: tuple[str, ...]) -> None:
    with (programs.directory / "provider.cfg").open("a") as configuration:
        configuration.write(RSA_WRAPS)
    shake_hands(programs, store, RSA)
