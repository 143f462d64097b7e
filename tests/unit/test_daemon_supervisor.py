# SPDX-License-Identifier: Apache-2.0
"""The supervisor where the system refuses it something, or a worker behaves as none does: it goes on."""

import socket
import types
from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import pytest

from softee.daemon import supervisor as module
from softee.daemon.listener import Listener
from softee.daemon.message_stream import MessageStream
from softee.daemon.settings import Limits
from softee.daemon.shared_tokens import SharedTokens
from softee.daemon.supervisor import Supervisor
from softee.daemon.workers import Worker
from softee.stores.memory import MemoryStore
from softee.stores.remote import LENGTH


@pytest.fixture
def made() -> Iterator[Supervisor]:
    anchor = types.SimpleNamespace(store=MemoryStore(), tend=lambda _: None)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listening, closing(SharedTokens(1, 1)) as shared:
        listener = Listener(listening, cast("Any", None), None)
        supervisor = Supervisor(cast("Any", anchor), listener, Limits(), shared, lambda *_: None, store=anchor.store)
        yield supervisor
        supervisor._epoll.close()


class Killed(Worker):
    """A worker that notes that it was killed."""

    def kill(self) -> None:
        self.is_ready = False
        self.pid = 0


def pair() -> tuple[Killed, socket.socket, socket.socket]:
    store, its_store = socket.socketpair()
    handover, its_handover = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Killed(0, 1, -1, MessageStream(store), handover), its_store, its_handover


def test_a_connection_that_cannot_be_accepted_is_tried_again_after_a_pause(
    made: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    made._watch(made._listener.fileno(), module._READ, made._accept)
    made._accept(0)  # it does not listen, which is refused
    assert "a connection could not be accepted" in caplog.text
    assert made._accept_from is not None
    made._accept_from = 0.0
    made._tend()
    assert made._listener.fileno() in made._events


def test_a_worker_that_cannot_be_started_is_started_later(
    made: Supervisor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> Worker:
        raise OSError("no more processes")

    monkeypatch.setattr(module, "start_worker", refuse)
    made._start(0)
    assert made._missing == {0}
    assert "worker 0 cannot be started: no more processes" in caplog.text
    made._started[0] = 0.0
    made._tend()
    assert made._missing == {0}


def test_attack_a_worker_that_asks_for_nonsense_is_killed(made: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    worker, store, handover = pair()
    made._watch(worker.store.fileno(), module._READ, lambda _: None)
    store.sendall(LENGTH.pack(3) + b"???")
    made._serve(worker, module._READ)
    assert worker.pid == 0
    assert "asks the store for what makes no sense" in caplog.text
    for end in (store, handover, worker.handover, worker.store):
        end.close()


def test_what_has_ended_is_not_listened_to(made: Supervisor) -> None:
    worker, store, handover = pair()
    made._watch(worker.store.fileno(), module._READ, lambda _: None)
    made._watch(worker.handover.fileno(), module._READ, lambda _: None)
    store.close()
    handover.close()
    made._serve(worker, module._READ)
    made._hear(worker, module._READ)
    assert made._events == {}
    worker.handover.close()
    worker.store.close()


def test_workers_that_do_not_end_are_killed(made: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    worker, store, handover = pair()
    made._workers[0] = worker
    made._stop_by = 0.0
    made._tend()
    assert worker.pid == 0
    assert "1 workers do not end, and are killed" in caplog.text
    for end in (store, handover, worker.handover, worker.store):
        end.close()
