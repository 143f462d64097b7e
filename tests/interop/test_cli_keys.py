# SPDX-License-Identifier: Apache-2.0
"""softee key, cert, csr, object and uri, on a token of softee's: what they make other programs read."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from interop.command_line import CommandLine, command_line
from interop.tools import LABEL, PIN, Programs
from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.kinds import KINDS
from softee.cli.cryptoki.refusals import RefusedError
from softee.cli.failure import CliError
from softee.cli.key import importing, wrapping
from softee.names import CKA, CKC, CKM, CKO, CKR
from support.secure_world import RunningDaemon, running_daemon

SIGNING = ("rsa:2048", "ec:prime256v1", "ec:secp384r1", "ec:secp521r1", "ed25519", "ed448", "ml-dsa:65")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One secure world for all of these tests, each of which begins with an empty token."""
    with running_daemon(tmp_path_factory.mktemp("keys")) as running:
        yield running


@pytest.fixture
def softee(programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    softee = command_line(programs, monkeypatch, capsys)
    softee("token", "init", LABEL, "--slot", "0", "--yes")
    return softee


def test_keys_of_each_kind_of_file_come_by_their_own_command(softee: CommandLine, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    files = {
        "p12": serialize_key_and_certificates(b"name", key, None, None, NoEncryption()),
        "pkcs8": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert softee.json("import", name, str(tmp_path / name), "--label", name)["kind"] == "ec:prime256v1"
    assert softee.fails("import", "p12", str(tmp_path / "pem")) == "The file holds no private key in PKCS#12."
    assert len(softee.json("key", "list")) == 2 * len(files)


@pytest.fixture
def _no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is there to be asked."""
    monkeypatch.setattr("sys.stdin", io.StringIO())


def test_every_kind_is_made_and_shown_under_its_name(softee: CommandLine) -> None:
    kinds = KINDS.keys() - {"rsa:3072", "rsa:4096"}  # which take long
    for kind in kinds:
        made = softee.json("key", "generate", kind, "--label", kind)
        assert (made["kind"], made["label"], len(made["id"]), made["private"]) == (kind, kind, 16, True)
        assert "sensitive" in made["traits"]
        assert "extractable" not in made["traits"]
    listed = softee.json("key", "list")
    assert {one["kind"] for one in listed} == {one["label"] for one in listed} == kinds


@pytest.mark.parametrize("kind", ["ed448", "ml-kem:768", "aes:256"])
def test_a_key_is_shown_with_its_public_half_if_it_has_one(softee: CommandLine, kind: str) -> None:
    made = softee.json("key", "generate", kind, "--id", "01ff")
    shown = softee.json("key", "show", "--id", "01ff")
    assert shown.items() >= made.items()
    assert ("public_key" in shown) == (made["class"] == "private key")
    if "public_key" in shown:
        load_pem_public_key(shown["public_key"].encode())
        assert len(shown["sha256"]) == 64


def test_keys_are_listed_found_and_deleted_by_their_names(softee: CommandLine) -> None:
    uri = softee("key", "generate", "ec:prime256v1", "--label", "one").strip()
    softee("key", "generate", "aes:256", "--label", "two", "--id", "02")
    assert [one["class"] for one in softee.json("key", "list")] == ["private key", "public key", "secret key"]
    assert [one["class"] for one in softee.json("object", "list", "--no-login")] == ["public key"]
    assert [one["label"] for one in softee.json("key", "list", uri)] == ["one"]
    assert "ec:prime256v1" in softee("key", "list", "--label", "one")
    assert softee.json("uri", "--id", "02") == [softee("uri", "--label", "two").strip()]
    assert softee.json("uri")[0].endswith(f"token={LABEL}")
    assert softee("uri").endswith(f"token={LABEL}\n")
    assert softee.json("key", "delete", "--label", "one", "--yes")
    assert softee("object", "delete", "--id", "02", "--yes").startswith('Destroyed: secret key "two" (02)')
    assert softee.json("object", "list") == []
    assert softee.fails("key", "delete", "--label", "one", "--yes").startswith("There is no such key")
    assert softee.fails("uri", "--label", "one") == "There is nothing of that name."


@pytest.mark.usefixtures("_no_answer")
def test_what_destroys_asks_and_takes_no_for_an_answer(softee: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    softee("key", "generate", "aes:128", "--label", "kept")
    assert softee.fails("key", "delete", "--label", "kept").endswith("give --yes where nobody can be asked.")
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert softee.fails("object", "delete", "--label", "kept") == "Nothing was done."
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    assert softee("object", "delete", "--label", "kept").startswith("Destroyed:")


def test_a_name_that_is_not_clear_is_not_guessed(softee: CommandLine) -> None:
    for _ in range(2):
        softee("key", "generate", "aes:128", "--label", "twice")
    assert softee.fails("key", "show", "--label", "twice").startswith("There are 2 such objects")
    assert softee.fails("key", "show", "--label", "never").startswith("There is no such key")
    assert softee.fails("key", "show", status=2).startswith("Name the key by")
    assert softee.fails("object", "delete", "--yes", status=2).startswith("Name the object by")
    softee("key", "generate", "aes:128", "--id", "03")
    assert "take another --id" in softee.fails("key", "generate", "ed25519", "--id", "03")


def test_requests_and_certificates_are_signed_by_the_token(softee: CommandLine, tmp_path: Path) -> None:
    subject = ("--subject", "CN=signer,O=Example", "--san", "dns:example.org", "--san", "ip:192.0.2.1")
    file = tmp_path / "certificate.pem"
    for kind in SIGNING:
        key_id = softee.json("key", "generate", kind, "--label", kind)["id"]
        request = x509.load_pem_x509_csr(softee("csr", "--label", kind, *subject).encode())
        assert request.is_signature_valid
        assert request.subject.rfc4514_string() == "CN=signer,O=Example"
        softee("cert", "self-signed", "--id", key_id, *subject, "--days", "3", "--ca", "--store", "--out", str(file))
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        certificate.verify_directly_issued_by(certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["example.org"]
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        (stored,) = softee.json("cert", "list", "--id", key_id)
        assert (stored["class"], stored["label"], stored["kind"]) == ("certificate", kind, "x.509")


def test_a_certificate_is_shown_with_what_it_says(softee: CommandLine) -> None:
    softee("key", "generate", "ed25519", "--label", "signer", "--id", "04")
    softee("cert", "self-signed", "--id", "04", "--subject", "CN=signer", "--store")
    shown = softee.json("object", "show", "pkcs11:type=cert;id=%04")
    assert shown["subject"] == shown["issuer"] == "CN=signer"
    assert shown["public_key"] == softee.json("key", "show", "--id", "04")["public_key"]


def test_keys_that_sign_no_certificates_are_told(softee: CommandLine) -> None:
    softee("key", "generate", "x25519", "--label", "agrees")
    sentence = "Keys of this type sign no certificates and requests."
    assert softee.fails("csr", "--label", "agrees", "--subject", "CN=x") == sentence
    assert softee.fails("csr", "--label", "agrees", "--subject", "x", status=2).startswith("--subject is no name")
    wrong = softee.fails("csr", "--label", "agrees", "--subject", "CN=x", "--san", "x:y", status=2)
    assert wrong.startswith("--san takes dns, email, uri, ip")


def test_a_public_key_is_written_as_other_programs_read_it(softee: CommandLine, tmp_path: Path) -> None:
    for kind in ("rsa:2048", "ec:prime256v1", "ed25519", "ml-dsa:44", "ec:brainpoolP256r1"):
        softee("key", "generate", kind, "--label", kind)
    pem = softee("key", "export-public", "--label", "ec:prime256v1")
    assert isinstance(load_pem_public_key(pem.encode()), ec.EllipticCurvePublicKey)
    out = tmp_path / "key.der"
    softee("key", "export-public", "--label", "rsa:2048", "--format", "der", "--out", str(out))
    subprocess.run(["openssl", "pkey", "-pubin", "-inform", "DER", "-in", out, "-noout"], check=True)
    ssh = tmp_path / "key.pub"
    ssh.write_text(softee("key", "export-public", "--label", "ed25519", "--format", "ssh", "--no-login"))
    subprocess.run(["ssh-keygen", "-l", "-f", ssh], check=True, capture_output=True)
    jwks = {
        kind: json.loads(softee("key", "export-public", "--label", kind, "--format", "jwk")) for kind in SIGNING[:2]
    }
    assert jwks["rsa:2048"].keys() == {"kty", "n", "e"}
    assert jwks["ec:prime256v1"].items() >= {"kty": "EC", "crv": "P-256"}.items()
    octets = softee.json("key", "export-public", "--label", "ed25519", "--format", "jwk")
    assert json.loads(octets["public_key"]).items() >= {"kty": "OKP", "crv": "Ed25519"}.items()
    assert softee.json("key", "export-public", "--label", "ed25519", "--format", "der")["public_key"].startswith("302a")
    for kind in ("ml-dsa:44", "ec:brainpoolP256r1"):
        refused = softee.fails("key", "export-public", "--label", kind, "--format", "jwk")
        assert refused == "Keys of this type cannot be written in the format jwk."
    softee("key", "generate", "aes:128", "--label", "secret")
    assert softee.fails("key", "export-public", "--label", "secret").startswith("The public key is not on the token")


def key_files(directory: Path) -> Iterator[tuple[str, Path]]:
    """Write a key in each format, and yield the kind that it has on a token."""
    small = ec.generate_private_key(ec.SECP256R1())
    edwards = ed25519.Ed25519PrivateKey.generate()
    large = rsa.generate_private_key(65537, 2048)
    sealed = BestAvailableEncryption(b"a password")
    files = {
        "plain.pem": ("ec:prime256v1", small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        "sealed.pem": ("rsa:2048", large.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)),
        "key.der": ("ed25519", edwards.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        "id_ed25519": ("ed25519", edwards.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, sealed)),
        "key.p12": ("rsa:2048", serialize_key_and_certificates(b"x", large, None, None, sealed)),
    }
    for name, (kind, data) in files.items():
        (directory / name).write_bytes(data)
        yield kind, directory / name


def test_a_key_from_a_file_signs_as_it_did(
    softee: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTEE_FILE_PASSWORD", "a password")
    for kind, file in key_files(tmp_path):
        made = softee.json("key", "import", str(file), "--label", file.name)
        assert (made["kind"], made["class"], "local" in made["traits"]) == (kind, "private key", False)
        request = softee("csr", "--label", file.name, "--subject", "CN=imported")
        assert x509.load_pem_x509_csr(request.encode()).is_signature_valid


def refused(*_: object) -> int:
    raise CliError("It is refused.")


def test_certificates_come_with_a_key_and_find_theirs(
    softee: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    softee("key", "generate", "ec:prime256v1", "--label", "ca", "--id", "0a")
    pem = tmp_path / "ca.pem"
    softee("cert", "self-signed", "--label", "ca", "--subject", "CN=ca", "--out", str(pem))
    assert softee.json("cert", "import", str(pem), "--label", "its own")["id"] == "0a"
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    der = tmp_path / "ca.der"
    der.write_bytes(certificate.public_bytes(Encoding.DER))
    assert softee.json("cert", "import", str(der), "--id", "0b")["id"] == "0b"
    other = ec.generate_private_key(ec.SECP256R1())
    both = tmp_path / "both.p12"
    own = x509.CertificateBuilder(
        certificate.subject,
        certificate.issuer,
        other.public_key(),
        7,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    ).sign(other, SHA256())
    both.write_bytes(serialize_key_and_certificates(b"x", other, own, [certificate], BestAvailableEncryption(b"p")))
    monkeypatch.setenv("SOFTEE_FILE_PASSWORD", "p")
    made = softee.json("key", "import", str(both), "--label", "with a chain")
    stored = softee.json("cert", "list", "--label", "with a chain")
    assert sorted(one["id"] for one in stored) == ["", made["id"]]
    softee("key", "generate", "ml-kem:512", "--label", "of no certificate")
    softee("object", "delete", "pkcs11:object=ca;type=public", "--yes")
    assert softee.json("cert", "import", str(pem), "--label", "of no key")["id"] == ""
    before = len(softee.json("object", "list"))
    monkeypatch.setattr(importing, "store_certificate", refused)
    assert softee.fails("key", "import", str(both), "--label", "by half") == "It is refused."
    assert len(softee.json("object", "list")) == before
    for wrong in (b"nothing", pem.read_bytes() * 2):
        der.write_bytes(wrong)
        assert softee.fails("cert", "import", str(der)).startswith("The file holds ")


def test_a_key_leaves_the_token_only_wrapped_and_comes_back(softee: CommandLine, tmp_path: Path) -> None:
    softee("key", "generate", "aes:256", "--label", "wrapper", "--id", "77", "--use", "wrap")
    softee("key", "generate", "ec:prime256v1", "--label", "leaves", "--extractable")
    softee("key", "generate", "ec:prime256v1", "--label", "stays")
    before = softee.json("key", "show", "--label", "leaves")
    file = str(tmp_path / "wrapped")
    softee("key", "wrap", "--label", "leaves", "--by-id", "77", "--out", file)
    made = softee.json("key", "unwrap", file, "--type", "ec", "--label", "back", "--by-label", "wrapper", "--id", "78")
    assert (made["kind"], made["traits"]) == ("ec:prime256v1", ["sensitive", "sign"])
    assert softee.json("key", "show", "--label", "back")["public_key"] == before["public_key"]
    wrapper = softee("uri", "--label", "wrapper").strip()
    assert "does not open" in softee.fails("key", "unwrap", file, "--type", "rsa", "--by-uri", wrapper)
    assert "made without --extractable" in softee.fails(
        "key", "wrap", "--label", "stays", "--by-id", "77", "--out", file
    )
    assert softee.fails("key", "wrap", "--label", "leaves", "--by-id", "77", status=2).startswith("Name a file")
    assert softee.fails("key", "wrap", "--label", "leaves", "--out", file, status=2).startswith("Name the AES key")


def test_a_token_that_wraps_no_keys_of_any_length_is_told(
    softee: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    softee("key", "generate", "aes:256", "--label", "both", "--use", "wrap", "--extractable")
    monkeypatch.setattr(wrapping, "WRAPPING", (CKM.ECDSA, CKM.AES_CMAC_GENERAL))
    refused = softee.fails("key", "wrap", "--label", "both", "--by-label", "both", "--out", str(tmp_path / "wrapped"))
    assert refused == "The token has no AES key wrap with padding."


def test_what_is_asked_of_no_object_is_refused(softee: CommandLine) -> None:
    assert softee.json("object", "list") == []
    with TokenChoice(Path(os.environ["SOFTEE_MODULE"])).session() as session, pytest.raises(RefusedError) as refused:
        session.attributes(0x7FFFFFFF, [CKA.LABEL])
    assert refused.value.rv == CKR.OBJECT_HANDLE_INVALID


def test_a_certificate_that_is_none_is_shown_as_far_as_it_can_be(softee: CommandLine) -> None:
    with TokenChoice(Path(os.environ["SOFTEE_MODULE"])).session(write=True) as session:
        session.create(
            {
                CKA.CLASS: int(CKO.CERTIFICATE),
                CKA.CERTIFICATE_TYPE: int(CKC.X_509),
                CKA.TOKEN: True,
                CKA.SUBJECT: b"x",
                CKA.VALUE: b"no certificate",
                CKA.ID: b"\x09",
            }
        )
    shown = softee.json("object", "show", "--id", "09")
    assert (shown["subject"], "public_key" in shown) == ("cannot be read", False)


def test_a_secret_key_is_wrapped_too(softee: CommandLine, tmp_path: Path) -> None:
    softee("key", "generate", "aes:256", "--label", "wrapper", "--use", "wrap")
    softee("key", "generate", "hmac:256", "--label", "leaves", "--extractable")
    file = str(tmp_path / "wrapped")
    softee("key", "wrap", "--label", "leaves", "--by-label", "wrapper", "--out", file)
    made = softee.json(
        "key", "unwrap", file, "--type", "hmac", "--by-label", "wrapper", "--use", "sign", "--extractable"
    )
    assert (made["kind"], "extractable" in made["traits"]) == ("hmac:256", True)


def test_other_programs_objects_are_shown(softee: CommandLine, programs: Programs, tmp_path: Path) -> None:
    """pkcs11-tool's data object, and a certificate that is none."""
    (tmp_path / "data").write_bytes(b"data")
    programs.p11_in("--write-object", str(tmp_path / "data"), "--type", "data", "--label", "a [blink]label\x1b[2J")
    (found,) = softee.json("object", "list")
    assert found["class"] == "data"
    shown = softee("object", "show", found["uri"])
    assert "\x1b" not in shown
    assert "bytes    4\n" in shown


def test_a_wrong_pin_is_a_sentence_and_leaves_nothing(softee: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTEE_PIN", f"{PIN}0")
    assert softee.fails("key", "generate", "aes:128") == "The PIN is wrong (C_Login: CKR_PIN_INCORRECT)."
    monkeypatch.setenv("SOFTEE_PIN", PIN)
    assert softee.json("key", "list") == []
