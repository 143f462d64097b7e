# SPDX-License-Identifier: Apache-2.0
"""Starting a secure world that does not start: each failure is one sentence, and nothing is left running."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from softee.cli import secure_world
from softee.cli.failure import CliError
from softee.cli.secure_world import StartPaths, private_directory, running
from support.channel_attack import eventually

Starting = Callable[..., str]


@pytest.fixture
def paths(tmp_path: Path) -> StartPaths:
    return StartPaths(tmp_path / "state", tmp_path / "root.key", tmp_path / "log")


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch, paths: StartPaths) -> Starting:
    """Run a script in a secure world's place, and return the sentence with which that fails."""
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def noted(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        started.append(popen(*args, **kwargs))  # type: ignore[call-overload]  # passed on
        return started[-1]

    def start(script: str) -> str:
        monkeypatch.setattr(subprocess, "Popen", noted)
        monkeypatch.setattr(secure_world, "_command", lambda *_: ["sh", "-c", script])
        with pytest.raises(CliError) as failed, running(paths):
            pass
        (process,) = started
        assert process.returncode is not None, "it still runs"
        return str(failed.value)

    return start


def test_one_that_is_never_ready_is_stopped(
    starting: Starting, paths: StartPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure_world, "READY_WITHIN", 0.01)
    assert starting("exec sleep 600") == f"The secure world was not ready within 0 seconds; its log is {paths.log}."


def test_one_that_does_not_want_to_stop_is_killed(starting: Starting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_world, "READY_WITHIN", 0.2)
    monkeypatch.setattr(secure_world, "STOPPED_WITHIN", 0.01)
    assert "was not ready" in starting("trap '' TERM; while :; do sleep 600; done")


def test_the_last_words_of_one_that_ends_are_the_sentence(starting: Starting) -> None:
    assert starting("echo 'INFO hello' >&2; echo 'softee: The disk is gone.' >&2; exit 1") == "The disk is gone."


def test_one_that_ends_without_a_word_is_told_with_its_status(starting: Starting, paths: StartPaths) -> None:
    assert starting("exit 5") == f"The secure world ended with status 5; its log is {paths.log}."


def test_a_log_that_is_no_file_is_not_read_back(starting: Starting, paths: StartPaths) -> None:
    paths.log.symlink_to("/dev/null")
    assert starting("echo words; exit 5") == f"The secure world ended with status 5; its log is {paths.log}."


def test_one_that_ends_while_it_is_used_is_told_of_at_once(
    monkeypatch: pytest.MonkeyPatch, paths: StartPaths, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "printf x >/dev/fd/$3; echo 'softee: The disk is gone.'; exit 5"
    monkeypatch.setattr(secure_world, "_command", lambda *_: ["sh", "-c", script])
    said: list[str] = []
    monkeypatch.setattr(sys.stderr, "write", said.append)
    with running(paths):
        assert eventually(lambda: bool(said))
    assert said == ["softee: The secure world has ended (status 5): The disk is gone.\n"]
    assert capfd.readouterr().err == ""


def test_a_log_that_cannot_be_written_is_told(paths: StartPaths) -> None:
    paths.log.mkdir()
    with pytest.raises(CliError, match=r"log cannot be written: Is a directory"), running(paths):
        pass


def test_without_a_short_directory_for_the_socket_one_is_asked_for() -> None:
    with pytest.raises(CliError, match="set XDG_RUNTIME_DIR"), private_directory(longest=2):
        pass
