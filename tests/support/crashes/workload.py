# SPDX-License-Identifier: Apache-2.0
"""Random work of two clients on a daemon's token, which says before each call what the token may become by it.

A call that is answered has made the last of these; one that is not may have made any, and nothing else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from softee.client import ClientError, TeeClient
from softee.client.tee_client import TeeSession
from softee.names import CKA, CKM, CKO, CKR, CKU, PKCS11_APPLICATION
from softee.pkcs11_ta.token.tries import MAX_TRIES, Row
from softee.tee.application import ClientIdentity
from softee.wire.values import Params
from support.commands import c
from support.crashes.view import PINS, Thing, View
from support.object_calls import create, search
from support.token_world import P256, SO_PIN, Answer, Caller, template

MOST_THINGS = 12
SIZES = (1, 100, 1000, 6000)
"""Of values; the last takes several pages of the database."""


class StoreGoneError(ClientError):
    """The supervisor has died, and a worker that outlives it by a moment says so. Nobody knows what was done."""


class _Client(Caller):
    def call(self, *what: Any, **rest: Any) -> Answer:  # noqa: ANN401 - passed on
        answer = super().call(*what, **rest)
        if answer.rv is CKR.DEVICE_ERROR:
            raise StoreGoneError
        return answer


class _Served:
    """The application in a daemon, with a connection of its own."""

    def __init__(self, socket: Path) -> None:
        self.client = TeeClient(socket)

    def open_session(self, _: ClientIdentity, params: Params) -> TeeSession:
        return self.client.open_session(PKCS11_APPLICATION, params=params)


@contextmanager
def connected(socket: Path) -> Iterator[Caller]:
    """Yield a client of a daemon. Raises ClientError."""
    served: Any = _Served(socket)
    with served.client:
        yield _Client(served)


class Workload:
    """What is done, and what became of the token.

    ``note`` is called whenever ``possible`` has changed: the states that the token may be in.
    """

    def __init__(self, random: Random, now: View, note: Callable[[list[View]], None] = lambda _: None) -> None:
        self.now = now
        self.possible = [now]
        self._random = random
        self._note = note

    def work(self, socket: Path, steps: int) -> None:
        """Do so many things with new connections. Raises ClientError where the daemon goes away meanwhile."""
        with connected(socket) as self._owner, connected(socket) as self._guest:
            self._session = 0
            for _ in range(steps):
                self._choose()()

    def resume(self, seen: View) -> None:
        """Go on from a state that was looked at."""
        assert seen in self.possible, (seen, self.possible)
        self.now, self.possible = seen, [seen]

    @contextmanager
    def _becoming(self, *steps: View) -> Iterator[None]:
        """Say what comes of a call: the states that it makes one after the other."""
        self.possible = [self.now, *steps]
        self._note(self.possible)
        yield
        self.now = steps[-1]
        self.possible = [self.now]
        self._note(self.possible)

    def _choose(self) -> Callable[[], None]:
        if self.now.user is None:
            return self._initialize
        tempted = [user for user in (CKU.USER, CKU.SO) if _sum(self._row(user)) < MAX_TRIES // 2]
        if tempted and self._random.random() < 0.2:
            return lambda: self._guess(self._random.choice(tempted))
        if not self._session:
            return self._enter
        others = [self._change_pin, self._change_pin, self._visit, self._initialize]
        if self._random.random() < 0.2:
            return self._random.choice(others)
        making = [self._create, self._create, self._generate]
        changing = [self._change, self._destroy] if self.now.things else []
        return self._random.choice(changing if len(self.now.things) >= MOST_THINGS else making + changing)

    def _row(self, user: CKU) -> Row:
        row = self.now.so if user is CKU.SO else self.now.user
        assert row is not None
        return row

    def _with(self, user: CKU, row: Row) -> View:
        return replace(self.now, so=row) if user is CKU.SO else replace(self.now, user=row)

    def _checked(self, user: CKU) -> list[View]:
        """Return what a right PIN makes: a try that is pending, and then nothing that stands against it."""
        row = self._row(user)
        return [self._with(user, Row(row.failures, row.pending + 1)), self._with(user, Row())]

    def _guess(self, user: CKU) -> None:
        row, session = self._row(user), self._guest.open()
        pending = Row(row.failures, row.pending + 1)
        with self._becoming(self._with(user, pending), self._with(user, Row(_sum(pending)))):
            assert self._guest.login(session, user, b"a guess") is CKR.PIN_INCORRECT
        self._guest.ok(c.CLOSE_SESSION, session)

    def _login(self, caller: Caller, user: CKU) -> int:
        session = caller.open()
        pin = SO_PIN if user is CKU.SO else self.now.pin or b""
        with self._becoming(*self._checked(user)):
            assert caller.login(session, user, pin) is CKR.OK
        return session

    def _enter(self) -> None:
        self._session = self._login(self._owner, CKU.USER)

    def _visit(self) -> None:
        """Another client, of another worker where there is one, sees what this one has made."""
        session = self._login(self._guest, CKU.USER)
        assert len(search(self._guest, session, template())) == len(self.now.things)
        self._guest.ok(c.CLOSE_SESSION, session)

    def _initialize(self) -> None:
        if self._session:
            self._owner.ok(c.CLOSE_SESSION, self._session)
            self._session = 0
        label = self._label().ljust(32)
        before = self._checked(CKU.SO) if self.now.so is not None else []
        with self._becoming(*before, View(label, Row())):
            assert self._owner.init_token(0, SO_PIN, label) is CKR.OK
        session = self._login(self._guest, CKU.SO)
        pin = self._random.choice(PINS)
        with self._becoming(replace(self.now, user=Row(), pin=pin)):
            assert self._guest.init_pin(session, pin) is CKR.OK
        self._guest.ok(c.CLOSE_SESSION, session)

    def _change_pin(self) -> None:
        old = self.now.pin or b""
        new = PINS[1 - PINS.index(old)]
        checked = self._checked(CKU.USER)
        with self._becoming(*checked, replace(checked[-1], pin=new)):
            assert self._owner.set_pin(self._session, old, new) is CKR.OK

    def _label(self) -> bytes:
        return b"%08x" % self._random.getrandbits(32)

    def _with_things(self, *, add: tuple[Thing, ...] = (), less: tuple[Thing, ...] = ()) -> View:
        return replace(self.now, things=self.now.things.difference(less).union(add))

    def _create(self) -> None:
        thing = (int(CKO.DATA), self._label(), self._random.randbytes(self._random.choice(SIZES)))
        with self._becoming(self._with_things(add=(thing,))):
            private = self._random.random() < 0.5
            create(self._owner, self._session, TOKEN=True, PRIVATE=private, LABEL=thing[1], VALUE=thing[2])

    def _generate(self) -> None:
        """Make a key pair, which is two objects or none."""
        label = self._label()
        common = (CKA.TOKEN, True), (CKA.LABEL, label)
        public, private = template((CKA.EC_PARAMS, P256), *common), template((CKA.PRIVATE, True), *common)
        pair = (int(CKO.PUBLIC_KEY), label, b""), (int(CKO.PRIVATE_KEY), label, b"")
        with self._becoming(self._with_things(add=pair)):
            self._owner.ok(c.GENERATE_KEY_PAIR, self._session, CKM.EC_KEY_PAIR_GEN, b"", public, private)

    def _any(self) -> tuple[Thing, int]:
        """Return any object and its handle."""
        thing = self._random.choice(sorted(self.now.things))
        found = search(self._owner, self._session, template((CKA.CLASS, thing[0]), (CKA.LABEL, thing[1])))
        assert len(found) == 1
        return thing, found[0]

    def _change(self) -> None:
        thing, handle = self._any()
        label = self._label()
        with self._becoming(self._with_things(less=(thing,), add=((thing[0], label, thing[2]),))):
            self._owner.ok(c.SET_ATTRIBUTE_VALUE, self._session, handle, template((CKA.LABEL, label)))

    def _destroy(self) -> None:
        thing, handle = self._any()
        with self._becoming(self._with_things(less=(thing,))):
            self._owner.ok(c.DESTROY_OBJECT, self._session, handle)


def _sum(row: Row) -> int:
    return row.failures + row.pending
