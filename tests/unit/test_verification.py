# SPDX-License-Identifier: Apache-2.0
"""The verification of what is stored: every record is looked at, nothing is written, and what is good is counted."""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from softee.cli.main import main
from softee.daemon.applications import Surroundings, make_applications
from softee.daemon.settings import Settings, load_settings
from softee.daemon.store import open_store
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.token.verification import examine_object, label_of
from softee.stores.base import Record, StoreDamagedError
from softee.stores.memory import MemoryStore
from softee.tee.records import RecordKind
from softee.tee.sealing import TamperedError
from softee.tee.verification import VaultReport, verify
from support.disk import OBJECTS, Disk, key_of, load, make_disk
from support.object_calls import create
from support.stores import APPLICATION, ROOT_KEY, VAULTS, FailingStore, open_storage, snapshot
from support.token_world import Caller

LISTED = OBJECTS - 2
ON_PAGE_1 = OBJECTS - 128


@pytest.fixture(scope="module")
def disk() -> Disk:
    return make_disk()


def verified(store: MemoryStore | FailingStore) -> list[VaultReport]:
    return verify(store, ROOT_KEY, APPLICATION, VAULTS, lambda *_: None)


def test_it_writes_nothing_and_opens_every_object(disk: Disk) -> None:
    store = load(disk.now)
    before = store.range(b"")
    for report in verified(store):
        assert (report.good, report.opened, report.damaged, report.is_served) == (LISTED, LISTED, [], True)
    assert store.range(b"") == before


def test_a_damaged_page_costs_the_objects_that_it_lists_and_no_others_are_called_damaged(disk: Disk) -> None:
    key = key_of(RecordKind.PAGE, 0)
    report, other = verified(load(disk.now | {key: disk.now[key][:-1]}))
    assert (report.good, report.is_served, other.damaged) == (ON_PAGE_1, False, [])
    assert report.damaged == ["page 0 of slot-0 is not the one that its head lists: altered, swapped or rolled back"]


def test_a_store_that_cannot_read_a_record_is_damage_there(disk: Disk) -> None:
    class Unreadable(FailingStore):
        def get(self, key: bytes) -> Record | None:
            if key in {key_of(RecordKind.OBJECT, 1), key_of(RecordKind.HEAD, 0, "slot-1")}:
                raise StoreDamagedError("the file is damaged")
            return super().get(key)

    report, other = verified(Unreadable(load(disk.now)))
    assert (report.good, report.damaged, report.is_served) == (LISTED - 1, ["the file is damaged"], True)
    assert (other.head, other.good, other.damaged, other.is_served) == (None, 0, ["the file is damaged"], False)


def test_an_object_that_opens_and_is_none_of_the_applications_is_damaged() -> None:
    store = MemoryStore()
    storage = open_storage(store)
    change = storage.vault("slot-0").change()
    change.add(b"no object", storage.vault("slot-0").key, 0, [])
    change.commit()

    def refuse(vault: str, content: bytearray) -> None:
        raise TamperedError(f"{content.decode()} in {vault}")

    (report, _) = verify(store, ROOT_KEY, APPLICATION, VAULTS, refuse)
    assert (report.good, report.opened) == (0, 0)
    assert report.damaged == ["object 1 of slot-0 is damaged: no object in slot-0"]


def test_an_empty_store_has_no_installation_record() -> None:
    with pytest.raises(TamperedError, match="installation record is missing"):
        verified(MemoryStore())


def test_what_a_token_does_not_have_is_refused_and_other_vaults_are_passed_over() -> None:
    for content in (b"", b"no object", bytes(8)):
        with pytest.raises(TamperedError):
            examine_object("token-0", bytearray(content))
        examine_object("attestation", bytearray(content))
    with pytest.raises(TamperedError, match="does not decode"):
        label_of("token-0", b"\1\0\0\0")
    assert label_of("token-0", b"") is None
    assert label_of("attestation", b"a certificate") is None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A state with a public and a private object on token 0."""
    (tmp_path / "softee.toml").touch()
    settings = load_settings(tmp_path / "softee.toml", {"state": tmp_path / "state", "root_key": tmp_path / "root.key"})
    with open_store(settings) as store:
        key = settings.root_key.read_or_make(is_needed=lambda: False)
        (application,) = make_applications(Surroundings(store, key, settings))
        assert isinstance(application, Pkcs11Application)
        caller = Caller(application)
        session = caller.set_up()
        create(caller, session, TOKEN=True, PRIVATE=True)
        create(caller, session, TOKEN=True, PRIVATE=False)
        application.attester.chain()
    return settings


def run(settings: Settings, *options: str, monkeypatch: pytest.MonkeyPatch) -> int:
    arguments = ["--state", str(settings.state), "--root-key", str(settings.root_key), *options]
    monkeypatch.setattr(sys, "argv", ["softee", "verify", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def edit(settings: Settings, statement: str) -> None:
    with closing(sqlite3.connect(settings.state / "softee.db", isolation_level=None)) as database:
        assert database.execute(statement).rowcount == 1


def test_the_command_says_that_all_is_good(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.splitlines() == [
        "token-0 test: good objects: 2 (of them private, and compared with their tags only: 1)",
        "token-1: good objects: 0",
        "token-2: good objects: 0",
        "attestation: good objects: 1",
    ]


def test_the_command_names_a_damaged_object_and_a_damaged_head(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(settings, "UPDATE records SET value = zeroblob(99) WHERE hex(key) LIKE '%746F6B656E2D300400000001'")
    edit(settings, "DELETE FROM records WHERE hex(key) LIKE '%746F6B656E2D310200000000'")
    assert run(settings, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "token-0 test: damaged objects, which are refused: 1; good objects: 1"
    assert said[1].startswith("  object 1 of token-0 is not the record that its page lists")
    assert said[2:4] == [
        "token-1: damaged, and refused as a whole; good objects: 0",
        "  head of token-1 is missing from the store",
    ]
    assert said[-1].startswith("Bring the state back from a backup")
    assert run(settings, "--json", monkeypatch=monkeypatch) == 1
    token, other, *_ = json.loads(capsys.readouterr().out)
    assert (token["name"], token["label"], token["good"], token["is_served"]) == ("token-0", "test", 1, True)
    assert (len(token["damaged"]), other["is_served"]) == (1, False)


def test_what_cannot_be_looked_at_is_another_status(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(settings) as store:
        assert run(settings, monkeypatch=monkeypatch) == 2
        before = snapshot(store)
    assert "Another secure world uses" in capsys.readouterr().err
    assert settings.root_key.file is not None
    settings.root_key.file.write_bytes(os.urandom(32))
    assert run(settings, monkeypatch=monkeypatch) == 2
    assert "does not fit what is stored" in capsys.readouterr().err
    with open_store(settings) as store:
        assert snapshot(store) == before
    (settings.state / "softee.db").unlink()
    assert run(settings, monkeypatch=monkeypatch) == 2
    assert "There is no state in" in capsys.readouterr().err
    assert not (settings.state / "softee.db").exists()


def test_a_head_that_holds_no_tokens_state_is_damaged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def undecodable(*_: object) -> str | None:
        raise TamperedError("the token's state does not decode")

    monkeypatch.setattr("softee.daemon.at_rest.verification.label_of", undecodable)
    assert run(settings, monkeypatch=monkeypatch) == 1
    assert "head of token-0: the token's state does not decode" in capsys.readouterr().out
