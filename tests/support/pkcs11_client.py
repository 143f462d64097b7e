# SPDX-License-Identifier: Apache-2.0
"""A client of a secure world that runs as a process, without a shared object."""

from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from softee.client import TeeClient
from softee.names import CKR, CKU, PKCS11_APPLICATION, ParamType, TeeResult
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import objects, sessions, slots
from softee.wire.values import Memref
from support.token_world import SO_PIN, template

R = TypeVar("R")

DATA = template((0, 0), (1, True), (2, False))
"""A public data object on the token."""


class Client:
    """One client with a TEE session of the PKCS#11 application."""

    def __init__(self, socket: Path, stack: ExitStack) -> None:
        self.tee = stack.enter_context(TeeClient(socket))
        self.session = self.tee.open_session(PKCS11_APPLICATION)
        self.worker = self.tee.secret[0]

    def ask(self, command: Command[R], request: R, capacity: int = 0) -> tuple[CKR, bytes]:
        control = command.encode(request)
        zero = Memref(ParamType.MEMREF_INOUT, bytearray(control), len(control))
        output = Memref(ParamType.MEMREF_OUTPUT, capacity=capacity) if capacity else None
        result = self.session.invoke(command.number, (zero, None, output, None))
        assert result == TeeResult.SUCCESS
        return CKR(int.from_bytes(zero.out, "little")), bytes(output.out) if output else b""

    def open(self) -> int:
        rv, handle = self.ask(sessions.OPEN_SESSION, m.OpenPkcs11Session(0, 6), 4)
        assert rv is CKR.OK
        return int.from_bytes(handle, "little")

    def init_token(self) -> CKR:
        return self.ask(slots.INIT_TOKEN, m.InitToken(0, len(SO_PIN), b"test".ljust(32), bytearray(SO_PIN)))[0]

    def login(self, session: int, user: CKU, pin: bytes) -> CKR:
        return self.ask(sessions.LOGIN, m.Login(session, user, len(pin), bytearray(pin)))[0]

    def make(self, session: int) -> tuple[CKR, bytes]:
        return self.ask(objects.CREATE_OBJECT, m.WithTemplate(session, DATA), 4)

    def count(self, session: int) -> int:
        """Return how many objects a search finds."""
        assert self.ask(objects.FIND_OBJECTS_INIT, m.WithTemplate(session, ()))[0] is CKR.OK
        rv, found = self.ask(objects.FIND_OBJECTS, m.InSession(session), 4096)
        assert rv is CKR.OK
        assert self.ask(objects.FIND_OBJECTS_FINAL, m.InSession(session))[0] is CKR.OK
        return len(found) // 4
