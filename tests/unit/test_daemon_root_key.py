# SPDX-License-Identifier: Apache-2.0
"""The root key file: made once, whole, private; refused where it is open, foreign, damaged or missing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from softee.daemon.root_key.reading import ROOT_KEY_SIZE, RootKeyError
from softee.daemon.root_key.source import RootKeySource
from support.channel_attack import open_descriptors

KEY = bytes(range(ROOT_KEY_SIZE))


def never_used() -> bool:
    """Answer for a store in which nothing is sealed."""
    return False


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "configuration" / "softee" / "root.key"


def load_root_key(file: Path, *, is_needed: Callable[[], bool]) -> bytes:
    return bytes(RootKeySource(str(file)).read_or_make(is_needed=is_needed))


def make(file: Path, key: bytes = KEY, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(key)
    file.chmod(mode)


def test_a_new_key_is_made_private_and_stays(file: Path) -> None:
    key = load_root_key(file, is_needed=never_used)
    assert len(key) == ROOT_KEY_SIZE
    assert key != bytes(ROOT_KEY_SIZE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]
    assert load_root_key(file, is_needed=never_used) == key


def test_nothing_is_left_open(file: Path) -> None:
    before = open_descriptors()
    load_root_key(file, is_needed=never_used)
    load_root_key(file, is_needed=never_used)
    file.chmod(0o644)
    with pytest.raises(RootKeyError):
        load_root_key(file, is_needed=never_used)
    assert open_descriptors() <= before


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    assert load_root_key(tmp_path / "a", is_needed=never_used) != load_root_key(tmp_path / "b", is_needed=never_used)


def test_no_key_is_made_where_the_store_needs_the_old_one(file: Path) -> None:
    with pytest.raises(RootKeyError, match=r"root\.key is missing; without it nothing that is stored opens"):
        load_root_key(file, is_needed=lambda: True)
    assert not file.exists()


def test_a_key_that_is_there_is_read_without_asking_the_store(file: Path) -> None:
    def unreachable() -> bool:
        raise AssertionError

    make(file)
    assert load_root_key(file, is_needed=unreachable) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o777])
def test_a_key_that_others_may_touch_is_refused(file: Path, mode: int) -> None:
    make(file, mode=mode)
    with pytest.raises(RootKeyError, match=r"open to others.*chmod 600"):
        load_root_key(file, is_needed=never_used)


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_key_of_a_wrong_size_is_damaged(file: Path, size: int) -> None:
    make(file, bytes(size))
    with pytest.raises(RootKeyError, match="damaged"):
        load_root_key(file, is_needed=never_used)
    assert file.stat().st_size == size


def test_a_key_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(file)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(RootKeyError, match="belongs to uid"):
        load_root_key(file, is_needed=never_used)


def test_what_is_no_file_is_refused(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(RootKeyError, match="not a regular file"):
        load_root_key(file, is_needed=never_used)


def test_a_pipe_that_nobody_writes_to_is_refused_and_does_not_hang(file: Path) -> None:
    file.parent.mkdir(parents=True)
    os.mkfifo(file, 0o600)
    with pytest.raises(RootKeyError, match="not a regular file"):
        load_root_key(file, is_needed=never_used)


@pytest.mark.parametrize("byte", [b"\0", b"\xff", b"A"])
def test_bytes_that_are_all_the_same_are_no_key(file: Path, byte: bytes) -> None:
    make(file, byte * ROOT_KEY_SIZE)
    with pytest.raises(RootKeyError, match="all its bytes are the same"):
        load_root_key(file, is_needed=never_used)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RootKeyError, match="cannot be"):
        load_root_key(tmp_path / "file" / "root.key", is_needed=never_used)


def test_a_failed_write_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(RootKeyError, match="No space left"):
        load_root_key(file, is_needed=never_used)
    assert not list(file.parent.iterdir())
