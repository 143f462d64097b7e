# SPDX-License-Identifier: Apache-2.0
"""Two secure worlds behind the real libraries: one lets its changes be seen, so that clients ask less; one does not."""

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator, Sequence
from ctypes import byref, c_ulong, create_string_buffer
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from native.ckteec_suite.support import LIBRARY_VARIABLE, Attribute, Library, Mechanism, State
from softee.daemon.change_page import ChangePage, change_page
from softee.names import CKA, CKM, CKR, CKU, PKCS11_APPLICATION, TeeResult
from softee.pkcs11_ta.application import Pkcs11Application, Pkcs11TaSession, vaults
from softee.pkcs11_ta.handlers import HANDLERS
from softee.pkcs11_ta.token.policy import Policy
from softee.stores.memory import MemoryStore
from softee.stores.shown import ShownStore
from softee.tee.application import ClientIdentity, TaSession
from softee.tee.secure_storage import SecureStorage, head_keys
from softee.wire.values import Params
from support.secure_world import running_server
from support.token_world import CHEAP, NOW, ROOT_KEY, USER_PIN, Caller

ROOM = 4096

Template = Sequence[tuple[CKA, bytes | bool | int]]
Said = tuple[object, ...]
"""What a call has given: the return value, and whatever came in the application's buffers."""


class CountingApplication(Pkcs11Application):
    """The application, which notes the commands that reach it."""

    asked: list[str]

    def open_session(self, client: ClientIdentity, params: Params) -> TaSession:  # type: ignore[override]
        return _Counting(super().open_session(client, params), self.asked)


class _Counting:
    def __init__(self, session: Pkcs11TaSession, asked: list[str]) -> None:
        self._session, self._asked = session, asked
        self.is_quick, self.wait, self.close = session.is_quick, session.wait, session.close

    def invoke(self, command: int, params: Params) -> TeeResult:
        self._asked.append(HANDLERS[command].command.name)
        return self._session.invoke(command, params)


def _copies() -> Iterator[Library]:
    """Yield copies of the library, each of which is a client of its own."""
    build = Path(os.environ[LIBRARY_VARIABLE]) / "native"
    ctypes.CDLL(str(build / "teec" / "libteec.so.2"))
    for number in count():
        copy = build / f"libckteec-copy-{os.getpid()}-{number}.so"
        shutil.copy(build / "ckteec" / "libckteec.so.0", copy)
        library = Library(copy, ctypes.CDLL(str(copy)), State())
        copy.unlink()
        yield library


_libraries: list[Library] = []
_more = _copies()


def library(number: int) -> Library:
    """Return one of the copies; they stay loaded."""
    while len(_libraries) <= number:
        _libraries.append(next(_more))
    return _libraries[number]


def rows(template: Template) -> tuple[object, list[object]]:
    """Return a template as C has it, and what it points to."""
    kept: list[object] = []
    made = (Attribute * max(1, len(template)))()
    for row, (kind, value) in zip(made, template, strict=False):
        travelling = bytes([value]) if isinstance(value, bool) else value
        memory = create_string_buffer(travelling if isinstance(travelling, bytes) else travelling.to_bytes(8, "little"))
        kept.append(memory)
        row.type, row.value, row.length = kind, ctypes.addressof(memory), len(memory) - 1
    return made, kept


def mechanism_of(kind: CKM, parameter: bytes) -> tuple[object, object]:
    """Return a mechanism as C has it, and what it points to."""
    memory = create_string_buffer(parameter)
    place = ctypes.addressof(memory) if parameter else None
    return byref(Mechanism(kind, place, len(parameter))), memory


@dataclass
class Client:
    """A process, as the secure world sees it: a copy of the library that is initialized."""

    library: Library
    sessions: list[int] = field(default_factory=list)

    def call(self, function: str, *arguments: object) -> int:
        return self.library.call(function, *arguments)

    def open(self) -> int:
        handle = c_ulong()
        assert self.call("C_OpenSession", 0, 6, None, None, byref(handle)) == CKR.OK
        return handle.value

    def login(self, session: int, user: CKU = CKU.USER) -> int:
        return self.call("C_Login", session, user, USER_PIN, len(USER_PIN))

    def init(self, function: str, session: int, kind: CKM, parameter: bytes, *key: int) -> Said:
        mechanism, _kept = mechanism_of(kind, parameter)
        return (self.call(f"{function}Init", session, mechanism, *key),)

    def give(self, function: str, session: int, data: bytes | None, room: int | None) -> Said:
        """Call a function that gives bytes; ``data`` None: it takes none; ``room`` None: a NULL buffer."""
        buffer, size = create_string_buffer(ROOM), c_ulong(room or 0)
        taken = () if data is None else (data, len(data))
        rv = self.call(function, session, *taken, None if room is None else buffer, byref(size))
        return rv, size.value, buffer.raw[: size.value] if rv == CKR.OK and room is not None else b""

    def take(self, function: str, session: int, *data: bytes) -> Said:
        """Call a function that only takes bytes."""
        return (self.call(function, session, *(each for one in data for each in (one, len(one)))),)

    def create(self, session: int, template: Template) -> Said:
        made, _kept = rows(template)
        handle = c_ulong()
        rv = self.call("C_CreateObject", session, made, len(template), byref(handle))
        return rv, handle.value

    def change(self, session: int, key: int, template: Template) -> Said:
        made, _kept = rows(template)
        return (self.call("C_SetAttributeValue", session, key, made, len(template)),)

    def read(self, session: int, key: int, *types: int, room: int | None = None) -> tuple[int, list[tuple[int, bytes]]]:
        """Ask for attributes, each with as much room; None: NULL buffers, which ask for the sizes."""
        made = (Attribute * max(1, len(types)))()
        buffers = [create_string_buffer(room or 1) for _ in types]
        for row, kind, buffer in zip(made, types, buffers, strict=False):
            row.type = kind
            row.value, row.length = (None, 0) if room is None else (ctypes.addressof(buffer), room)
        rv = self.call("C_GetAttributeValue", session, key, made, len(types))
        return rv, [(row.length, buffer.raw) for row, buffer in zip(made, buffers, strict=False)]

    def find(self, session: int, template: Template, *rooms: int) -> Said:
        """Search, with a C_FindObjects for each of the rooms."""
        said = self.find_init(session, template)
        for room in rooms:
            said += self.find_next(session, room)
        return (*said, self.call("C_FindObjectsFinal", session))

    def find_init(self, session: int, template: Template) -> Said:
        made, _kept = rows(template)
        return (self.call("C_FindObjectsInit", session, made, len(template)),)

    def find_next(self, session: int, room: int) -> Said:
        found, number = (c_ulong * max(1, room))(), c_ulong()
        rv = self.call("C_FindObjects", session, found, room, byref(number))
        return rv, *found[: number.value]


@dataclass
class World:
    """A secure world and the clients that it has; ``asked`` are the commands that reached it."""

    path: Path
    asked: list[str]
    clients: list[Client]


@contextlib.contextmanager
def world(policy: Policy, copies: Sequence[int], *, shown: bool) -> Iterator[World]:
    """Run a secure world whose token is initialized, with a client for each of the library's ``copies``."""
    with change_page() as page, contextlib.ExitStack() as stack:
        assert page is not None
        application = _application(policy, page)
        Caller(application).set_up()
        application.asked.clear()
        path = stack.enter_context(running_server([application], page=page if shown else None))
        os.environ["SOFTEE_SOCKET"] = str(path)
        clients = [Client(library(number)) for number in copies]
        for client in clients:
            assert client.call("C_Initialize", None) == CKR.OK
            stack.callback(client.call, "C_Finalize", None)  # twice does no harm
        yield World(path, application.asked, clients)


def _application(policy: Policy, page: ChangePage) -> CountingApplication:
    store = ShownStore(MemoryStore(), head_keys(PKCS11_APPLICATION, vaults(1)), page.revisions)
    storage = SecureStorage(store, ROOT_KEY, PKCS11_APPLICATION, vaults(1), page.revisions)
    made = CountingApplication(storage, clock=lambda: NOW, policies=[policy], pin_cost=CHEAP)
    made.asked = []
    return made
