# SPDX-License-Identifier: Apache-2.0
"""``softee token move`` and ``softee token import``: one token goes whole, with its PINs, and lives in one place."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from softee.cli.main import main
from softee.daemon.at_rest import passphrase_file
from softee.daemon.at_rest.application import tokens_of
from softee.daemon.at_rest.moving import application_over
from softee.daemon.at_rest.passphrase_file import PassphraseFileError
from softee.daemon.at_rest.portable import read_portable
from softee.daemon.settings import Settings
from softee.names import CKA, CKM, CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.token.copying import copy_token
from softee.pkcs11_ta.token.token import Token
from support.commands import c
from support.object_calls import create, generate, get, pair, search
from support.states import PASSPHRASE, opened, settings_in
from support.token_world import CHEAP, P256, SO_PIN, USER_PIN, Caller, make_application, template, user_client


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase_file, "COST", CHEAP)
    monkeypatch.setenv("SOFTEE_PASSPHRASE", PASSPHRASE.decode())
    monkeypatch.setenv("SOFTEE_PIN", USER_PIN.decode())
    monkeypatch.setenv("SOFTEE_SO_PIN", SO_PIN.decode())


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """An installation with a token that has objects of both compartments, and a key that never leaves it."""
    settings = settings_in(tmp_path / "here")
    with opened(settings) as caller:
        session = caller.set_up()
        create(caller, session, TOKEN=True, PRIVATE=False)
        generate(caller, session, (CKA.TOKEN, True), (CKA.LABEL, b"secret"), (CKA.EXTRACTABLE, False))
        pair(
            caller,
            session,
            CKM.EC_KEY_PAIR_GEN,
            ((CKA.EC_PARAMS, P256), (CKA.TOKEN, True), (CKA.LABEL, b"public")),
            ((CKA.TOKEN, True), (CKA.LABEL, b"private"), (CKA.SIGN, True)),
        )
    return settings


def run(settings: Settings, *arguments: object) -> int:
    config = settings.state.parent / "softee.toml"
    with pytest.raises(SystemExit) as ended:
        main(["token", *map(str, arguments), f"--config={config}"])
    return int(ended.value.code or 0)


def to_state(there: Settings) -> tuple[str, ...]:
    return ("--yes", f"--to-state={there.state}", f"--to-root-key={there.root_key}")


def contents(settings: Settings, slot: int = 0) -> list[Attributes]:
    """Return what is on a token that its user is logged in to; nothing of one that is not initialized."""
    with opened(settings) as caller:
        token = caller.application.slots.token(slot)
        if token.state.so is None:
            assert not token.vault.entries
            return []
        assert caller.login(caller.open(slot)) is CKR.OK
        return [token.objects.get(number, private=True).attributes for number in token.objects.find({}, private=True)]


def test_a_token_goes_whole_into_another_state_and_its_slot_is_empty(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(here)
    there = settings_in(tmp_path / "there")
    assert run(here, "move", "test", *to_state(there)) == 0
    assert 'The token "test" is in slot 0 now' in capsys.readouterr().out
    assert contents(there) == before
    assert contents(here) == []


def test_both_pins_work_there_and_what_is_new_is_found(here: Settings, tmp_path: Path) -> None:
    there = settings_in(tmp_path / "there")
    assert run(here, "move", "test", *to_state(there), "--slot=2") == 0
    with opened(there) as caller:
        session = caller.open(2)
        assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
        caller.logout(session)
        assert caller.login(session, CKU.USER, b"wrong") is CKR.PIN_INCORRECT
        assert caller.login(session) is CKR.OK
        (key,) = search(caller, session, template((CKA.LABEL, b"private")))
        caller.ok(c.SIGN_INIT, session, key, CKM.ECDSA, b"")
        assert len(caller.ok(c.SIGN_ONESHOT, session, data=bytes(32)).output) == 64
        assert get(caller, session, key, CKA.LOCAL) == b"\1"
        assert create(caller, session, TOKEN=True) == 5


def test_a_token_goes_by_a_file_and_is_in_one_place_at_a_time(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, file, there = contents(here), tmp_path / "file", settings_in(tmp_path / "there")
    assert run(here, "move", "test", "--yes", f"--to-file={file}", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(file), "label": "test"}
    assert contents(here) == []
    assert run(there, "import", file, "--slot=1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["label"], told["slot"]) == ("test", 1)
    with opened(there) as caller:
        assert told["serial"] == caller.application.slots.token(1).serial_number
    assert contents(there, 1) == before


def test_a_file_holds_no_private_object_that_opens_without_a_pin(here: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert run(here, "move", "test", "--yes", f"--to-file={file}") == 0
    (token,) = tokens_of(application_over(read_portable(file, bytearray(PASSPHRASE)), 1))
    private = [number for number in token.vault.entries if token.objects.is_private(number)]
    assert private
    for number in private:
        with pytest.raises(Pkcs11Error):
            token.objects.get(number, private=True)


def test_a_token_comes_out_of_a_whole_backup(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(here) as caller:
        assert caller.init_token(1, label=b"other") is CKR.OK
    file = tmp_path / "file"
    with pytest.raises(SystemExit):
        main(["backup", "--encrypted", str(file), f"--state={here.state}", f"--root-key={here.root_key}"])
    there = settings_in(tmp_path / "there")
    assert run(there, "import", file) == 1
    assert "has 2 such tokens; name one by --token LABEL" in capsys.readouterr().err
    assert run(there, "import", file, "--token=other") == 0
    assert run(there, "import", file, "--token=test") == 0
    assert contents(there, 1) == contents(here)


def test_failed_tries_do_not_go_along_and_wrong_pins_move_nothing(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = settings_in(tmp_path / "there")
    with opened(here) as caller:
        session = caller.open()
        assert [caller.login(session, CKU.USER, b"guess") for _ in range(7)][-1] is CKR.PIN_LOCKED
    for variable in ("SOFTEE_PIN", "SOFTEE_SO_PIN"):
        with monkeypatch.context() as wrong:
            wrong.setenv(variable, "not the PIN")
            assert run(here, "move", "test", *to_state(there)) == 1
            assert "A PIN is wrong; nothing was changed." in capsys.readouterr().err
            assert contents(there) == []
    assert run(here, "move", "test", *to_state(there)) == 0
    assert len(contents(there)) == 4


def test_what_cannot_move_is_said_and_stays(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = settings_in(tmp_path / "there")
    refused = {
        ("none", *to_state(there)): 'There is no token called "none" in the state.',
        ("test", *to_state(there), "--slot=3"): "There is no slot 3 there, only 0 to 2.",
        ("test", *to_state(here)): "Another secure world uses the state",
        ("test", "--yes", f"--to-file={tmp_path}/none/file"): "cannot be written: No such file",
    }
    for arguments, sentence in refused.items():
        assert run(here, "move", *arguments) == 1
        assert sentence in capsys.readouterr().err
    assert run(here, "move", "test", "--yes") == 2
    assert "Say where the token goes" in capsys.readouterr().err
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert run(here, "move", "test", f"--to-file={tmp_path}/file") == 1
    assert "Nothing was done." in capsys.readouterr().err
    with opened(there) as caller:
        for slot, label in enumerate((b"one", b"two", b"three")):
            assert caller.init_token(slot, label=label) is CKR.OK
    assert run(here, "move", "test", *to_state(there)) == 1
    assert "There is a token in each slot there" in capsys.readouterr().err
    assert len(contents(here)) == 4


def test_a_crash_between_both_leaves_the_token_in_both_and_says_so_the_next_time(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = settings_in(tmp_path / "there")

    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as crash:
        crash.setattr(Token, "reset", killed)
        with pytest.raises(KilledError):
            main(["token", "move", "test", *to_state(there), f"--config={here.state.parent}/softee.toml"])
    assert contents(here) == contents(there)
    assert run(here, "move", "test", *to_state(there)) == 1
    assert (
        'There is a token called "test" there already; wipe it, if a move was interrupted.' in capsys.readouterr().err
    )


def test_a_file_that_does_not_hold_what_was_written_costs_no_token(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise PassphraseFileError("It cannot be read again.")

    monkeypatch.setattr("softee.daemon.at_rest.portable.read_portable", unreadable)
    assert run(here, "move", "test", "--yes", f"--to-file={tmp_path}/file") == 1
    assert "It cannot be read again." in capsys.readouterr().err
    assert len(contents(here)) == 4


def test_a_damaged_object_keeps_the_token_where_it_is(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(here.state / "softee.db", isolation_level=None)) as database:
        longer, where = "CAST(value || x'00' AS BLOB)", "substr(hex(key), -10) = '0400000001'"
        assert database.execute(f"UPDATE records SET value = {longer} WHERE {where}").rowcount == 1  # noqa: S608
    assert run(here, "move", "test", "--yes", f"--to-file={here.state}/file") == 1
    assert "The token cannot be copied: object 0x1 cannot be read" in capsys.readouterr().err


def test_a_backup_that_opens_and_holds_no_state_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    passphrase_file.write_sealed(file, [bytes(32)], bytearray(PASSPHRASE))
    assert run(settings_in(tmp_path / "there"), "import", file) == 1
    assert "opens, but holds no state: no token is in it" in capsys.readouterr().err


def test_a_token_without_a_pin_is_copied_for_the_same_identities() -> None:
    one, other = (Caller(make_application(), user_client(1000)) for _ in range(2))
    assert one.init_token(pin=b"") is CKR.OK
    session = one.open()
    assert one.login(session, CKU.SO, b"") is CKR.OK
    assert one.init_pin(session, b"") is CKR.OK
    source, target = one.application.slots.token(0), other.application.slots.token(1)

    def nobody(user: CKU) -> bytearray:
        raise AssertionError(user)

    assert copy_token(source, target, one.application.pins, nobody) == 0
    assert other.login(other.open(1), CKU.USER, b"") is CKR.OK
    with pytest.raises(ValueError, match="a slot that has none"):
        copy_token(source, target, one.application.pins, nobody)
