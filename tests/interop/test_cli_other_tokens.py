# SPDX-License-Identifier: Apache-2.0
"""The same commands on tokens that are others than the default one: SoftHSM2's, and one with a board's profile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from interop.command_line import CommandLine, command_line, with_module
from interop.tools import Programs
from support.secure_world import running_daemon

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
needs_softhsm = pytest.mark.skipif(not SOFTHSM.exists(), reason="SoftHSM2 is not installed")


@pytest.fixture
def softhsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """SoftHSM2 with a token of the test's own."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    softee = with_module(SOFTHSM, monkeypatch, capsys)
    assert softee.json("token", "init", "other")["label"] == "other"
    return softee


@pytest.fixture
def board(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    """A token that allows and assumes what OP-TEE's does."""
    with running_daemon(tmp_path, settings='[pkcs11]\nprofile = "optee"\n') as daemon:
        softee = command_line(Programs(module, daemon.socket, tmp_path), monkeypatch, capsys)
        assert softee.json("token", "init", "other")["label"] == "other"
        yield softee


@pytest.fixture(params=[pytest.param("softhsm", marks=needs_softhsm), "board"])
def softee(request: pytest.FixtureRequest) -> CommandLine:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, CommandLine)
    return found


def test_keys_are_made_listed_and_sign(softee: CommandLine, tmp_path: Path) -> None:
    for kind in ("rsa:2048", "ec:prime256v1", "ed25519"):
        made = softee.json("key", "generate", kind, "--label", kind)
        assert (made["kind"], made["class"]) == (kind, "private key")
        request = softee("csr", made["uri"], "--subject", "CN=other")
        assert x509.load_pem_x509_csr(request.encode()).is_signature_valid
        certificate = tmp_path / "certificate.pem"
        softee("cert", "self-signed", "--label", kind, "--subject", "CN=other", "--store", "--out", str(certificate))
        assert softee("key", "export-public", "--label", kind).startswith("-----BEGIN PUBLIC KEY-----")
    assert len(softee.json("object", "list")) == 9
    softee("object", "delete", "--label", "ed25519", "--yes")
    assert len(softee.json("object", "list")) == 6


@needs_softhsm
def test_keys_are_wrapped_and_unwrapped(softhsm: CommandLine, tmp_path: Path) -> None:
    softee = softhsm
    softee("key", "generate", "aes:256", "--label", "wrapper", "--use", "wrap")
    softee("key", "generate", "rsa:2048", "--label", "leaves", "--extractable")
    file = str(tmp_path / "wrapped")
    softee("key", "wrap", "--label", "leaves", "--by-label", "wrapper", "--out", file)
    made = softee.json("key", "unwrap", file, "--type", "rsa", "--by-label", "wrapper", "--label", "back")
    assert made["kind"] == "rsa:2048"


def test_a_key_of_a_file_is_taken(softee: CommandLine, tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made = softee.json("key", "import", str(file), "--label", "imported")
    assert made["kind"] == "ed25519"
    request = softee("csr", "--label", "imported", "--subject", "CN=imported")
    assert x509.load_pem_x509_csr(request.encode()).is_signature_valid


def test_pins_are_changed(softee: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTEE_NEW_PIN", "another pin")
    softee("token", "set-pin")
    assert softee.fails("key", "list").startswith("The PIN is wrong")
    monkeypatch.setenv("SOFTEE_PIN", "another pin")
    assert softee.json("key", "list") == []
