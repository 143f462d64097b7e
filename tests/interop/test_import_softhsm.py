# SPDX-License-Identifier: Apache-2.0
"""``softee import softhsm``: what real SoftHSM2 programs have made goes on a token of softee's, and works there."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from interop.command_line import CommandLine, command_line, with_module
from interop.tools import LABEL, Programs, run_in
from softee.cli.softhsm.files import read_folder
from softee.names import CKA, CKK, CKO
from support.command_line import call
from support.softhsm import Attributes, encode, write_database

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, SO_PIN = "54321", "12345678"
KINDS = ("rsa:2048", "ec:prime256v1", "ec:secp384r1", "ed25519", "aes:256", "hmac:256")

pytestmark = pytest.mark.skipif(not MODULE.exists(), reason="SoftHSM2 is not installed")


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a SoftHSM2 that has a token with everything on it: keys that never leave it, above all."""
    folder = tmp_path / "tokens"
    folder.mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    monkeypatch.setenv("SOFTEE_FROM_PIN", PIN)
    made = ("softhsm2-util", "--init-token", "--free", "--label", "old", "--so-pin", SO_PIN, "--pin", PIN)
    run_in(tmp_path, _environment(tmp_path), made)
    return folder


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "SOFTHSM2_CONF": str(folder / "softhsm2.conf")}


def pkcs11_tool(folder: Path, *arguments: str) -> None:
    """Run pkcs11-tool on the token of SoftHSM2's."""
    command = ("pkcs11-tool", "--module", str(MODULE), "--token-label", "old", "--login", "--pin", PIN, *arguments)
    run_in(folder, _environment(folder), command)


@pytest.fixture
def public_keys(
    tokens: Path,  # noqa: ARG001 - it is what they are on
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> dict[str, PublicKeyTypes]:
    """What is on that token: its public keys, by their labels."""
    with monkeypatch.context() as patch:
        old = with_module(MODULE, patch, capsys)
        patch.setenv("SOFTEE_PIN", PIN)
        for kind in KINDS:
            old("key", "generate", kind, "--label", kind)
        old("cert", "self-signed", "--label", "rsa:2048", "--subject", "CN=old", "--store", "--out", f"{tmp_path}/cert")
        found = {kind: old("key", "export-public", "--label", kind) for kind in KINDS[:4]}
    (tmp_path / "data").write_text("some data")
    pkcs11_tool(tmp_path, "--write-object", "data", "--type", "data", "--label", "mine", "--private")
    pkcs11_tool(tmp_path, "--write-object", "data", "--type", "data", "--label", "everybody's")
    pkcs11_tool(tmp_path, "--keygen", "--key-type", "AES:16", "--label", "bare", "--id", "99")
    return {kind: load_pem_public_key(pem.encode()) for kind, pem in found.items()}


@pytest.fixture
def softee(programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    softee = command_line(programs, monkeypatch, capsys)
    softee("token", "init", LABEL)
    return softee


@pytest.mark.parametrize("back_end", ["files", "SQLite"])
def test_everything_on_a_token_is_taken_and_works(
    back_end: str, tokens: Path, public_keys: dict[str, PublicKeyTypes], softee: CommandLine, tmp_path: Path
) -> None:
    folder = tokens if back_end == "files" else in_a_database(tokens, tmp_path / "databases")
    outcomes = softee.json("import", "softhsm", str(folder), "--from", "old")
    assert {outcome["why"] for outcome in outcomes} == {None}
    assert len(outcomes) == 2 * 4 + 3 + 1 + 2
    found = softee.json("object", "list")
    assert sorted((one["class"], one["label"], one["id"]) for one in found) == sorted(
        (outcome["object_class"], outcome["label"], outcome["id"]) for outcome in outcomes
    )
    for kind, key in public_keys.items():
        signed = tmp_path / "request"
        softee("csr", "--label", kind, "--subject", "CN=moved", "--out", str(signed))
        assert load_pem_public_key(softee("key", "export-public", "--label", kind).encode()) == key
        check_request(signed, key)
        traits = softee.json("key", "show", "--label", kind)["traits"]
        assert "sensitive" in traits
        assert not {"extractable", "local"} & set(traits)


def in_a_database(tokens: Path, folder: Path) -> Path:
    """Write what SoftHSM2 has in files into a database of its schema."""
    (place,) = tokens.iterdir()
    token = read_folder(place)
    objects = [dict(one.attributes) for one in token.objects]
    write_database(folder / place.name, dict(token.about.attributes), objects)
    return folder


def check_request(file: Path, key: PublicKeyTypes) -> None:
    request = x509.load_pem_x509_csr(file.read_bytes())
    match key:
        case rsa.RSAPublicKey():
            key.verify(request.signature, request.tbs_certrequest_bytes, PKCS1v15(), SHA256())
        case ec.EllipticCurvePublicKey():
            assert request.signature_hash_algorithm is not None
            key.verify(request.signature, request.tbs_certrequest_bytes, ec.ECDSA(request.signature_hash_algorithm))
        case ed25519.Ed25519PublicKey():
            key.verify(request.signature, request.tbs_certrequest_bytes)
        case _:
            raise TypeError(type(key).__name__)


@pytest.mark.usefixtures("public_keys")
def test_done_again_it_takes_nothing_twice(tokens: Path, softee: CommandLine, tmp_path: Path) -> None:
    softee("import", "softhsm")
    before = softee.json("object", "list")
    pkcs11_tool(tmp_path, "--keygen", "--key-type", "AES:16", "--label", "later", "--id", "77")
    assert "taken" in softee("import", "softhsm", str(tokens))
    assert len(softee.json("object", "list")) == len(before) + 1


def test_what_cannot_be_taken_is_said_with_the_reason(
    tokens: Path, softee: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pkcs11_tool(tmp_path, "--keygen", "--key-type", "AES:16", "--label", "good", "--id", "02")
    (place,) = tokens.iterdir()
    (place / "ffffffff-0000-0000-0000-000000000000.object").write_bytes(b"damaged")
    dsa: Attributes = {
        CKA.CLASS: int(CKO.PUBLIC_KEY), CKA.KEY_TYPE: int(CKK.DSA), CKA.LABEL: b"old style", CKA.TOKEN: True
    }  # fmt: skip
    (place / "eeeeeeee-0000-0000-0000-000000000000.object").write_bytes(encode(dsa))
    assert call("import", "softhsm", "--json") == 1
    outcomes = {one["label"]: one for one in json.loads(capsys.readouterr().out)}
    assert outcomes["good"]["taken"]
    assert not outcomes[""]["taken"]
    assert "is damaged" in outcomes[""]["why"]
    assert outcomes["old style"]["why"] == "softee's tokens have no such object: CKA_KEY_TYPE 0x1 is not supported"
    assert [one["label"] for one in softee.json("key", "list")].count("good") == 1


def test_another_pin_opens_nothing(tokens: Path, softee: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTEE_FROM_PIN", "another")
    assert softee.fails("import", "softhsm", str(tokens)) == "This is not the PIN of the user of SoftHSM2's token."
    assert softee.json("object", "list") == []
