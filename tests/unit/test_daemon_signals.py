# SPDX-License-Identifier: Apache-2.0
"""What the secure world does at the signals that it heeds, and what its manager hears of it."""

import os
import signal
from pathlib import Path

import pytest

from softee.daemon import main
from softee.daemon.main import _acts
from softee.daemon.reloading import Reloading
from softee.daemon.service_manager import ServiceManager
from softee.daemon.settings import load_settings
from softee.daemon.wakeup import Wakeup, heeded


class Manager(ServiceManager):
    """A manager that keeps what it hears."""

    def __init__(self) -> None:
        super().__init__({})
        self.heard: list[str] = []

    def _say(self, message: str) -> None:
        self.heard.append(message.partition("\n")[0])


@pytest.fixture
def manager() -> Manager:
    return Manager()


def at(number: int, manager: Manager, tmp_path: Path) -> bool:
    """Return whether the secure world goes on after a signal."""
    (tmp_path / "s.toml").touch()
    return _acts(manager, Reloading(load_settings(tmp_path / "s.toml"), None))[number]()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_asks_for_the_end_gets_it(manager: Manager, tmp_path: Path, number: int) -> None:
    assert not at(number, manager, tmp_path)
    assert manager.heard == ["STOPPING=1"]


def test_a_hang_up_is_a_wish_for_new_settings(manager: Manager, tmp_path: Path) -> None:
    assert at(signal.SIGHUP, manager, tmp_path)
    assert manager.heard == ["RELOADING=1", "READY=1"]


def test_a_hang_up_of_the_terminal_is_the_end(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "hung_up", lambda: lambda: True)
    assert not at(signal.SIGHUP, manager, tmp_path)
    assert manager.heard == ["STOPPING=1"]


def test_an_alarm_is_a_sign_of_life(manager: Manager, tmp_path: Path) -> None:
    assert at(signal.SIGALRM, manager, tmp_path)
    assert manager.heard == ["WATCHDOG=1"]


def test_signals_come_out_of_a_descriptor_and_are_as_before_at_the_end() -> None:
    before = signal.getsignal(signal.SIGHUP)
    done: list[str] = []

    def reload() -> bool:
        done.append("reload")
        return True

    with heeded({signal.SIGHUP: reload}) as wakeup:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
        assert wakeup.handle()
    assert done == ["reload"], "two of a kind that came together are one"
    assert signal.getsignal(signal.SIGHUP) == before


def test_whoever_says_stop_has_the_last_word() -> None:
    reader, writer = os.pipe()
    os.write(writer, bytes([signal.SIGHUP, signal.SIGTERM]))
    assert not Wakeup(reader, {signal.SIGTERM: lambda: False, signal.SIGHUP: lambda: True}).handle()
    for descriptor in (reader, writer):
        os.close(descriptor)
