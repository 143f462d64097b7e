# SPDX-License-Identifier: Apache-2.0
"""kill -9 of ``softee restore`` and ``softee token move`` at each of their steps on the disk."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from softee.daemon.at_rest import passphrase_file
from softee.daemon.at_rest.moving import Destination, move_to_state
from softee.daemon.at_rest.portable import made_portable, write_portable
from softee.daemon.at_rest.restoring import restore
from softee.daemon.settings import Settings
from softee.daemon.store import existing_store
from softee.names import CKR, CKU
from softee.stores.base import Revision
from softee.stores.sqlite import SqliteStore
from support.object_calls import create
from support.states import PASSPHRASE, opened, settings_in
from support.token_world import CHEAP, SO_PIN, USER_PIN

COMMIT: Final = "support.commit"
STEPS: Final = frozenset(
    {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree", "sqlite3.connect", COMMIT}
)
"""Audit events at which a process dies: Python's own, and before and after each commit of a store."""
MANY: Final = 1000


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase_file, "COST", CHEAP)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commits tell of themselves."""
    commit = SqliteStore.commit

    def telling(store: SqliteStore, **what: Any) -> Revision:  # noqa: ANN401 - passed on
        sys.audit(COMMIT)
        done = commit(store, **what)
        sys.audit(COMMIT)
        return done

    monkeypatch.setattr(SqliteStore, "commit", telling)


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Do something in a child that dies at its step of that number; return whether it got that far."""
    child = os.fork()
    if child == 0:
        _do(step, act)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}
    return status == signal.SIGKILL


def _do(step: int, act: Callable[[], object]) -> NoReturn:
    left = step

    def count(event: str, _: object) -> None:
        nonlocal left
        if event in STEPS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(count)
        act()
        left = -1
        os._exit(0)
    finally:
        os._exit(1)


def a_token(settings: Settings, objects: int) -> None:
    with opened(settings) as caller:
        session = caller.set_up()
        for _ in range(objects):
            create(caller, session, TOKEN=True)


def objects_of(settings: Settings) -> int:
    """Return how many objects the user finds on the token, -1 where there is no token."""
    with opened(settings) as caller:
        token = caller.application.slots.token(0)
        if token.state.so is None:
            assert not token.vault.entries
            return -1
        assert caller.login(caller.open()) is CKR.OK
        return len(token.objects.find({}, private=True))


def copied(settings: Settings, folder: Path) -> Settings:
    """Return the settings of a copy of an installation."""
    shutil.copytree(settings.state.parent, folder)
    return settings_in(folder)


def test_wherever_a_restore_is_killed_one_of_both_states_is_there_whole_and_it_goes_on(tmp_path: Path) -> None:
    original, file = settings_in(tmp_path / "original"), tmp_path / "file"
    a_token(original, objects=1)
    with existing_store(original) as store:
        portable = made_portable("it", store.range(b""), original.root_key)
    write_portable(file, portable, bytearray(PASSPHRASE))
    with opened(original) as caller:
        session = caller.open()
        assert caller.login(session) is CKR.OK
        create(caller, session, TOKEN=True)
    found = []
    for step in range(1, MANY):
        here = copied(original, tmp_path / str(step))
        if not killed_at(step, lambda: restore(here, file, bytearray(PASSPHRASE), replace=True)):  # noqa: B023
            break
        found.append(objects_of(here))
        restore(here, file, bytearray(PASSPHRASE), replace=True)
        assert objects_of(here) == 1
    assert set(found) == {1, 2}
    assert found == sorted(found, reverse=True), "from one step on it is the restored one"


def test_wherever_a_move_is_killed_the_token_is_in_one_place_or_in_both_and_never_in_none(tmp_path: Path) -> None:
    original = settings_in(tmp_path / "original")
    a_token(original, objects=2)
    found = []
    for step in range(1, MANY):
        here, there = copied(original, tmp_path / f"here-{step}"), settings_in(tmp_path / f"there-{step}")
        if not killed_at(step, lambda: move_to_state(here, "test", ask, Destination(there))):  # noqa: B023
            assert (objects_of(here), objects_of(there)) == (-1, 2)
            break
        found.append((objects_of(here), objects_of(there)))
    assert (2, 2) in found
    assert found == sorted(found, key=[(2, -1), (2, 2), (-1, 2)].index)


def ask(user: CKU) -> bytearray:
    return bytearray(SO_PIN if user is CKU.SO else USER_PIN)
