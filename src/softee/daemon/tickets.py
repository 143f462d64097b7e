# SPDX-License-Identifier: Apache-2.0
"""The ticket key and the list of live logins beside it, in memory that outlives the secure world's processes.

That memory is rows of 32 bytes: the key, and then a login in each: its number, the process' mark, the time of its last
call. A row of zeros is free. A login whose process is gone makes room when the list is looked through: at the start,
and with each new login. Worker processes, which are forked, work on the same memory.
"""

import contextlib
import fcntl
import logging
import mmap
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from softee.daemon import peer as kernel
from softee.daemon.settings import Settings
from softee.daemon.ticket_keepers import SIZE, Keyring, TicketKeeper, find_keeper
from softee.pkcs11_ta.session.tickets import LOGIN_SIZE, NO_TICKETS, Tickets
from softee.tee.keys import KEY_SIZE

log = logging.getLogger(__name__)

_ROW = struct.Struct("<16s12sI")
_FREE = bytes(_ROW.size)
_PLACES = range(KEY_SIZE, SIZE, _ROW.size)


class LoginTable:
    """The list of live logins over a keeper. ``is_running`` tells whether a process' mark is still that of one."""

    def __init__(self, keeper: TicketKeeper, is_running: Callable[[bytes], bool] = kernel.is_running) -> None:
        """Take over what an earlier secure world has left. Raises OSError."""
        self._keeper = keeper
        self._is_running = is_running
        self._memory = mmap.mmap(keeper.descriptor, SIZE)
        self._threads = threading.Lock()
        with self._alone():
            if self._memory[:KEY_SIZE] == bytes(KEY_SIZE):
                self._memory[:KEY_SIZE] = secrets.token_bytes(KEY_SIZE)
            self._clear_dead()
            keeper.save(self._memory[:])

    @property
    def key(self) -> bytes:
        """The ticket key."""
        return self._memory[:KEY_SIZE]

    def put(self, login: bytes, process: bytes, called: int) -> bool:
        """Note a login. False: there is no room, or the keeper cannot keep it."""
        with self._alone():
            place = self._place_of(login)
            if place is None:
                self._clear_dead()
                place = self._place_of(_FREE)
            if place is not None and self._write(place, _ROW.pack(login, process, called)):
                return True
        log.warning("one more login could not be noted; it does not come back after a restart")
        return False

    def call(self, login: bytes, called: int) -> None:
        """Note when a login has made its last call, if it is alive: one that has ended meanwhile stays so."""
        with self._alone():
            place = self._place_of(login)
            if place is not None:
                _, process, _ = _ROW.unpack_from(self._memory, place)
                self._write(place, _ROW.pack(login, process, called))

    def last_call(self, login: bytes) -> int | None:
        """Return when a login has made its last call; None: it is not alive."""
        with self._alone():
            place = self._place_of(login)
            return None if place is None else int(_ROW.unpack_from(self._memory, place)[2])

    def end(self, login: bytes) -> None:
        """Forget a login."""
        with self._alone():
            place = self._place_of(login)
            if place is not None:
                self._write(place, _FREE)

    def close(self) -> None:
        """Let go of the memory, where no login is alive."""
        with self._alone():
            self._clear_dead()
            if not any(self._memory[KEY_SIZE:]):
                with contextlib.suppress(OSError):
                    self._keeper.forget()
        self._memory.close()
        os.close(self._keeper.descriptor)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and other workers out. A worker that dies here is not waited for."""
        with self._threads:
            fcntl.lockf(self._keeper.descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._keeper.descriptor, fcntl.LOCK_UN)

    def _place_of(self, start: bytes) -> int | None:
        """Return the first place whose row begins so."""
        return next((place for place in _PLACES if self._memory[place : place + len(start)] == start), None)

    def _clear_dead(self) -> None:
        for place in _PLACES:
            login, process, _ = _ROW.unpack_from(self._memory, place)
            if any(login) and not self._is_running(process):
                self._memory[place : place + _ROW.size] = _FREE

    def _write(self, place: int, row: bytes) -> bool:
        self._memory[place : place + _ROW.size] = row
        try:
            self._keeper.save(self._memory[:])
        except OSError as error:
            log.warning("%s cannot be written: %s", self._keeper.name, error)
            self._memory[place : place + LOGIN_SIZE] = bytes(LOGIN_SIZE)
            return False
        return True


@dataclass(frozen=True)
class OpenTickets:
    """What lets logins come back, the descriptors that it needs, and what is to be said of it."""

    tickets: Tickets = NO_TICKETS
    descriptors: tuple[int, ...] = ()
    keyring: bool = False
    """The kernel's keyring keeps the key."""
    told: str = "logins do not come back after a restart: nothing keeps the ticket key"


@contextlib.contextmanager
def open_tickets(settings: Settings) -> Iterator[OpenTickets]:
    """Yield what lets logins come back after a restart; where nothing outlives this process, they do not."""
    keeper = find_keeper(os.environ, settings.state)
    try:
        table = None if keeper is None else LoginTable(keeper)
    except OSError as error:
        log.warning("the ticket key cannot be kept: %s", error)
        table = None
    if keeper is None or table is None:
        yield OpenTickets()
        return
    tickets = Tickets(table.key, table, _boot_time, settings.pkcs11.ticket_age or None)
    try:
        told = f"logins come back after a restart: {keeper.name} keeps the ticket key"
        yield OpenTickets(tickets, (keeper.descriptor,), isinstance(keeper, Keyring), told)
    finally:
        table.close()


def _boot_time() -> int:
    return int(time.clock_gettime(time.CLOCK_BOOTTIME))
