# SPDX-License-Identifier: Apache-2.0
"""Settings that are read anew: what counts at once, what after a restart, and what is wrong."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from softee.daemon.reloading import Reloading, has_terminal, hung_up
from softee.daemon.settings import SettingsSource, default_settings


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def reloading(file: Path, text: str) -> Reloading:
    file.write_text(text)
    source = SettingsSource(file, {}, default_settings())
    return Reloading(source.load(), source)


def test_the_log_level_counts_at_once_and_workers_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    ours = reloading(tmp_path / "s.toml", "")
    ours.tell_workers = lambda: told.append("told")
    (tmp_path / "s.toml").write_text('log_level = "debug"\n')
    ours.reload()
    assert logging.getLogger().level == logging.DEBUG
    assert "read anew: log_level is debug" in caplog.text
    ours.reload()
    assert told == ["told"], "nothing has changed since"


def test_another_process_heeds_the_level_when_it_is_told(tmp_path: Path) -> None:
    ours = reloading(tmp_path / "s.toml", "")
    worker = os.fork()
    if worker == 0:
        ours.level.set("error")
        os._exit(0)
    assert os.waitpid(worker, 0)[1] == 0
    ours.level.heed()
    assert logging.getLogger().level == logging.ERROR


def test_what_counts_after_a_restart_is_named_each_time_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = reloading(tmp_path / "s.toml", "")
    (tmp_path / "s.toml").write_text("workers = 3\n[limits]\nclients = 7\n")
    ours.reload()
    assert "counts after a restart: workers, limits" in caplog.text
    caplog.clear()
    ours.reload()
    assert "restart" not in caplog.text


@pytest.mark.parametrize("text", ["log_level = 3\n", "nonsense", None])
def test_wrong_settings_leave_all_as_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str | None) -> None:
    ours, file = reloading(tmp_path / "s.toml", 'log_level = "error"\n'), tmp_path / "s.toml"
    logging.getLogger().setLevel(logging.WARNING)
    file.unlink() if text is None else file.write_text(text)
    ours.reload()
    assert "the settings stay as they were: " in caplog.text
    assert logging.getLogger().level == logging.WARNING


def test_settings_from_nowhere_are_not_read_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "s.toml"
    file.touch()
    caplog.set_level(logging.INFO)
    Reloading(SettingsSource(file, {}, default_settings()).load(), None).reload()
    assert "no settings to be read anew" in caplog.text


def test_defaults_stay_those_of_whoever_it_was_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = reloading(tmp_path / "s.toml", "")
    source = SettingsSource(tmp_path / "s.toml", {"socket": Path("/a")}, default_settings())
    monkeypatch.setattr("softee.daemon.settings.os.geteuid", lambda: 4711)
    assert source.load().state == ours._settings.state
    assert source.load().socket == Path("/a")


@pytest.mark.parametrize(("terminals", "gone"), [([True, False], True), ([True, True], False), ([False, False], False)])
def test_who_is_left_alone_by_a_terminal_is_told_from_who_never_had_one(
    monkeypatch: pytest.MonkeyPatch,
    terminals: list[bool],
    gone: bool,  # noqa: FBT001 - as pytest calls it
) -> None:
    answers = iter(terminals)
    monkeypatch.setattr("softee.daemon.reloading.has_terminal", lambda: next(answers))
    is_left = hung_up()
    next(answers) if not terminals[0] else None
    assert is_left() is gone


def test_a_terminal_is_one_of_the_standard_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.daemon.reloading.os.isatty", lambda number: number == 2)
    assert has_terminal()
    monkeypatch.setattr("softee.daemon.reloading.os.isatty", lambda _: False)
    assert not has_terminal()
