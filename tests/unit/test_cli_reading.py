# SPDX-License-Identifier: Apache-2.0
"""Private keys in files: every format that people have, with a password and without, and what is none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, mlkem, rsa, x448
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from softee.cli.cryptoki.kinds import curve_by_oid
from softee.cli.cryptoki.native import pair_of
from softee.cli.failure import CliError
from softee.cli.key import reading
from softee.cli.key.reading import Format, read_key
from softee.names import CKA, CKK

PASSWORD = b"a password"
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name.from_rfc4514_string("CN=test")
NOW = datetime.now(UTC)
CERTIFICATE = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 1, NOW, NOW + timedelta(1)).sign(KEY, SHA256())


UNKNOWN = b"""-----BEGIN PRIVATE KEY-----
MCYCAQAwCwYJKoZIhvcNAQkBBBQAAAAAAAAAAAAAAAAAAAAAAAAAAA==
-----END PRIVATE KEY-----
"""
"""A PrivateKeyInfo whose algorithm is none of any library's."""


def no_password() -> bytes:
    raise AssertionError("a password is asked for")


def written(form: PrivateFormat, encoding: Encoding) -> Callable[[KeySerializationEncryption], bytes]:
    return lambda encryption: KEY.private_bytes(encoding, form, encryption)


def pkcs12(encryption: KeySerializationEncryption) -> bytes:
    return serialize_key_and_certificates(b"name", KEY, CERTIFICATE, [CERTIFICATE], encryption)


FORMATS = {
    "PKCS#8 in PEM": written(PrivateFormat.PKCS8, Encoding.PEM),
    "PKCS#8 in DER": written(PrivateFormat.PKCS8, Encoding.DER),
    "SEC 1 in PEM": written(PrivateFormat.TraditionalOpenSSL, Encoding.PEM),
    "OpenSSH": written(PrivateFormat.OpenSSH, Encoding.PEM),
    "PKCS#12": pkcs12,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_key_is_read_with_and_without_a_password(name: str) -> None:
    plain = read_key(FORMATS[name](NoEncryption()), no_password)
    sealed = read_key(FORMATS[name](BestAvailableEncryption(PASSWORD)), lambda: PASSWORD)
    for found in (plain, sealed):
        assert isinstance(found.key, ec.EllipticCurvePrivateKey)
        assert found.key.private_numbers() == KEY.private_numbers()
        assert list(found.certificates) == ([CERTIFICATE, CERTIFICATE] if name == "PKCS#12" else [])


@pytest.mark.parametrize("taken", Format)
@pytest.mark.parametrize("name", FORMATS)
def test_where_one_format_is_asked_for_no_other_is_taken(name: str, taken: Format) -> None:
    data = FORMATS[name](NoEncryption())
    if (name == taken.value) or name.endswith(f"in {taken.value}") or (name, taken) == ("OpenSSH", Format.SSH):
        assert isinstance(read_key(data, no_password, [taken]).key, ec.EllipticCurvePrivateKey)
    else:
        with pytest.raises(CliError, match=f"The file holds no private key in {taken.value}."):
            read_key(data, no_password, [taken])


def test_the_formats_that_would_be_taken_are_named() -> None:
    for formats, named in (
        ([Format.PEM, Format.DER], "PEM or DER"),
        (list(Format), "PEM, DER, PKCS#12 or OpenSSH's format"),
    ):
        with pytest.raises(CliError, match=f"The file holds no private key in {named}."):
            read_key(b"none", no_password, formats)


@pytest.mark.parametrize("name", FORMATS)
def test_a_wrong_password_is_told(name: str) -> None:
    with pytest.raises(CliError, match="does not open"):
        read_key(FORMATS[name](BestAvailableEncryption(PASSWORD)), lambda: b"another one")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "holds no private key"),
        (b"hello", "holds no private key"),
        (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "holds no private key"),
        (CERTIFICATE.public_bytes(Encoding.DER), "cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\nxxxx\n-----END PRIVATE KEY-----\n", "cannot be read"),
        (
            serialize_key_and_certificates(None, None, CERTIFICATE, None, NoEncryption()),
            "PKCS#12 file holds no private",
        ),
        (
            UNKNOWN,
            "of a type, or encrypted in a way, that is not known here",
        ),
    ],
    ids=["nothing", "a text", "a public key", "a certificate", "damaged", "no key", "unknown"],
)
def test_what_is_no_private_key_is_told(data: bytes, sentence: str) -> None:
    with pytest.raises(CliError, match=sentence):
        read_key(data, no_password)


def test_a_password_for_what_the_library_cannot_decrypt_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: bytes, password: bytes | None) -> PrivateKeyTypes:
        raise TypeError if password is None else UnsupportedAlgorithm("this cipher")

    monkeypatch.setattr(reading, "load_pem_private_key", load)
    with pytest.raises(CliError, match="encrypted in a way, that is not known here: this cipher"):
        read_key(b"-----BEGIN ENCRYPTED PRIVATE KEY-----", lambda: PASSWORD)


@pytest.mark.parametrize(
    ("key", "key_type"),
    [
        (KEY, CKK.EC),
        (ed25519.Ed25519PrivateKey.generate(), CKK.EC_EDWARDS),
        (x448.X448PrivateKey.generate(), CKK.EC_MONTGOMERY),
        (rsa.generate_private_key(65537, 2048), CKK.RSA),
        (mldsa.MLDSA65PrivateKey.generate(), CKK.ML_DSA),
        (mlkem.MLKEM768PrivateKey.generate(), CKK.ML_KEM),
    ],
    ids=["EC", "Ed25519", "X448", "RSA", "ML-DSA", "ML-KEM"],
)
def test_a_private_key_is_taken_apart_with_its_public_half(key: PrivateKeyTypes, key_type: CKK) -> None:
    pair = pair_of(key)
    assert pair.key_type == key_type
    assert CKA.EC_POINT not in pair.private
    assert pair.public
    assert not set(pair.public) & {CKA.PRIVATE_EXPONENT, CKA.SEED}
    assert "secret" in repr(pair.private)


def test_an_octet_key_is_written_so_that_tokens_of_other_makers_take_it() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pair = pair_of(key)
    assert pair.private[CKA.EC_PARAMS] == pair.public[CKA.EC_PARAMS] == bytes.fromhex("06032b6570")
    assert curve_by_oid(b"another curve") == b"another curve"
    assert pair.public[CKA.EC_POINT] == b"\x04\x20" + key.public_key().public_bytes_raw()


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(CliError, match="of a type or of a size that tokens do not take"):
        pair_of(dsa.generate_private_key(2048))
