# SPDX-License-Identifier: Apache-2.0
"""What is counted of a secure world, in memory that all its processes share: its clients, what they do, its commits.

Each worker has a part that it alone writes, and the process that has the store has one. Who is connected is always
noted; what clients do, only while somebody wants to know: for good, where metrics are served, else for some seconds
from each time that an operator asks (``want``). A bell tells all workers of that.
"""

import contextlib
import fcntl
import mmap
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Final

from softee.daemon.change_page import SEALS
from softee.daemon.metrics.tallies import BOUNDS, FIRST_BUCKET, NUMBERS, SUM, Tally
from softee.pkcs11_ta.counting import Act
from softee.stores.base import ConflictError, StoreDamagedError, StoreFullError, StoreUnavailableError
from softee.tee.application import ClientIdentity

WANTED_FOR: Final = 10 * 10**9
"""Nanoseconds for which counting goes on after an operator has asked."""
FOR_GOOD: Final = (1 << 64) - 1
"""A time that does not come."""

_UNTIL, AUDIT_LINE, AUDIT_LEFT_OUT, SERIALS = range(4)
_SLOTS: Final = 64
_HEAD: Final = SERIALS + _SLOTS
ALIVE, DEATHS, CLIENTS, FIRST_PLACE = 0, 1, 2, 3
PLACES: Final = 2048
"""How many clients of a worker are noted; further ones are counted, and no more."""
PLACE: Final = 4
_WHO, _SINCE, _SESSIONS, _ACTS = range(PLACE)
TALLY: Final = FIRST_PLACE + PLACES * PLACE
_PART: Final = TALLY + NUMBERS

OUTCOMES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ConflictError, "conflict"),
    (StoreUnavailableError, "unavailable"),
    (StoreFullError, "full"),
    (StoreDamagedError, "damaged"),
    (Exception, "failed"),
)
"""What becomes of a commit that does not succeed, by what it raises."""


class SharedCounts:
    """The memory. Made before other processes are, of which each then takes its part."""

    def __init__(self, workers: int, slots: int) -> None:
        """Make it for so many workers and slots. Raises OSError."""
        self.workers = workers
        self.slots = slots
        self.bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        """Whoever waits for it, at its edges, hears that ``is_on`` has changed. Nobody reads it."""
        self.heed: Callable[[], object] = bool
        """What this process does when ``is_on`` has changed."""
        self.descriptor = os.memfd_create("softee-counts", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, (_HEAD + (workers + 1) * _PART) * 8)
        self._mapping = mmap.mmap(self.descriptor, 0)
        self._numbers = memoryview(self._mapping).cast("Q")
        with contextlib.suppress(OSError):  # a kernel that has no such seal: whoever shows the counts could write too
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, SEALS)

    def name_tokens(self, serials: Sequence[str]) -> None:
        """Note the tokens' serial numbers, each 16 hexadecimal digits, by slot."""
        for slot, serial in enumerate(serials):
            self._numbers[SERIALS + slot] = int(serial, 16)

    def tell_audit(self, line: int, left_out: int) -> None:
        """Note the number of the audit log's newest line, and how many events it lacks since."""
        self._numbers[AUDIT_LINE], self._numbers[AUDIT_LEFT_OUT] = line, left_out

    def want(self, until: int | None = None) -> None:
        """Have acts counted for some time, or until then."""
        was_on = self.is_on()
        self._numbers[_UNTIL] = max(until or time.monotonic_ns() + WANTED_FOR, self.until())
        if not was_on:
            os.eventfd_write(self.bell, 1)

    def is_on(self) -> bool:
        """Say whether acts are to be counted."""
        return time.monotonic_ns() < self.until()

    def until(self) -> int:
        """Return until when acts are counted, in nanoseconds of the monotonic clock."""
        return self._numbers[_UNTIL]

    def fileno(self) -> int:
        """Return the bell, which a worker's loop waits for."""
        return self.bell

    def handle(self) -> bool:
        """Do what the bell is for, which stops nobody."""
        self.heed()
        return True

    def of_worker(self, worker: int) -> "WorkerCounts":
        """Return the part of a worker, which has just begun."""
        return WorkerCounts(self, self.part(worker + 1))

    def of_store(self) -> "StoreCounts":
        """Return the part of the process that has the store."""
        return StoreCounts(self.part(0))

    def forget(self, worker: int) -> None:
        """Note that a worker has died, and its clients with it. What it has counted stays."""
        part = self.part(worker + 1)
        part[DEATHS] += 1
        _clear(part)

    @property
    def numbers(self) -> "memoryview[int]":
        """All of the memory."""
        return self._numbers

    def only_read(self) -> None:
        """Give up writing, for good: for a process that shows what others count. Called before any part was taken."""
        self._numbers.release()
        self._mapping.close()
        self._mapping = mmap.mmap(self.descriptor, 0, prot=mmap.PROT_READ)
        self._numbers = memoryview(self._mapping).cast("Q")

    def close(self) -> None:
        """Let go of it. Parts that were taken stay usable."""
        os.close(self.bell)
        os.close(self.descriptor)

    def part(self, number: int) -> "memoryview[int]":
        """Return the store's part (0), or that of a worker, from 1 on."""
        begin = _HEAD + number * _PART
        return self._numbers[begin : begin + _PART]


class WorkerCounts:
    """What a worker counts (``Counts``)."""

    clock = staticmethod(time.monotonic_ns)

    def __init__(self, shared: SharedCounts, part: "memoryview[int]") -> None:
        self._shared = shared
        self._part = part
        self._tally = Tally(part[TALLY:])
        self._lock = Lock()
        self._free = list(range(FIRST_PLACE + (PLACES - 1) * PLACE, FIRST_PLACE - 1, -PLACE))
        _clear(part)
        part[ALIVE] = int(time.time())

    def is_on(self) -> bool:
        """Say whether anybody wants to know."""
        return self._shared.is_on()

    def tell(self, heed: Callable[[], object]) -> None:
        """Have this called when ``is_on`` has changed."""
        self._shared.heed = heed

    def client(self, identity: ClientIdentity) -> "CountedClient":
        """Note that a client is there."""
        part = self._part
        with self._lock:
            part[CLIENTS] += 1
            place = self._free.pop() if self._free else 0
            if place:
                part[place + _WHO] = identity.pid | identity.uid << 32
                part[place + _SESSIONS] = part[place + _ACTS] = 0
                part[place + _SINCE] = int(time.time())
        return CountedClient(self, place)

    def noting(self, place: int) -> Callable[[Act, int, int], None]:
        """Return what counts a client's acts: as ``Tally.note`` does, without a call within a call."""
        clock, lock, until, heed = self.clock, self._lock, self._shared.until, self._shared.handle
        part, numbers, rows, add = self._part, self._tally.numbers, self._tally.rows, self._tally.add
        acts, had = place + _ACTS, place + _SESSIONS

        def note(act: Act, began: int, sessions: int) -> None:
            now = clock()
            took = now - began
            with lock:
                row = rows.get(act) or add(act)
                numbers[row + SUM] += took
                numbers[row + FIRST_BUCKET + bisect_left(BOUNDS, took)] += 1
                if place:
                    part[acts] += 1
                    part[had] = sessions
            if now >= until():
                heed()

        return note

    def show(self, place: int, sessions: int) -> None:
        """Note how many sessions a client has."""
        if place:
            self._part[place + _SESSIONS] = sessions

    def leave(self, place: int) -> None:
        """Note that a client is gone."""
        with self._lock:
            self._part[CLIENTS] -= 1
            if place:
                self._part[place + _SINCE] = 0
                self._free.append(place)


class CountedClient:
    """What is counted of a client (``ClientCounts``), at its place among those that are noted; 0: it has none."""

    __slots__ = ("_counts", "_place", "note")

    def __init__(self, counts: WorkerCounts, place: int) -> None:
        self._counts = counts
        self._place = place
        self.note = counts.noting(place)
        """Counts an act that began then; the client has so many sessions now."""

    def show(self, sessions: int) -> None:
        """Note how many sessions it has."""
        self._counts.show(self._place, sessions)

    def close(self) -> None:
        """Forget the client."""
        self._counts.leave(self._place)


class StoreCounts:
    """What the process that has the store counts: commits, by what became of them."""

    def __init__(self, part: "memoryview[int]") -> None:
        self._tally = Tally(part[TALLY:])
        self._lock = Lock()

    @contextlib.contextmanager
    def commit(self) -> Iterator[None]:
        """Count what is done meanwhile as a commit."""
        began, outcome = time.monotonic_ns(), 0
        try:
            yield
        except Exception as error:
            outcome = next(number for number, (kind, _) in enumerate(OUTCOMES, 1) if isinstance(error, kind))
            raise
        finally:
            with self._lock:
                self._tally.note((outcome, 0, 0, 0), time.monotonic_ns() - began)


def _clear(part: "memoryview[int]") -> None:
    """Take a worker's clients away."""
    part[ALIVE] = part[CLIENTS] = 0
    for at in range(FIRST_PLACE, TALLY, PLACE):
        part[at + _SINCE] = 0
