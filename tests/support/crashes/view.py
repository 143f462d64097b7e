# SPDX-License-Identifier: Apache-2.0
"""All that a token's state says of it, from the files that a daemon has left behind."""

import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from softee.daemon.store import DATABASE
from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.token.state import Credential, PinCredential
from softee.pkcs11_ta.token.tries import EVERYBODY, Row
from softee.stores.sqlite import SqliteStore
from support.object_calls import get, search
from support.token_world import Caller, make_application, template

PINS = (b"123456", b"654321")
"""Those that the user has, in turns."""

Thing = tuple[int, bytes, bytes]
"""An object: its class, its label, and of a data object its value."""


@dataclass(frozen=True)
class View:
    """A token's state."""

    label: bytes = b"*" * 32
    so: Row | None = None
    """What stands against the SO's PIN; None: there is none."""
    user: Row | None = None
    pin: bytes | None = None
    """The user's PIN."""
    things: frozenset[Thing] = frozenset()


def look(state: Path) -> View:
    """Open a copy of a state, and look at everything. Raises what a damaged one raises."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "state"
        shutil.copytree(state, copy)
        with closing(SqliteStore(copy / DATABASE)) as store:
            application = make_application(store, slots=1)
            token = application.slots.token(0).state
            pin, things = _open(Caller(application)) if token.user else (None, frozenset())
            return View(token.label, _row(token.so), _row(token.user), pin, things)


def _row(credential: Credential | None) -> Row | None:
    if credential is None:
        return None
    assert isinstance(credential, PinCredential)
    return dict(credential.tries.rows).get(EVERYBODY, Row())


def _open(caller: Caller) -> tuple[bytes, frozenset[Thing]]:
    """Log in, and return the PIN that it took and all objects."""
    session = caller.open()
    pin = next(pin for pin in PINS if caller.login(session, pin=pin) is CKR.OK)
    return pin, frozenset(_thing(caller, session, handle) for handle in search(caller, session, template()))


def _thing(caller: Caller, session: int, handle: int) -> Thing:
    kind, label = get(caller, session, handle, CKA.CLASS), get(caller, session, handle, CKA.LABEL)
    assert isinstance(kind, bytes)
    assert isinstance(label, bytes)
    number = int.from_bytes(kind, "little")
    value = get(caller, session, handle, CKA.VALUE) if number == CKO.DATA else b""
    assert isinstance(value, bytes)
    return number, label, value
