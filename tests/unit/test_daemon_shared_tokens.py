# SPDX-License-Identifier: Apache-2.0
"""What worker processes tell each other: turns, sessions, clients; a dead one keeps nothing from the others."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from softee.daemon.shared_tokens import SharedTokens, WorkerNeighbours
from softee.pkcs11_ta.token.neighbours import NOBODY, SessionCount
from support.channel_attack import eventually


@pytest.fixture
def shared() -> Iterator[SharedTokens]:
    with closing(SharedTokens(3, 2)) as shared:
        yield shared


@pytest.fixture
def one(shared: SharedTokens) -> Iterator[WorkerNeighbours]:
    with closing(WorkerNeighbours(shared, 0)) as one:
        yield one


@pytest.fixture
def other(shared: SharedTokens) -> Iterator[WorkerNeighbours]:
    with closing(WorkerNeighbours(shared, 1)) as other:
        yield other


def test_sessions_of_the_others_are_counted_by_slot(shared: SharedTokens, one: WorkerNeighbours) -> None:
    shared.count_sessions(1, 0, SessionCount(3, 1))
    shared.count_sessions(2, 0, SessionCount(2, 2))
    shared.count_sessions(2, 1, SessionCount(1, 0))
    one.tell(0, SessionCount(50, 50))
    assert (one.elsewhere(0), one.elsewhere(1)) == (SessionCount(5, 3), SessionCount(1, 0))


def test_what_a_dead_worker_counted_is_forgotten(shared: SharedTokens, one: WorkerNeighbours) -> None:
    shared.count_sessions(1, 0, SessionCount(3, 1))
    shared.count_clients(1, 9)
    shared.count_clients(2, 4)
    shared.forget(1)
    assert one.elsewhere(0) == SessionCount()
    assert [shared.clients(worker) for worker in range(3)] == [0, 0, 4]


def test_nobody_is_alone_while_another_has_sessions(one: WorkerNeighbours, other: WorkerNeighbours) -> None:
    other.tell(0, SessionCount(1, 0))
    other.tell(0, SessionCount(2, 0))
    other.tell(0, SessionCount(1, 0))
    with one.alone(0) as alone, one.alone(1) as alone_there:
        assert (alone, alone_there) == (False, True)
    other.tell(0, SessionCount())
    with one.alone(0) as alone:
        assert alone


def test_who_hears_that_no_session_is_left_is_alone(
    one: WorkerNeighbours, other: WorkerNeighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, heard = SharedTokens.count_sessions, []

    def counted(shared: SharedTokens, worker: int, slot: int, sessions: SessionCount) -> None:
        count(shared, worker, slot, sessions)
        with one.alone(slot) as alone:
            heard.append((one.elsewhere(slot).all, alone))

    monkeypatch.setattr(SharedTokens, "count_sessions", counted)
    for sessions in (1, 0):
        other.tell(0, SessionCount(sessions, 0))
    assert heard == [(1, False), (0, True)]


def test_who_has_sessions_itself_is_not_alone(one: WorkerNeighbours) -> None:
    one.tell(0, SessionCount(1, 1))
    with one.alone(0) as alone:
        assert not alone


def test_two_may_have_sessions_at_once(one: WorkerNeighbours, other: WorkerNeighbours) -> None:
    one.tell(0, SessionCount(1, 0))
    other.tell(0, SessionCount(1, 0))
    assert one.elsewhere(0) == SessionCount(1, 0)


def waits(act: threading.Thread) -> bool:
    """Start what has to wait; tell whether it does."""
    act.start()
    act.join(0.05)
    return act.is_alive()


def test_a_first_session_waits_until_the_token_is_initialized(one: WorkerNeighbours, other: WorkerNeighbours) -> None:
    opening = threading.Thread(target=other.tell, args=(0, SessionCount(1, 0)))
    with one.alone(0) as alone:
        assert alone
        assert waits(opening)
    opening.join(20)
    assert one.elsewhere(0).all == 1


def test_turns_come_one_after_the_other_and_each_slot_has_its_own(
    one: WorkerNeighbours, other: WorkerNeighbours
) -> None:
    def take() -> None:
        with other.turn(0):
            taken.set()

    taken, taking = threading.Event(), threading.Thread(target=take)
    with one.turn(0), other.turn(1):
        assert waits(taking)
        assert not taken.is_set()
    taking.join(20)
    assert taken.is_set()


def test_the_turn_and_the_sessions_of_a_worker_that_dies_pass_on(shared: SharedTokens, one: WorkerNeighbours) -> None:
    child = os.fork()
    if child == 0:  # pragma: no cover - a process of its own, killed without a word
        try:
            dying = WorkerNeighbours(shared, 1)
            dying.tell(0, SessionCount(1, 0))
            with dying.turn(0):
                shared.count_clients(1, 7)
                threading.Event().wait()
        finally:
            os._exit(1)
    eventually(lambda: shared.clients(1) == 7)
    with one.alone(0) as alone:
        assert not alone
    os.kill(child, 9)
    os.waitpid(child, 0)
    with one.turn(0), one.alone(0) as alone:
        assert alone


def test_who_has_its_tokens_for_itself_waits_for_nobody() -> None:
    NOBODY.tell(0, SessionCount(1, 1))
    with NOBODY.turn(0), NOBODY.turn(0), NOBODY.alone(0) as alone:
        assert (alone, NOBODY.elsewhere(0)) == (True, SessionCount())
