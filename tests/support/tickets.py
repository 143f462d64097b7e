# SPDX-License-Identifier: Apache-2.0
"""Secure worlds that come back, in this process: what outlives them is a memory file of the test's."""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from softee.daemon.ticket_keepers import new_memory_file
from softee.daemon.tickets import LoginTable
from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.restored import NOBODY, SavedLogin, SavedSession
from softee.pkcs11_ta.session.tickets import Tickets
from softee.stores.base import Store
from softee.stores.memory import MemoryStore
from softee.tee.application import ClientIdentity
from support.commands import c
from support.token_world import Answer, Caller, make_application, public_client

PROCESS = bytes(range(1, 13))
FIRST_OBJECT = 0x80000000


class MemoryKeeper:
    """A keeper whose memory file the test holds."""

    name = "the test"

    def __init__(self) -> None:
        self.descriptor = new_memory_file()
        self.saved: list[bytes] = []
        self.forgotten = False
        self.fails = False

    def save(self, content: bytes) -> None:
        if self.fails:
            raise OSError("no more room")
        self.saved.append(content)

    def forget(self) -> None:
        self.forgotten = True

    def again(self) -> "MemoryKeeper":
        """Return the keeper of the next secure world."""
        later = MemoryKeeper()
        os.pwrite(later.descriptor, self.saved[-1], 0)
        return later


@dataclass
class Time:
    """What the tickets take for the time."""

    now: int = 1000

    def __call__(self) -> int:
        return self.now


@dataclass
class Comeback:
    """A secure world, and the next ones over the same store. ``dead`` are the marks of processes that have died."""

    store: Store = field(default_factory=MemoryStore)
    keeper: MemoryKeeper = field(default_factory=MemoryKeeper)
    max_age: int | None = None
    time: Time = field(default_factory=Time)
    dead: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.table = LoginTable(self.keeper, lambda process: process not in self.dead)
        tickets = Tickets(self.table.key, self.table, self.time, self.max_age)
        self.application = make_application(self.store, tickets=tickets)

    def restart(self) -> None:
        """Let the next secure world take over what is in the store and what was kept."""
        self.keeper = self.keeper.again()
        self._start()

    def caller(self, identity: ClientIdentity | None = None) -> Caller:
        """Return a new client, of the same process if not told otherwise."""
        return Caller(self.application, identity or replace(public_client(), process=PROCESS))


@contextmanager
def comeback(max_age: int | None = None) -> Iterator[Comeback]:
    """Yield a secure world that may come back; its memory files are closed at the end."""
    made = Comeback(max_age=max_age)
    yield made
    made.table.close()


def keep_login(caller: Caller, session: int, user: CKU = CKU.USER, slot: int = 0) -> SavedLogin:
    """Return what a client keeps of its login."""
    told = caller.ok(c.KEEP_LOGIN, session).output
    (base,) = struct.unpack_from("<I", told)
    return SavedLogin(slot, base, user, told[4:])


def logged_out(login: SavedLogin) -> SavedLogin:
    """Return what is left of it where the client has logged out by itself."""
    return login._replace(user=NOBODY)


def restore(
    caller: Caller,
    sessions: Sequence[SavedSession] = (),
    logins: Sequence[SavedLogin] = (),
    first: tuple[int, int] | None = None,
) -> Answer:
    """Have a client's sessions restored; new handles begin above those, if not told otherwise."""
    next_session = 1 + max((session.handle for session in sessions), default=0)
    request = (*(first or (next_session, FIRST_OBJECT)), tuple(sessions), tuple(logins))
    control = c.RESTORE_SESSIONS.encode(c.RESTORE_SESSIONS.request(*request))
    return caller.send(c.RESTORE_SESSIONS, control)


def restored(answer: Answer) -> list[int]:
    """Return the handles of the sessions that were restored."""
    assert answer.rv is CKR.OK, answer
    return [handle for (handle,) in struct.iter_unpack("<I", answer.output)]
