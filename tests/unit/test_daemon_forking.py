# SPDX-License-Identifier: Apache-2.0
"""A signal to a process of the secure world is its own from its first moment: it waits until there is a handler."""

import os
import signal

import pytest

from softee.daemon.forking import fork, take_signals
from softee.daemon.wakeup import heeded


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_before_the_child_has_a_handler_is_handled_there_and_not_by_its_parent(
    number: signal.Signals,
) -> None:
    with heeded({number: lambda: False}) as wakeup:
        pid = fork()
        if pid == 0:
            came: list[int] = []
            os.kill(os.getpid(), number)
            early = list(came)
            take_signals({number: lambda number, _: came.append(number)})
            os._exit(0 if not early and came == [number] else 1)
        assert ended(pid) == 0
        with pytest.raises(BlockingIOError):
            wakeup.handle()


def test_a_signal_without_a_handler_is_ignored() -> None:
    pid = fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        take_signals({})
        os.kill(os.getpid(), signal.SIGHUP)
        os._exit(0)
    assert ended(pid) == 0


@pytest.mark.parametrize("fails", [False, True])
def test_the_parent_gets_its_signals_as_before(monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    def no_more() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    if fails:
        monkeypatch.setattr(os, "fork", no_more)
        with pytest.raises(BlockingIOError):
            fork()
    else:
        pid = fork()
        if pid == 0:
            os._exit(0)
        assert ended(pid) == 0
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
