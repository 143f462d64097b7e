# SPDX-License-Identifier: Apache-2.0
"""Moving a state from one root key to another, of whatever kind: whole, repeatable, one key always works."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from softee.cli.failure import CliError
from softee.cli.main import main
from softee.daemon.applications import Surroundings, make_applications
from softee.daemon.at_rest import rotation
from softee.daemon.at_rest.afterwards import NotNotedError
from softee.daemon.at_rest.rotation import rotate
from softee.daemon.errors import StartError
from softee.daemon.failures import opening
from softee.daemon.root_key.reading import RootKeyError
from softee.daemon.root_key.source import RootKeySource
from softee.daemon.settings import Settings, load_settings
from softee.daemon.store import open_store
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.audit.noting import Noting
from softee.stores.base import Store, StoreFullError
from softee.tee.installation import rewrap
from support.audit import events_in
from support.states import settings_in
from support.token_world import Caller
from support.tpm import needs_tpm, running_tpm


@contextmanager
def served(settings: Settings) -> Iterator[Caller]:
    """Serve a state, as the daemon does."""
    with open_store(settings) as store:
        key = settings.root_key.read_or_make(is_needed=lambda: False)
        with opening(store, settings.root_key):
            (application,) = make_applications(Surroundings(store, key, settings))
        assert isinstance(application, Pkcs11Application)
        yield Caller(application)


def opens(settings: Settings, source: object) -> bool:
    """Tell whether a root key opens the state, with the key pair that is on its token."""
    try:
        with served(with_key(settings, source)) as caller:
            assert caller.login(caller.open()) == 0
    except StartError:
        return False
    return True


def with_key(settings: Settings, source: object) -> Settings:
    return msgspec.structs.replace(settings, root_key=RootKeySource(str(source)))


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    (tmp_path / "softee.toml").touch()
    places = {"state": tmp_path / "state", "root_key": tmp_path / "old.key"}
    return load_settings(tmp_path / "softee.toml", places)


@pytest.fixture
def settings(empty: Settings) -> Settings:
    """A state with a token, which the file old.key opens."""
    with served(empty) as caller:
        caller.set_up()
    return empty


@pytest.fixture
def new(tmp_path: Path) -> RootKeySource:
    return RootKeySource(str(tmp_path / "new" / "new.key"))


def credential(directory: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (directory / "softee.root-key").write_bytes(os.urandom(32))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    return "credential:"


def command(directory: Path, _: pytest.MonkeyPatch) -> str:
    (directory / "printed").write_text(f"{os.urandom(32).hex()}\n")
    return f"command:/bin/cat '{directory}/printed'"


def another_file(directory: Path, _: pytest.MonkeyPatch) -> str:
    return f"file:{directory}/another.key"


@pytest.mark.parametrize("kind", [another_file, credential, command])
def test_a_state_moves_to_another_source_and_back(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[..., str]
) -> None:
    there = RootKeySource(kind(tmp_path, monkeypatch))
    assert rotate(settings, there)
    assert opens(settings, there)
    assert not opens(settings, settings.root_key)
    assert rotate(with_key(settings, there), settings.root_key)
    assert opens(settings, settings.root_key)
    assert not opens(settings, there)


@needs_tpm
def test_a_state_moves_into_a_tpm_and_out_again(settings: Settings, tmp_path: Path) -> None:
    with running_tpm() as tcti:
        sealed = RootKeySource(f"tpm:{tmp_path}/root.tpm?tcti={tcti}&pcrs=sha256:7")
        assert rotate(settings, sealed)
        assert opens(settings, sealed)
        assert rotate(with_key(settings, sealed), settings.root_key)
    assert opens(settings, settings.root_key)


def passed(key: bytes) -> RootKeySource:
    readable, writable = os.pipe()
    os.write(writable, key)
    os.close(writable)
    return RootKeySource(f"descriptor:{readable}")


def test_a_descriptor_gives_a_new_key(settings: Settings) -> None:
    key = os.urandom(32)
    assert rotate(settings, passed(key))
    assert opens(settings, passed(key))


def test_after_a_crash_before_the_change_the_old_key_opens_and_the_new_one_is_used_the_next_time(
    settings: Settings, new: RootKeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(rotation, "rewrap", crash)
        with pytest.raises(KeyboardInterrupt):
            rotate(settings, new)
    kept = new.read()
    assert opens(settings, settings.root_key)
    assert rotate(settings, new)
    assert new.read() == kept
    assert opens(settings, new)


def test_after_a_crash_behind_the_change_the_new_key_opens_and_it_can_be_done_again(
    settings: Settings, new: RootKeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(store: Store, applications: list[UUID], old_key: bytearray, new_key: bytearray) -> None:
        assert rewrap(store, applications, old_key, new_key)
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(rotation, "rewrap", crash)
        with pytest.raises(KeyboardInterrupt):
            rotate(settings, new)
    assert opens(settings, new)
    assert not opens(settings, settings.root_key)
    assert not rotate(settings, new)
    assert opens(settings, new)


def test_a_state_in_use_is_not_rotated(settings: Settings, new: RootKeySource) -> None:
    with open_store(settings), pytest.raises(StartError, match="Another secure world uses"):
        rotate(settings, new)
    assert new.file is not None
    assert not new.file.exists()
    assert opens(settings, settings.root_key)


def test_an_empty_state_is_not_rotated(empty: Settings, new: RootKeySource) -> None:
    with pytest.raises(RootKeyError, match="Nothing is stored"):
        rotate(empty, new)
    assert new.file is not None
    assert not new.file.exists()


def test_the_key_that_a_state_has_is_no_new_one(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "copy.key").write_bytes((tmp_path / "old.key").read_bytes())
    (tmp_path / "copy.key").chmod(0o600)
    for same in (settings.root_key, RootKeySource(str(tmp_path / "copy.key"))):
        with pytest.raises(RootKeyError, match="is the same as"):
            rotate(settings, same)
    assert opens(settings, settings.root_key)


def test_another_key_than_the_old_one_rotates_nothing(settings: Settings, new: RootKeySource, tmp_path: Path) -> None:
    (tmp_path / "wrong.key").write_bytes(os.urandom(32))
    (tmp_path / "wrong.key").chmod(0o600)
    with pytest.raises(StartError, match=r"wrong\.key does not fit what is stored in"):
        rotate(with_key(settings, tmp_path / "wrong.key"), new)
    assert opens(settings, settings.root_key)


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["softee", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    if ended.value.code:
        raise CliError("it failed", int(ended.value.code))


def test_the_command_rotates_and_says_what_is_to_be_done(
    settings: Settings, new: RootKeySource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ("--state", settings.state, "--root-key", settings.root_key)
    run("root-key", "rotate", *places, "--to", new, monkeypatch=monkeypatch)
    said = capsys.readouterr().out
    assert f"The state {settings.state} opens with {new} now." in said
    assert f'root_key = "{new}"' in said
    assert f"{settings.root_key} opens it no more. It still opens copies of the state from before" in said
    run("root-key", "rotate", *places, "--to", new, monkeypatch=monkeypatch)
    assert "already" in capsys.readouterr().out
    assert opens(settings, new)


def test_a_rotation_is_in_the_audit_log_also_where_the_new_key_can_be_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path / "here", "[audit]\nlog = 'required'\n")
    with served(settings) as caller:
        caller.set_up()
    key = os.urandom(32)
    assert rotate(settings, passed(key))
    assert "rotate-root-key" in [event["event"] for event in events_in(settings.state / "audit")]

    def fail(*_: object) -> None:
        raise StoreFullError("the disk is full")

    monkeypatch.setattr(Noting, "note", fail)
    with pytest.raises(NotNotedError, match="opens the state now, but that is not in its audit log"):
        rotate(with_key(settings, passed(key)), settings.root_key)
    assert opens(settings, settings.root_key), "what is done is done"


def test_the_command_fails_in_one_sentence(
    empty: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ("--state", empty.state, "--root-key", empty.root_key)
    for to, status, said in (("new.key", 1, "softee: Nothing is stored"), ("vault:x", 2, "'vault' is no source")):
        with pytest.raises(CliError) as failed:
            run("root-key", "rotate", *places, "--to", to, monkeypatch=monkeypatch)
        assert failed.value.status == status
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
