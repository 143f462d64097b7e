# SPDX-License-Identifier: Apache-2.0
"""The server looks for the next request only where that pays, and never for long."""

import os
import select
import socket
import time
from collections.abc import Iterator

import pytest

from softee.daemon import lookout
from softee.daemon.lookout import Lookout


class Watched:
    """What a lookout watches: one connection, whose other end may send."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.epoll = select.epoll()
        self.epoll.register(self.ours, select.EPOLLIN)

    def close(self) -> None:
        self.epoll.close()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(lookout, "SPARE_CPU", True)
    monkeypatch.setattr(lookout, "_SOON", 60.0)
    monkeypatch.setattr(lookout, "_TAKEN", 60.0)
    made = Watched()
    yield made
    made.close()


def busy(watched: Watched) -> Lookout:
    """Return a lookout whose requests have come soon for a while."""
    made = Lookout(watched.epoll)
    watched.theirs.send(b"request")
    for _ in range(lookout._STREAK):
        assert made.wait(None) == [(watched.ours.fileno(), select.EPOLLIN)]
    watched.ours.recv(100)
    return made


def looks(one: Lookout) -> bool:
    """Tell whether it looks, by how long it does where nothing comes."""
    started = time.monotonic()
    assert one.wait(0) == []
    return time.monotonic() - started >= lookout.LOOKS


def test_a_new_lookout_sleeps_at_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "LOOKS", 60.0)
    assert not looks(Lookout(watched.epoll))


def test_where_requests_come_soon_it_looks_for_a_moment_and_then_sleeps(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = busy(watched)
    assert looks(one)
    monkeypatch.setattr(lookout, "LOOKS", 60.0)
    assert not looks(one)


def test_a_request_ends_the_looking(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    one = busy(watched)
    monkeypatch.setattr(lookout, "LOOKS", 60.0)
    watched.theirs.send(b"request")
    assert one.wait(None) == [(watched.ours.fileno(), select.EPOLLIN)]


def test_it_sleeps_at_once_after_a_request_that_came_late(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    one = busy(watched)
    monkeypatch.setattr(lookout, "_SOON", 0.0)
    watched.theirs.send(b"request")
    assert one.wait(None)
    watched.ours.recv(100)
    monkeypatch.setattr(lookout, "LOOKS", 60.0)
    assert not looks(one)


def test_it_sleeps_at_once_where_there_is_one_cpu(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "SPARE_CPU", False)
    one = busy(watched)
    monkeypatch.setattr(lookout, "LOOKS", 60.0)
    assert not looks(one)


def test_it_steps_back_where_somebody_else_has_use_for_the_cpu(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = busy(watched)
    monkeypatch.setattr(lookout, "LOOKS", 60.0)
    monkeypatch.setattr(lookout, "_TAKEN", 1e-4)
    monkeypatch.setattr(os, "sched_yield", lambda: time.sleep(2e-4))
    assert one.wait(0) == []
    assert not looks(one)
