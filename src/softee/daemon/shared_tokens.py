# SPDX-License-Identifier: Apache-2.0
"""What worker processes tell each other of their tokens: whose turn a PIN check is, who has sessions, who has clients.

Turns are the kernel's locks on bytes of a memory file (fcntl(2), open file description locks): they belong to a worker,
and go on to the next one when it dies. A worker holds a slot's second byte, shared with others, as long as it has
sessions with the token; who initializes it needs that byte alone. Counts are numbers in memory that all share, a row
for each worker, which it alone writes. Who shuts a token rings the others' bells: a pipe for each worker, out of which
slots' numbers come.
"""

import contextlib
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from typing import Final

from softee.pkcs11_ta.token.neighbours import SessionCount

_TURN, _SESSIONS = 0, 1
_BYTES_PER_SLOT: Final = 2
_CLIENTS, _SERVES = 0, 1
_FIRST_SLOT: Final = 2
_COUNTS_PER_SLOT: Final = 3
"""Sessions, read-write ones, and how many operators keep the token shut."""
_NUMBER: Final = 4
_LOCK: Final = struct.Struct("@hhqqi0q")
"""struct flock: type, whence, start, length, pid."""


class SharedTokens:
    """The locks and the counts. Made before the workers are."""

    def __init__(self, workers: int, slots: int) -> None:
        """Make them for so many workers and slots. Raises OSError."""
        self.workers = workers
        self.slots = slots
        self.locks = os.memfd_create("softee-turns", os.MFD_CLOEXEC)
        self._row = _FIRST_SLOT + _COUNTS_PER_SLOT * slots
        self._mapping = mmap.mmap(-1, workers * self._row * _NUMBER)
        self._counts = memoryview(self._mapping).cast("I")
        self._bells = [os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) for _ in range(workers)]

    def count_clients(self, worker: int, clients: int) -> None:
        """Note how many clients a worker has."""
        self._counts[worker * self._row + _CLIENTS] = clients

    def note_serving(self, worker: int) -> None:
        """Note that a worker serves."""
        self._counts[worker * self._row + _SERVES] = 1

    def all_serve(self) -> bool:
        """Tell whether all workers do."""
        return all(self._counts[worker * self._row + _SERVES] for worker in range(self.workers))

    def clients(self, worker: int) -> int:
        """Return how many clients a worker has."""
        return self._counts[worker * self._row + _CLIENTS]

    def count_sessions(self, worker: int, slot: int, count: SessionCount) -> None:
        """Note how many sessions a worker has with a slot's token."""
        at = self._place(worker, slot)
        self._counts[at], self._counts[at + 1] = count

    def sessions(self, worker: int, slot: int) -> SessionCount:
        """Return how many sessions a worker has with a slot's token."""
        at = self._place(worker, slot)
        return SessionCount(self._counts[at], self._counts[at + 1])

    def shut(self, worker: int, slot: int, times: int) -> None:
        """Note how many operators keep a slot's token shut by a worker; where one does, tell all others."""
        self._counts[self._place(worker, slot) + 2] = times
        for other, (_, bell) in enumerate(self._bells):
            if times and other != worker:
                with contextlib.suppress(BlockingIOError):  # it has much to hear already
                    os.write(bell, bytes([slot]))

    def is_shut(self, worker: int, slot: int) -> bool:
        """Tell whether an operator keeps a slot's token shut by a worker."""
        return self._counts[self._place(worker, slot) + 2] > 0

    def bell(self, worker: int) -> int:
        """Return the descriptor by which a worker hears of tokens that are shut: a byte for each slot's number."""
        return self._bells[worker][0]

    def descriptors(self, worker: int) -> list[int]:
        """Return the descriptors that a worker needs."""
        return [self.locks, self.bell(worker), *(writer for _, writer in self._bells)]

    def _place(self, worker: int, slot: int) -> int:
        return worker * self._row + _FIRST_SLOT + slot * _COUNTS_PER_SLOT

    def forget(self, worker: int) -> None:
        """Take a dead worker's counts away."""
        for at in range(worker * self._row, (worker + 1) * self._row):
            self._counts[at] = 0

    def close(self) -> None:
        """Let go of both."""
        self._counts.release()
        self._mapping.close()
        for descriptor in (self.locks, *(end for bell in self._bells for end in bell)):
            os.close(descriptor)


class WorkerNeighbours:
    """The other workers, as one of them sees them (``Neighbours``). Used by its process alone."""

    def __init__(self, shared: SharedTokens, worker: int) -> None:
        self._shared = shared
        self._worker = worker
        self._locks = os.open(f"/proc/self/fd/{shared.locks}", os.O_RDWR | os.O_CLOEXEC)
        self._present: set[int] = set()

    @contextlib.contextmanager
    def turn(self, slot: int) -> Iterator[None]:
        """Wait until no other worker checks a PIN of a slot's token, and have them wait meanwhile."""
        self._lock(fcntl.F_WRLCK, slot, _TURN)
        try:
            yield
        finally:
            self._lock(fcntl.F_UNLCK, slot, _TURN)

    def tell(self, slot: int, count: SessionCount) -> None:
        """Tell them how many sessions there are here. The first one waits while another worker resets the token.

        Who hears that there are none can reset it: the last one leaves before that is told.
        """
        if count.all and slot not in self._present:
            self._lock(fcntl.F_RDLCK, slot, _SESSIONS)
            self._present.add(slot)
        elif not count.all:
            self._present.discard(slot)
            self._lock(fcntl.F_UNLCK, slot, _SESSIONS)
        self._shared.count_sessions(self._worker, slot, count)

    def elsewhere(self, slot: int) -> SessionCount:
        """Return how many sessions the others have together."""
        count = SessionCount()
        for worker in range(self._shared.workers):
            if worker != self._worker:
                count = count.plus(self._shared.sessions(worker, slot))
        return count

    @contextlib.contextmanager
    def alone(self, slot: int) -> Iterator[bool]:
        """Whether no other worker has a session with a slot's token; meanwhile none gets its first one."""
        if slot in self._present:
            yield False
            return
        try:
            self._lock(fcntl.F_WRLCK, slot, _SESSIONS, wait=False)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            self._lock(fcntl.F_UNLCK, slot, _SESSIONS)

    def shut(self, slot: int, times: int) -> None:
        """Note how many operators here keep a slot's token shut. Where one does, the others end their sessions soon."""
        self._shared.shut(self._worker, slot, times)

    def is_shut(self, slot: int) -> bool:
        """Tell whether another worker keeps a slot's token shut."""
        others = (worker for worker in range(self._shared.workers) if worker != self._worker)
        return any(self._shared.is_shut(worker, slot) for worker in others)

    def close(self) -> None:
        """Give up all that is held."""
        os.close(self._locks)

    def _lock(self, kind: int, slot: int, which: int, *, wait: bool = True) -> None:
        """Take or give up a byte. Raises BlockingIOError where it is another worker's, and is not waited for."""
        command = fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK
        fcntl.fcntl(self._locks, command, _LOCK.pack(kind, os.SEEK_SET, slot * _BYTES_PER_SLOT + which, 1, 0))
