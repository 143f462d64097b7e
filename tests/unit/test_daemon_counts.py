# SPDX-License-Identifier: Apache-2.0
"""Counts in shared memory: they outlive a worker, never go down, and are bounded."""

import mmap
import select
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing

import pytest

from softee.daemon.metrics import counts as module
from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.metrics.counts_seen import Durations, read_tally, seen
from softee.daemon.metrics.tallies import BOUNDS, NUMBERS, OTHERS, ROWS, Tally
from softee.pkcs11_ta.counting import NONE, Act
from softee.stores.base import ConflictError, Revision, StoreError, StoreFullError
from softee.stores.counted import CountedStore
from softee.stores.memory import MemoryStore
from support.token_world import public_client

ACT: Act = (1, 31, 0x1044, 0)


@pytest.fixture
def shared() -> Iterator[SharedCounts]:
    with closing(SharedCounts(2, 3)) as made:
        yield made


def numbers() -> "memoryview[int]":
    return memoryview(bytearray(NUMBERS * 8)).cast("Q")


def test_a_tally_counts_each_thing_by_how_long_it_took() -> None:
    room = numbers()
    tally = Tally(room)
    tally.note((1, 2, 3, 4), 0)
    tally.note((1, 2, 3, 4), BOUNDS[0])
    tally.note((1, 2, 3, 4), BOUNDS[0] + 1)
    tally.note((5, 2, 3, 4), BOUNDS[-1] + 1)
    (first, one), (second, other) = read_tally(room)
    assert (first, second) == ((1, 2, 3, 4), (5, 2, 3, 4))
    assert (one.buckets[:2], one.count, one.total) == ((2, 1), 3, 2 * BOUNDS[0] + 1)
    assert (other.buckets[-1], other.count) == (1, 1)


def test_who_takes_a_dead_worker_s_place_counts_on() -> None:
    room = numbers()
    Tally(room).note((1, 2, 3, 4), 1)
    Tally(room).note((1, 2, 3, 4), 1)
    assert [(key, durations.count) for key, durations in read_tally(room)] == [((1, 2, 3, 4), 2)]


def test_attack_more_different_things_than_there_is_room_for_are_counted_together() -> None:
    room = numbers()
    tally = Tally(room)
    for number in range(ROWS + 10):
        tally.note((number, 0, 0, 0), 1)
    counted = dict(read_tally(room))
    assert len(counted) == ROWS
    assert counted[OTHERS].count == 11
    tally.note((0, 0, 0, 0), 1)
    assert dict(read_tally(room))[0, 0, 0, 0].count == 2


def test_workers_counts_are_summed(shared: SharedCounts) -> None:
    shared.name_tokens(["00000000000000aa", "00000000000000ab", "ffffffffffffffff"])
    for worker, times in ((0, 1), (1, 2)):
        part = shared.of_worker(worker)
        client = part.client(public_client(pid=10 + worker, uid=7))
        for _ in range(times):
            client.note(ACT, part.clock(), 4)
    now = seen(shared)
    assert now.acts[ACT].count == 3
    assert [(one.worker, one.pid, one.uid, one.sessions, one.acts) for one in now.clients] == [
        (0, 10, 7, 4, 1),
        (1, 11, 7, 4, 2),
    ]
    assert [one.clients for one in now.workers] == [1, 1]
    assert now.serial(2) == "ffffffffffffffff"
    assert now.serial(NONE) == ""


def test_a_dead_worker_s_clients_go_and_what_they_did_stays(shared: SharedCounts) -> None:
    part = shared.of_worker(1)
    part.client(public_client()).note(ACT, part.clock(), 1)
    shared.forget(1)
    now = seen(shared)
    assert (now.clients, now.workers[1].since, now.workers[1].deaths) == ([], 0, 1)
    assert now.acts[ACT].count == 1
    again = shared.of_worker(1)
    again.client(public_client()).note(ACT, again.clock(), 1)
    assert seen(shared).acts[ACT].count == 2
    assert seen(shared).workers[1].since > 0


def test_a_client_that_leaves_makes_room_for_another(shared: SharedCounts) -> None:
    part = shared.of_worker(0)
    del part._free[1:]
    first, second = part.client(public_client(pid=1)), part.client(public_client(pid=2))
    second.note(ACT, part.clock(), 1)
    second.show(1)
    assert [one.pid for one in seen(shared).clients] == [1]
    assert seen(shared).workers[0].clients == 2
    second.close()
    first.close()
    third = part.client(public_client(pid=3))
    third.show(9)
    assert [(one.pid, one.sessions, one.acts) for one in seen(shared).clients] == [(3, 9, 0)]


def test_acts_are_counted_for_a_while_after_somebody_has_asked(
    shared: SharedCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    heard: list[bool] = []
    part = shared.of_worker(0)
    part.tell(lambda: heard.append(part.is_on()))
    assert not shared.is_on()
    with select.epoll() as first, select.epoll() as second:
        for epoll in (first, second):
            epoll.register(shared.bell, select.EPOLLIN | select.EPOLLET)
        shared.want()
        assert len(first.poll(0)) == len(second.poll(0)) == 1  # all hear it
        assert first.poll(0) == []  # once
        shared.want()
        assert first.poll(0) == []  # it is on already
    shared.handle()
    assert heard == [True]
    now += module.WANTED_FOR
    assert not shared.is_on()
    part.client(public_client()).note(ACT, now, 1)
    assert heard == [True, False]  # the first act after that is the last one that is counted


def test_counting_for_good_is_not_ended_by_who_asks_for_a_while(shared: SharedCounts) -> None:
    shared.want(module.FOR_GOOD)
    shared.want()
    assert shared._numbers[0] == module.FOR_GOOD


def test_attack_who_shows_the_counts_cannot_change_them(shared: SharedCounts) -> None:
    shared.name_tokens(["00000000000000aa"])
    shared.only_read()
    assert seen(shared).serials[0] == "00000000000000aa"
    with pytest.raises(TypeError, match="read-only"):
        shared._numbers[0] = 1
    with pytest.raises(PermissionError):
        mmap.mmap(shared.descriptor, 0)  # the seal


def test_commits_are_counted_by_what_became_of_them(shared: SharedCounts) -> None:
    def commit(error: Exception | None) -> None:
        class Store(MemoryStore):
            def commit(
                self,
                *,
                expected: Mapping[bytes, Revision],
                puts: Mapping[bytes, bytes],
                deletes: Collection[bytes] = (),
            ) -> Revision:
                if error:
                    raise error
                return super().commit(expected=expected, puts=puts, deletes=deletes)

        CountedStore(Store(), counts.commit).commit(expected={}, puts={b"k": b"v"})

    counts = shared.of_store()
    commit(None)
    for error in (ConflictError("c"), StoreFullError("f"), StoreError("s"), StoreFullError("f")):
        with pytest.raises(type(error)):
            commit(error)
    counted = {name: durations.count for name, durations in seen(shared).commits.items()}
    assert counted == {"success": 1, "conflict": 1, "full": 2, "failed": 1}


def test_durations_add_up() -> None:
    one = Durations((1,) + (0,) * len(BOUNDS), 5)
    one.add(one)
    assert (one.count, one.total) == (2, 10)
