# SPDX-License-Identifier: Apache-2.0
"""The state directory: one secure world's at a time, nobody else's, and nothing outside of it is touched."""

import os
from pathlib import Path

import pytest

from softee.daemon.state_folder import LOCK, StateError, locked_state
from support.channel_attack import open_descriptors


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "state"


def test_it_is_made_private_and_let_go(state: Path) -> None:
    before = open_descriptors()
    with locked_state(state):
        assert state.stat().st_mode & 0o777 == 0o700
        with pytest.raises(StateError, match="Another secure world uses the state"), locked_state(state):
            pass
    with locked_state(state):
        pass
    assert open_descriptors() <= before


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(state: Path, mode: int) -> None:
    state.mkdir(parents=True)
    state.chmod(mode)
    with (
        pytest.raises(StateError, match=rf"written by others \(mode {mode:04o}\); run: chmod 700"),
        locked_state(state),
    ):
        pass
    assert list(state.iterdir()) == []


def test_a_folder_of_another_user_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.mkdir(parents=True)
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(StateError, match=f"belongs to uid {uid}, not to uid {uid + 1}"), locked_state(state):
        pass
    assert list(state.iterdir()) == []


def test_a_lock_that_is_a_link_makes_no_file_elsewhere(state: Path, tmp_path: Path) -> None:
    state.mkdir(parents=True)
    (state / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="cannot be used"), locked_state(state):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_that_is_a_pipe_is_refused(state: Path) -> None:
    state.mkdir(parents=True)
    os.mkfifo(state / LOCK)
    with pytest.raises(StateError, match="lock is no file; remove it"), locked_state(state):
        pass


def test_a_folder_that_is_a_file_is_refused(state: Path) -> None:
    state.parent.mkdir()
    state.touch()
    with pytest.raises(StateError, match="cannot be used"), locked_state(state):
        pass
