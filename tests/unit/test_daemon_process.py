# SPDX-License-Identifier: Apache-2.0
"""The process: its log cannot be forged, its memory cannot be read."""

import errno
import logging
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.daemon import hardening
from softee.daemon.logs import OneLineFormatter, escape, log_thread_bug
from softee.names import LoginMethod
from softee.tee.identity import PeerCredentials, identify
from softee.wire.values import NO_PARAMS
from support.echo_application import CRASH, EchoApplication, EchoSession

NOBODY = identify(PeerCredentials(1, 1, 1), LoginMethod.PUBLIC, 0)


def formatted(message: str, *arguments: object, bug: BaseException | None = None) -> str:
    exc_info = (type(bug), bug, bug.__traceback__) if bug else None
    return OneLineFormatter().format(logging.LogRecord("n", logging.INFO, "", 1, message, arguments, exc_info))


@given(st.text())
def test_no_text_makes_a_second_log_line_or_moves_the_cursor(text: str) -> None:
    line = formatted("a label: %s", text)
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_printable_text_is_logged_as_it_is() -> None:
    assert escape("Müller's key") == "Müller's key"
    assert escape("a\nb\x1b[2J\u2028") == "a\\nb\\x1b[2J\\u2028"


def test_no_line_of_a_traceback_can_be_taken_for_a_record() -> None:
    with pytest.raises(RuntimeError) as caught:
        EchoSession(EchoApplication(), NOBODY).invoke(CRASH, NO_PARAMS)
    first, *others = formatted("a bug", bug=caught.value).split("\n")
    assert first.endswith("a bug")
    assert any("all is well" in line for line in others)
    assert all(line.startswith("    | ") and line.isprintable() for line in others)


HARDENED = """
import ctypes, os, resource
from softee.daemon import hardening
is_dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
before = is_dumpable()
hardening.harden()
hardening.raise_descriptor_limit()
print(before, is_dumpable(), resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
print(soft == hard)
print([line for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
"""


def test_the_hardened_process_is_not_dumpable_and_its_files_are_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", HARDENED], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines() == ["1 0 (0, 0) 0o77", "True", "['NoNewPrivs:\\t1\\n']"]


def test_a_step_of_the_hardening_that_the_kernel_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardening, "_PR_SET_NO_NEW_PRIVS", 0x7FFF)  # which no kernel knows
    with pytest.raises(OSError, match="prctl") as refused:
        hardening._prctl(hardening._PR_SET_NO_NEW_PRIVS, 1)
    assert refused.value.errno == errno.EINVAL


LOOKED_INTO = """
import os
from softee.daemon import hardening
if os.geteuid() == 0:  # root may look into everything
    os.setgid(1234)
    os.setuid(1234)
hardening._prctl(hardening._PR_SET_DUMPABLE, 1)

def can_be_looked_into():
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            open(f"/proc/{parent}/environ")
        except PermissionError:
            os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] != 0

print(can_be_looked_into())
hardening.harden()
print(can_be_looked_into())
"""


def test_another_process_of_the_same_user_cannot_look_into_the_hardened_process() -> None:
    done = subprocess.run([sys.executable, "-c", LOOKED_INTO], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["True", "False"]


def test_a_bug_in_a_thread_is_logged_and_not_written_raw(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(threading, "excepthook", log_thread_bug)
    thread = threading.Thread(target=lambda: 1 // 0, name="x\ny")
    thread.start()
    thread.join()
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.exc_info is not None
    assert repr("x\ny") in record.getMessage()
