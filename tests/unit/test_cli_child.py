# SPDX-License-Identifier: Apache-2.0
"""A command that softee runs stands in softee's place: exit status, signals, failures to start."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from softee.cli import child
from softee.cli.child import require_program, run_command
from softee.cli.failure import CliError

RUN_ITS_ARGUMENTS = """
import os, signal, sys
from softee.cli.child import run_command
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # where the tests run in the background, they come ignored
sys.exit(run_command(sys.argv[1:], os.environ))
"""


@pytest.fixture(autouse=True)
def _looks_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here other threads take SIGCHLD most of the time."""
    monkeypatch.setattr(child, "_LOOK_AGAIN", 0.02)


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_the_exit_status_is_the_commands(status: int) -> None:
    assert run_command(["sh", "-c", f"exit {status}"], os.environ) == status


def test_a_command_that_a_signal_ended_gives_128_and_the_signal() -> None:
    assert run_command(["sh", "-c", "kill -KILL $$"], os.environ) == 128 + signal.SIGKILL


def test_the_environment_is_the_given_one() -> None:
    assert run_command(["sh", "-c", "test $GIVEN = yes"], {"GIVEN": "yes", "PATH": os.environ["PATH"]}) == 0


def test_a_program_that_does_not_exist_is_127() -> None:
    with pytest.raises(CliError, match="no program 'softee-has-no-such'") as refused:
        run_command(["softee-has-no-such"], os.environ)
    assert refused.value.status == 127


@pytest.mark.parametrize("program", ["sh", "/bin/sh"])
def test_a_program_that_is_there_is_found(program: str) -> None:
    require_program(program)


@pytest.mark.parametrize(
    ("program", "status", "sentence"),
    [
        ("softee-has-no-such", 127, "There is no program 'softee-has-no-such' on the PATH."),
        ("/nonexistent/program", 127, "There is no program '/nonexistent/program'."),
        ("/etc/passwd", 126, "/etc/passwd cannot be run: Permission denied."),
        ("/etc/", 126, "/etc/ cannot be run: Permission denied."),
    ],
)
def test_a_program_is_looked_for_before_anything_is_done_for_it(program: str, status: int, sentence: str) -> None:
    with pytest.raises(CliError) as refused:
        require_program(program)
    assert (refused.value.status, str(refused.value)) == (status, sentence)


def test_a_file_that_cannot_be_executed_is_126(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(CliError) as refused:
        run_command([str(tmp_path / "text")], os.environ)
    assert refused.value.status == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    """The command says that it is there, gets the signal, and answers with a status of its own."""
    script = f"trap 'exit 42' {number.name[3:]}; echo there; while :; do sleep 0.05; done"
    runner = subprocess.Popen(
        [sys.executable, "-c", RUN_ITS_ARGUMENTS, "sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    assert runner.stdout
    with runner, runner.stdout as output:
        assert output.readline() == b"there\n"
        os.kill(runner.pid, number)
        try:
            assert runner.wait(20) == 42
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(runner.pid, signal.SIGKILL)


def test_the_command_does_not_inherit_blocked_signals() -> None:
    show = "import signal; raise SystemExit(len(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    blocked_here = len(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    assert run_command([sys.executable, "-c", show], os.environ) == blocked_here


def test_our_own_signal_mask_is_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    run_command(["true"], os.environ)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
