# SPDX-License-Identifier: Apache-2.0
"""The ticket key and the list of live logins beside it, in whatever memory outlives this process.

That memory is rows of 32 bytes: the key, and then a login in each: its number, the process' mark, the time of its last
call. A row of zeros is free. A login whose process is gone makes room when the list is looked through: at the start,
and with each new login.
"""

import contextlib
import logging
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator

from softee.daemon import peer as kernel
from softee.daemon.settings import Settings
from softee.daemon.ticket_keepers import TicketKeeper, find_keeper
from softee.pkcs11_ta.session.tickets import NO_TICKETS, Tickets
from softee.tee.keys import KEY_SIZE, wipe

log = logging.getLogger(__name__)

_ROW = struct.Struct("<16s12sI")
_FREE = bytes(_ROW.size)


class LoginTable:
    """The list of live logins over a keeper. ``is_running`` tells whether a process' mark is still that of one."""

    def __init__(self, keeper: TicketKeeper, is_running: Callable[[bytes], bool] = kernel.is_running) -> None:
        """Take over what an earlier secure world has left. Raises OSError."""
        self._keeper = keeper
        self._is_running = is_running
        self._lock = threading.Lock()
        content = keeper.read()
        self._rows = [bytes(content[at : at + _ROW.size]) for at in range(KEY_SIZE, keeper.size, _ROW.size)]
        self.key = content[:KEY_SIZE]
        wipe(content)
        if not any(self.key):
            self.key = bytearray(secrets.token_bytes(KEY_SIZE))
            keeper.write(0, bytes(self.key))
        self._places = {row[:16]: place for place, row in enumerate(self._rows) if row != _FREE}
        self._clear_dead()

    def put(self, login: bytes, process: bytes, called: int) -> bool:
        """Note a login. False: there is no room, or the memory cannot be written."""
        with self._lock:
            place = self._places.get(login)
            if place is None:
                self._clear_dead()
                place = next((at for at, row in enumerate(self._rows) if row == _FREE), None)
            if place is None or not self._write(place, _ROW.pack(login, process, called)):
                log.warning("there is no room for one more login that comes back after a restart; this one does not")
                return False
            self._places[login] = place
            return True

    def last_call(self, login: bytes) -> int | None:
        """Return when a login has made its last call; None: it is not alive."""
        with self._lock:
            place = self._places.get(login)
            return None if place is None else int(_ROW.unpack(self._rows[place])[2])

    def end(self, login: bytes) -> None:
        """Forget a login."""
        with self._lock:
            place = self._places.pop(login, None)
            if place is not None:
                self._write(place, _FREE)

    def close(self) -> None:
        """Give the memory back, where no login is alive."""
        with self._lock:
            self._clear_dead()
            if not self._places:
                with contextlib.suppress(OSError):
                    self._keeper.forget()

    def _clear_dead(self) -> None:
        for login, place in list(self._places.items()):
            if not self._is_running(_ROW.unpack(self._rows[place])[1]):
                del self._places[login]
                self._write(place, _FREE)

    def _write(self, place: int, row: bytes) -> bool:
        try:
            self._keeper.write(KEY_SIZE + place * _ROW.size, row)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._keeper.name, error)
            return False
        self._rows[place] = row
        return True


@contextlib.contextmanager
def open_tickets(settings: Settings) -> Iterator[Tickets]:
    """Yield what lets logins come back after a restart; where nothing outlives this process, what does not."""
    table = _table(settings)
    if table is None:
        log.info("logins do not come back after a restart: nothing keeps the ticket key")
        yield NO_TICKETS
        return
    tickets = Tickets(table.key, table, _boot_time, settings.pkcs11.ticket_age or None)
    wipe(table.key)
    try:
        yield tickets
    finally:
        table.close()


def _table(settings: Settings) -> LoginTable | None:
    keeper = find_keeper(os.environ, settings.state)
    if keeper is None:
        return None
    try:
        table = LoginTable(keeper)
    except OSError as error:
        log.warning("%s cannot be used: %s", keeper.name, error)
        return None
    log.info("logins come back after a restart: %s keeps the ticket key", keeper.name)
    return table


def _boot_time() -> int:
    return int(time.clock_gettime(time.CLOCK_BOOTTIME))
