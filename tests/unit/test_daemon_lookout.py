# SPDX-License-Identifier: Apache-2.0
"""A channel looks for its next request only where that pays, and never for long."""

import select
import socket
import time
from collections.abc import Iterator

import pytest

from softee.daemon import lookout
from softee.daemon.lookout import Lookout


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(lookout, "_SPARE_CPU", True)
    monkeypatch.setattr(lookout, "_SOON", 60.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


def busy(connection: socket.socket) -> Lookout:
    """Return a lookout whose requests have come soon for a while."""
    made = Lookout(connection)
    for _ in range(lookout._STREAK + 1):
        made.look()
        made.came()
    return made


def looks(one: Lookout) -> bool:
    """Tell whether it looks, by how long it does where nothing comes."""
    started = time.monotonic()
    one.look()
    return time.monotonic() - started >= lookout._LOOKS


def test_a_new_channel_sleeps_at_once(connection: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "_LOOKS", 60.0)
    assert not looks(Lookout(connection))


def test_a_channel_whose_requests_come_soon_looks_for_a_moment(connection: socket.socket) -> None:
    assert looks(busy(connection))


def test_a_request_ends_the_looking(connection: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    one, (theirs, ours) = busy(connection), socket.socketpair()
    monkeypatch.setattr(lookout, "_LOOKS", 60.0)
    with theirs, ours:
        one._poll.register(ours, select.POLLIN)
        theirs.send(b"request")
        assert not looks(one)


def test_a_channel_that_others_work_beside_sleeps_at_once(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = busy(connection)
    Lookout(connection).came()
    monkeypatch.setattr(lookout, "_LOOKS", 60.0)
    assert not looks(one)
    one.came()
    assert not looks(one)


def test_a_channel_whose_request_came_late_sleeps_at_once(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = busy(connection)
    monkeypatch.setattr(lookout, "_SOON", 0.0)
    one.came()
    monkeypatch.setattr(lookout, "_LOOKS", 60.0)
    assert not looks(one)


def test_a_channel_sleeps_at_once_where_there_is_one_cpu(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "_SPARE_CPU", False)
    one = busy(connection)
    monkeypatch.setattr(lookout, "_LOOKS", 60.0)
    assert not looks(one)


def test_a_channel_that_has_ended_is_forgotten(connection: socket.socket) -> None:
    busy(connection).leave()
    assert Lookout._last is None
