# SPDX-License-Identifier: Apache-2.0
"""What a killed `softee run` leaves is removed when it and its secure world are both gone, and not before."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from softee.cli import clean_up
from softee.cli.clean_up import clean_up_behind
from softee.daemon.hardening import close_all_but
from support.channel_attack import eventually

WORLD = """
import sys
from pathlib import Path
from softee.cli.clean_up import clean_up_behind
clean_up_behind(int(sys.argv[1]), [Path(sys.argv[2])])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    made.mkdir()
    (made / "file").touch()
    return made


def test_it_waits_for_both_in_whatever_order_they_end(directory: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as starter:
        command = [sys.executable, "-c", WORLD, str(starter.pid), str(directory)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as world:
            assert world.stdout
            assert world.stdout.readline() == b"ready\n"
            starter.kill()
            starter.wait(20)
            assert directory.exists()
            world.kill()
            assert eventually(lambda: not directory.exists())


@pytest.fixture
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
@pytest.mark.parametrize("is_gone", [True, False])
def test_what_the_child_does(directory: Path, monkeypatch: pytest.MonkeyPatch, *, is_gone: bool) -> None:
    """In this process, whose descriptors stay open."""
    monkeypatch.setattr(clean_up, "close_all_but", lambda *_: None)
    alive, held = os.pipe()
    os.close(held)
    with subprocess.Popen(["true"]) as starter:
        if is_gone:
            starter.wait(20)
        clean_up._wait_and_remove(starter.pid, alive, [directory, directory / "none"])
    os.close(alive)
    assert not directory.exists()


def test_the_child_keeps_no_descriptors_but_those_that_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "closerange", lambda low, high: closed.append((low, high)))
    close_all_but(7, 5)
    assert closed == [(0, 5), (6, 7), (8, os.sysconf("SC_OPEN_MAX"))]
    closed.clear()
    close_all_but(0, 1, 2, 2, 7)
    assert closed == [(3, 7), (8, os.sysconf("SC_OPEN_MAX"))]


def test_the_process_itself_goes_on_at_once(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: 1)
    clean_up_behind(os.getpid(), [directory])
    assert directory.exists()
