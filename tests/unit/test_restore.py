# SPDX-License-Identifier: Apache-2.0
"""``softee backup --encrypted`` and ``softee restore``: a state goes whole, or stays where and as it was."""

import json
import os
import pwd
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from softee.cli.main import main
from softee.daemon.at_rest import passphrase_file, restoring
from softee.daemon.at_rest.afterwards import NotNotedError
from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.names import CKR
from softee.pkcs11_ta.audit.noting import Noting
from softee.stores.base import StoreFullError
from softee.stores.sqlite import SqliteStore
from softee.tee.anchor import ANCHOR
from softee.tee.sealing import TamperedError
from support.anchors import FakeCounter
from support.audit import events_in
from support.object_calls import create
from support.secure_world import running_daemon, short_directory
from support.states import PASSPHRASE, opened, settings_in
from support.stores import snapshot
from support.token_world import CHEAP, Caller
from support.tpm import needs_tpm, running_tpm

ANCHORED = 'anchor = "tpm:0x01800057"\n'


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase_file, "COST", CHEAP)
    monkeypatch.setenv("SOFTEE_PASSPHRASE", PASSPHRASE.decode())


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """An installation with a token that has a private object."""
    settings = settings_in(tmp_path / "here")
    with opened(settings) as caller:
        create(caller, caller.set_up(), TOKEN=True, PRIVATE=True)
    return settings


def run(settings: Settings, command: str, *arguments: object) -> int:
    config = settings.state.parent / "softee.toml"
    with pytest.raises(SystemExit) as ended:
        main([command, *map(str, arguments), f"--config={config}"])
    return int(ended.value.code or 0)


def backed_up(settings: Settings, name: str = "file") -> Path:
    """Return an encrypted backup of a state that nobody uses."""
    file = settings.state.parent.parent / name
    assert run(settings, "backup", "--encrypted", file, f"--state={settings.state}") == 0
    return file


def objects_of(caller: Caller) -> int:
    """Return how many objects token 0 has, of whom the user alone sees some."""
    session = caller.open()
    assert caller.login(session) is CKR.OK
    return len(caller.application.slots.token(0).objects.find({}, private=True))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_state_comes_back_elsewhere_under_a_root_key_of_that_place(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backed_up(here)
    assert "The passphrase opens it, on any machine" in capsys.readouterr().out
    there = settings_in(tmp_path / "there")
    assert run(there, "restore", file) == 0
    said = capsys.readouterr().out
    assert "token-0 test: good objects: 1" in said
    assert f"It opens with {there.root_key}." in said
    assert here.root_key.read() != there.root_key.read()
    for settings in (here, there):
        with opened(settings) as caller:
            assert objects_of(caller) == 1


def test_the_file_tells_nothing_of_what_is_in_it(here: Settings) -> None:
    root_key, content = bytes(here.root_key.read()), backed_up(here).read_bytes()
    with closing(SqliteStore(here.state / "softee.db")) as store:
        inside = [root_key, b"test", *snapshot(store)]
    assert not [one for one in inside if one in content]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_secure_world_that_runs_is_asked(tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]) -> None:
    there = settings_in(tmp_path / "there")
    with running_daemon(tmp_path, settings=f"workers = {workers}\n") as daemon:
        file = tmp_path / "file"
        places = (f"--socket={daemon.socket}", f"--root-key={daemon.root_key}")
        assert run(there, "backup", "--encrypted", file, "--json", *places) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["file"], told["encrypted"]) == (str(file), True)
        wrong = tmp_path / "wrong.key"
        wrong.write_bytes(bytes(range(1, 33)))
        wrong.chmod(0o600)
        places = (f"--socket={daemon.socket}", f"--root-key={wrong}")
        assert run(there, "backup", "--encrypted", tmp_path / "other", *places) == 1
        assert f"does not fit what is stored in what {daemon.socket} has" in capsys.readouterr().err
    assert run(there, "restore", file, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["kept"], len(told["found"])) == (str(there.state), None, 4)


def test_a_state_that_is_there_is_not_touched_unless_it_is_said_and_then_kept(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backed_up(here)
    with opened(here) as caller:
        session = caller.open()
        assert caller.login(session) is CKR.OK
        create(caller, session, TOKEN=True)
    before = everything(here.state)
    assert run(here, "restore", file) == 1
    assert "There is a state in" in capsys.readouterr().err
    assert everything(here.state) == before
    for number in (1, 2):
        assert run(here, "restore", file, "--replace") == 0
        assert f"What was there before is in {here.state}/replaced-{number}" in capsys.readouterr().out
    with opened(here) as caller:
        assert objects_of(caller) == 1
    shutil.copy(here.state / "replaced-1" / "softee.db", here.state / "softee.db")
    with opened(here) as caller:
        assert objects_of(caller) == 2
    assert not (here.state / "being-restored").exists()


def test_nothing_changes_where_it_cannot_be_put_back(
    here: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = backed_up(here)
    before = everything(here.state)
    monkeypatch.setenv("SOFTEE_PASSPHRASE", "another one")
    assert run(here, "restore", file, "--replace") == 1
    assert "the passphrase is another one" in capsys.readouterr().err
    assert run(here, "restore", tmp_path / "none", "--replace") == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert everything(here.state) == before
    with opened(here):
        assert run(here, "restore", file, "--replace") == 1
    assert "Another secure world uses the state" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["link", "replace", "sync_names"])
def test_wherever_it_is_interrupted_one_of_both_states_is_there_whole(
    here: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = backed_up(here)
    with opened(here) as caller:
        session = caller.open()
        assert caller.login(session) is CKR.OK
        create(caller, session, TOKEN=True)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error", "somewhere")

    with monkeypatch.context() as failing:
        failing.setattr(*{"link": (os, "link"), "replace": (Path, "replace")}.get(step, (restoring, step)), fail)
        with pytest.raises(StartError, match="somewhere cannot be written: Input/output error"):
            restoring.restore(here, file, bytearray(PASSPHRASE), replace=True)
    with opened(here) as caller:
        assert objects_of(caller) == 2
    assert run(here, "restore", file, "--replace") == 0
    with opened(here) as caller:
        assert objects_of(caller) == 1


def test_the_log_of_a_killed_secure_world_does_not_get_into_what_comes_back(here: Settings, tmp_path: Path) -> None:
    file = backed_up(here)
    killed = tmp_path / "killed"
    with opened(here) as caller:
        session = caller.open()
        assert caller.login(session) is CKR.OK
        create(caller, session, TOKEN=True)
        shutil.copytree(here.state, killed)
    assert (killed / "softee.db-wal").stat().st_size > 0
    shutil.rmtree(here.state)
    killed.rename(here.state)
    assert run(here, "restore", file, "--replace") == 0
    with opened(here) as caller:
        assert objects_of(caller) == 1
    shutil.copy(here.state / "replaced-1" / "softee.db", here.state / "softee.db")
    with opened(here) as caller:
        assert objects_of(caller) == 2


def test_a_state_that_does_not_open_any_more_is_set_aside_with_its_log(here: Settings) -> None:
    file = backed_up(here)
    (here.state / "softee.db").write_bytes(b"no database" * 1000)
    (here.state / "softee.db-wal").write_bytes(b"its log")
    (here.state.parent / "root.key").unlink()
    assert run(here, "restore", file, "--replace") == 0
    assert (here.state / "replaced-1" / "softee.db").read_bytes().startswith(b"no database")
    assert (here.state / "replaced-1" / "softee.db-wal").read_bytes() == b"its log"
    with opened(here) as caller:
        assert objects_of(caller) == 1


def test_damage_is_told_when_it_is_backed_up_and_refused_when_it_comes_back(
    here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(here.state / "softee.db", isolation_level=None)) as database:
        longer = "CAST(value || x'00' AS BLOB)"
        where = "substr(hex(key), -10) = '0400000001'"
        assert database.execute(f"UPDATE records SET value = {longer} WHERE {where}").rowcount == 1  # noqa: S608
    file = backed_up(here)
    assert "Something in the state is damaged, and so it is in the backup" in capsys.readouterr().err
    there = settings_in(tmp_path / "there")
    assert run(there, "restore", file) == 1
    assert "The backup was made of a damaged state (object 1 of token-0" in capsys.readouterr().err
    assert not (there.state / "softee.db").exists()
    assert run(there, "restore", file, "--damaged") == 0
    assert "damaged objects, which are refused: 1" in capsys.readouterr().out


def test_an_empty_state_is_no_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_in(tmp_path / "here")
    settings.state.mkdir(mode=0o700)
    with closing(SqliteStore(settings.state / "softee.db")) as store:
        store.commit(expected={}, puts={b"of somebody else": b""})
    assert run(settings, "backup", "--encrypted", tmp_path / "file", f"--state={settings.state}") == 1
    assert f"Nothing is stored in {settings.state} yet." in capsys.readouterr().err
    assert not (tmp_path / "file").exists()


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> FakeCounter:
    counter = FakeCounter()
    monkeypatch.setattr("softee.daemon.anchoring.TpmCounter", lambda _: counter)
    monkeypatch.setattr("softee.daemon.at_rest.restoring.TpmCounter", lambda _: counter)
    return counter


def anchored(folder: Path) -> Settings:
    settings = settings_in(folder, ANCHORED)
    with opened(settings) as caller:
        create(caller, caller.set_up(), TOKEN=True)
    return settings


@pytest.mark.parametrize("is_lost", [False, True], ids=["the state is there", "the disk was lost"])
def test_the_anchor_takes_an_older_state_that_its_operator_puts_back_and_then_nothing_older(
    tmp_path: Path, counter: FakeCounter, *, is_lost: bool
) -> None:
    settings = anchored(tmp_path / "here")
    file = backed_up(settings)
    with opened(settings) as caller:
        session = caller.open()
        assert caller.login(session) is CKR.OK
        create(caller, session, TOKEN=True)
    if is_lost:
        shutil.rmtree(settings.state)
    before = counter.value
    assert run(settings, "restore", file, "--replace") == 0
    assert counter.value == before, "what was there still opens, until the next start"
    restored = (settings.state / "softee.db").read_bytes()
    with opened(settings) as caller:
        assert objects_of(caller) == 1
    (settings.state / "softee.db").write_bytes(restored)
    with pytest.raises(TamperedError, match="rolled back as a whole"), opened(settings):
        pass


@needs_tpm
def test_a_counter_of_a_tpm_takes_what_its_operator_puts_back(tmp_path: Path) -> None:
    with running_tpm() as tcti:
        settings = settings_in(tmp_path / "here", f'anchor = "tpm:0x01800057?tcti={tcti}"\n')
        with opened(settings) as caller:
            create(caller, caller.set_up(), TOKEN=True)
        old = (settings.state / "softee.db").read_bytes()
        file = backed_up(settings)
        for _ in range(2):
            with opened(settings) as caller:
                session = caller.open()
                assert caller.login(session) is CKR.OK
                create(caller, session, TOKEN=True)
        assert run(settings, "restore", file, "--replace") == 0
        with opened(settings) as caller:
            assert objects_of(caller) == 1
        (settings.state / "softee.db").write_bytes(old)
        with pytest.raises(TamperedError, match="rolled back as a whole"), opened(settings):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which root alone can")
def test_what_root_puts_back_for_a_user_is_that_user_s(
    here: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backed_up(here)
    file.chmod(0o600)
    monkeypatch.setattr("softee.daemon.account._PROGRAM", (Path("/usr"),))
    with short_directory() as folder:
        folder.chmod(0o711)
        there = settings_in(folder / "there", "user = 'nobody'\n")
        (folder / "there").chmod(0o711)
        for options in ([], ["--replace"]):
            assert run(there, "restore", file, *options) == 0, capsys.readouterr().err
        nobody = pwd.getpwnam("nobody").pw_uid
        owners = {str(path.relative_to(there.state)): path.stat().st_uid for path in there.state.rglob("*")}
        assert owners.keys() >= {"softee.db", "replaced-1", "replaced-1/softee.db"}
        assert set(owners.values()) == {nobody}
        assert there.root_key.read() is not None, "which is root's"


def test_a_restore_is_in_the_audit_log_which_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path / "here", "[audit]\nlog = 'required'\n")
    with opened(settings) as caller:
        create(caller, caller.set_up(), TOKEN=True)
    file = backed_up(settings)

    assert run(settings, "restore", file, "--replace") == 0
    assert "restore" in [event["event"] for event in events_in(settings.state / "audit")]
    there = settings_in(tmp_path / "there", "[audit]\nlog = 'required'\n")

    def fail(*_: object) -> None:
        raise StoreFullError("the disk is full")

    monkeypatch.setattr(Noting, "note", fail)
    with pytest.raises(NotNotedError, match="was put back, but that is not in its audit log"):
        restoring.restore(there, file, bytearray(PASSPHRASE))


def test_without_an_anchor_nothing_is_left_of_one(tmp_path: Path, counter: FakeCounter) -> None:
    file = backed_up(anchored(tmp_path / "here"))
    there = settings_in(tmp_path / "there")
    assert run(there, "restore", file) == 0
    with closing(SqliteStore(there.state / "softee.db")) as store:
        assert store.get(ANCHOR.key) is None
    counter.value = None
    elsewhere = settings_in(tmp_path / "elsewhere", ANCHORED)
    assert run(elsewhere, "restore", file) == 0
    with opened(elsewhere) as caller:
        assert objects_of(caller) == 1
    assert counter.value is not None, "the first start has made one"


def test_an_anchor_whose_password_nobody_knows_is_told_before_anything_is_replaced(
    tmp_path: Path, counter: FakeCounter, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backed_up(here)
    counter.define(bytes(32))
    there = settings_in(tmp_path / "there", ANCHORED)
    assert run(there, "restore", file) == 1
    assert "neither the backup nor a state here knows its password" in capsys.readouterr().err
    assert not (there.state / "softee.db").exists()
