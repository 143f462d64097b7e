# SPDX-License-Identifier: Apache-2.0
"""softee key and softee attestation: what they ask for, what they print, and how they say what is wrong."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softee.cli.failure import CliError
from softee.cli.token_client import RefusedCommandError, token_client
from softee.names import CKA, CKR, PKCS11_APPLICATION
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from support.attestations import certificates, stated
from support.command_line import call, options
from support.echo_application import EchoApplication
from support.object_calls import create
from support.secure_world import running_server
from support.token_world import NOW, USER_PIN, Caller, make_application

NONCE = "00112233445566778899aabbccddeeff"
LABEL = "a [red]key[/red]\x1b[2J"
"""Whoever makes a key chooses its label."""


def attest(socket: Path, **named: object) -> None:
    assert call("key", "attest", "--socket", socket, *options(named)) == 0


def verify(file: Path, root: Path, *more: str) -> None:
    assert call("key", "verify-attestation", file, "--root", root, *more) == 0


@pytest.fixture
def caller() -> Caller:
    """A token "test" with a key pair of its own, an imported one, and two of the same name."""
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    caller.ec_pair(session, (CKA.TOKEN, True), (CKA.LABEL, LABEL.encode()), (CKA.ID, b"\x01\xff"))
    create(caller, session, "EC private key", TOKEN=True, LABEL=b"imported", ID=b"")
    for _ in range(2):
        create(caller, session, "EC private key", TOKEN=True, LABEL=b"twice", ID=b"")
    create(caller, session, "DH private key", TOKEN=True, LABEL=b"dh", ID=b"")
    return caller


@pytest.fixture
def socket(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SOFTEE_PIN", USER_PIN.decode())
    with running_server([caller.application]) as socket:
        yield socket


@pytest.fixture
def root(socket: Path, tmp_path: Path) -> Path:
    call("attestation", "chain", "--socket", socket, "--out", tmp_path / "root.pem")
    return tmp_path / "root.pem"


@pytest.fixture
def made(socket: Path, tmp_path: Path) -> Path:
    attest(socket, token="test", label=LABEL, nonce=NONCE, out=tmp_path / "key.pem")
    return tmp_path / "key.pem"


def test_a_statement_is_a_file_that_verifies(made: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(made, root, "--nonce", NONCE, "--require", "CKA_LOCAL", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["key"]["CKA_LABEL"] == LABEL
    assert shown["nonce"] == NONCE
    assert shown["token"]["label"] == "test"
    assert shown["time"] == NOW.isoformat()
    assert shown["public_key"].startswith("-----BEGIN PUBLIC KEY-----\n")
    assert len(shown["path"]) == 2


def test_the_table_says_what_is_proven_and_steers_no_terminal(
    made: Path, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    verify(made, root, "--nonce", NONCE)
    shown = capsys.readouterr().out
    for words in (
        "made on this token",
        "never could be wrapped",
        r"a [red]key[/red]\x1b[2J",
        "is the one that was asked",
    ):
        assert words in shown
    verify(made, root)
    assert "was not compared" in capsys.readouterr().out


def test_a_key_is_found_by_its_id_and_an_imported_one_is_said_to_be(
    socket: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file = tmp_path / "one.pem"
    attest(socket, token="test", label=LABEL, id="01ff", out=file)
    assert stated(file.read_bytes()).key["CKA_ID"] == "01ff"
    attest(socket, token="test", label="imported")
    file.write_text(capsys.readouterr().out)
    verify(file, root)
    shown = capsys.readouterr().out
    for words in ("not made on this token", "may have been wrapped", "none"):
        assert words in shown
    with pytest.raises(CliError, match="CKA_LOCAL of the key is not true"):
        verify(file, root, "--require", "CKA_LOCAL")


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"token": "test"}, "Name the key by --label"),
        ({"token": "test", "label": "none"}, "There is no private key of that name"),
        ({"token": "test", "label": "twice"}, "There are 2 private keys of that name; give both"),
        ({"token": "other", "label": "twice"}, "There is no token of that name"),
        ({"token": "test", "id": "xy"}, "--id is not hexadecimal"),
        ({"token": "test", "label": LABEL, "nonce": "0"}, "--nonce is not hexadecimal"),
        ({"token": "test", "label": LABEL, "nonce": "00"}, "A nonce has 8 to 64 bytes, not 1"),
        ({"token": "test", "label": "dh"}, "no certificates for keys of this type"),
        ({"token": "test", "label": LABEL, "out": Path("/nonexistent/key.pem")}, "cannot be written"),
        ({"token": "test", "label": LABEL, "pin-file": Path("/nonexistent/pin")}, "cannot be read"),
    ],
)
def test_what_cannot_be_attested_is_told_in_a_sentence(socket: Path, named: dict[str, object], sentence: str) -> None:
    with pytest.raises(CliError, match=sentence):
        attest(socket, **named)


def test_a_wrong_pin_is_told(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTEE_PIN", "wrong pin")
    with pytest.raises(CliError, match="C_Login was refused with CKR_PIN_INCORRECT"):
        attest(socket, token="test", label=LABEL)


def test_a_token_as_a_board_s_is_told_to_attest_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.set_up()
    caller.ec_pair(session, (CKA.TOKEN, True), (CKA.LABEL, b"key"))
    monkeypatch.setenv("SOFTEE_PIN", USER_PIN.decode())
    with running_server([caller.application]) as socket, pytest.raises(CliError, match="its profile is optee"):
        attest(socket, token="test", label="key", out=tmp_path / "key.pem")


def test_a_secure_world_that_lacks_the_command_is_told_from_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    other = EchoApplication()
    monkeypatch.setattr(EchoApplication, "uuid", PKCS11_APPLICATION)
    with (
        running_server([other]) as socket,
        token_client(socket) as client,
        pytest.raises(RefusedCommandError) as refused,
    ):
        client.attestation_chain()
    assert refused.value.rv == CKR.FUNCTION_NOT_SUPPORTED


def test_the_request_and_the_chain_are_printed(
    socket: Path, root: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    call("attestation", "csr", "--socket", socket)
    assert capsysbinary.readouterr().out.startswith(b"-----BEGIN CERTIFICATE REQUEST-----")
    call("attestation", "chain", "--socket", socket)
    assert certificates(capsysbinary.readouterr().out) == certificates(root.read_bytes())


def test_the_root_is_valid_today(root: Path) -> None:
    (certificate,) = certificates(root.read_bytes())
    assert certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc
