# SPDX-License-Identifier: Apache-2.0
"""A session with a token: the few functions that the commands need."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from softee.cli.cryptoki.module import Module, Token
from softee.cli.cryptoki.refusals import RefusedError
from softee.cli.cryptoki.structures import (
    ULONG,
    UNAVAILABLE,
    Attribute,
    Mechanism,
    Template,
    pin_of,
    template_of,
)
from softee.names import CKA, CKM, CKR, CKU, SessionFlag

_FOUND_AT_ONCE = 256
_PARTLY_SHOWN = frozenset({CKR.ATTRIBUTE_SENSITIVE, CKR.ATTRIBUTE_TYPE_INVALID})
"""Some attributes are not shown, and the others are there."""


class Session:
    """A session. Its methods are named after what they call, and raise RefusedError where the token refuses."""

    def __init__(self, module: Module, token: Token, *, write: bool) -> None:
        """Open it."""
        self.module = module
        self.token = token
        self._handle = ULONG()
        flags = SessionFlag.SERIAL_SESSION | (SessionFlag.RW_SESSION if write else SessionFlag(0))
        module.call("C_OpenSession", ULONG(token.slot), ULONG(flags), None, None, ctypes.byref(self._handle))

    def close(self) -> None:
        """Close it. Where that is refused there is nothing left to do about it."""
        with suppress(RefusedError):
            self._call("C_CloseSession")

    def login(self, user: CKU, pin: bytearray | None) -> None:
        """Log in; without a PIN the token asks for what it needs itself."""
        with pin_of(pin) as given:
            self._call("C_Login", ULONG(user), *given)

    def init_pin(self, pin: bytearray) -> None:
        """Set the user's PIN, as the SO."""
        with pin_of(pin) as given:
            self._call("C_InitPIN", *given)

    def set_pin(self, old: bytearray, new: bytearray) -> None:
        """Change the PIN of who is logged in, or of the user."""
        with pin_of(old) as first, pin_of(new) as second:
            self._call("C_SetPIN", *first, *second)

    def find(self, template: Template) -> list[int]:
        """Return the handles of the objects that match, as far as the session sees them."""
        with template_of(template) as given:
            self._call("C_FindObjectsInit", *given)
        try:
            return [handle for part in iter(self._find_some, []) for handle in part]
        finally:
            self._call("C_FindObjectsFinal")

    def _find_some(self) -> list[int]:
        handles, count = (ULONG * _FOUND_AT_ONCE)(), ULONG()
        self._call("C_FindObjects", handles, ULONG(_FOUND_AT_ONCE), ctypes.byref(count))
        return list(handles[: count.value])

    def attributes(self, handle: int, wanted: Sequence[CKA]) -> dict[CKA, bytes]:
        """Return those of an object's attributes that it has and shows."""
        rows = (Attribute * len(wanted))(*(Attribute(one, None, 0) for one in wanted))
        self._get(handle, rows)
        shown = [row for row in rows if row.length != UNAVAILABLE]
        buffers = [ctypes.create_string_buffer(row.length + 1) for row in shown]
        for row, buffer in zip(shown, buffers, strict=True):
            row.value = ctypes.addressof(buffer)
        again = (Attribute * len(shown))(*shown)
        self._get(handle, again)
        found = zip(again, buffers, strict=True)
        return {CKA(row.type): buffer.raw[: row.length] for row, buffer in found if row.length != UNAVAILABLE}

    def _get(self, handle: int, rows: ctypes.Array[Attribute]) -> None:
        try:
            self._call("C_GetAttributeValue", ULONG(handle), rows, ULONG(len(rows)))
        except RefusedError as error:
            if error.rv not in _PARTLY_SHOWN:
                raise

    def create(self, template: Template) -> int:
        """Make an object of its parts, and return its handle."""
        with template_of(template) as given:
            return self._made("C_CreateObject", *given)

    def destroy(self, handle: int) -> None:
        """Destroy an object."""
        self._call("C_DestroyObject", ULONG(handle))

    def generate(self, mechanism: CKM, template: Template) -> int:
        """Make a secret key, and return its handle."""
        with template_of(template) as given:
            return self._made("C_GenerateKey", ctypes.byref(Mechanism(mechanism)), *given)

    def generate_pair(self, mechanism: CKM, public: Template, private: Template) -> tuple[int, int]:
        """Make a key pair, and return the handles of the public and of the private key."""
        of_public = ULONG()
        with template_of(public) as first, template_of(private) as second:
            by = ctypes.byref(Mechanism(mechanism))
            of_private = self._made("C_GenerateKeyPair", by, *first, *second, ctypes.byref(of_public))
        return of_public.value, of_private

    def wrap(self, mechanism: CKM, by: int, key: int) -> bytes:
        """Return a key, wrapped by another one."""
        return self._bytes("C_WrapKey", ctypes.byref(Mechanism(mechanism)), ULONG(by), ULONG(key))

    def unwrap(self, mechanism: CKM, by: int, wrapped: bytes, template: Template) -> int:
        """Make a key of a wrapped one, and return its handle."""
        with template_of(template) as given:
            arguments = ctypes.byref(Mechanism(mechanism)), ULONG(by), wrapped, ULONG(len(wrapped))
            return self._made("C_UnwrapKey", *arguments, *given)

    def sign(self, mechanism: CKM, key: int, data: bytes) -> bytes:
        """Return a signature."""
        self._call("C_SignInit", ctypes.byref(Mechanism(mechanism)), ULONG(key))
        return self._bytes("C_Sign", data, ULONG(len(data)))

    def _call(self, function: str, *arguments: object) -> None:
        self.module.call(function, self._handle, *arguments)

    def _made(self, function: str, *arguments: object) -> int:
        handle = ULONG()
        self._call(function, *arguments, ctypes.byref(handle))
        return handle.value

    def _bytes(self, function: str, *arguments: object) -> bytes:
        """Return what a function writes that tells its length first."""
        length = ULONG()
        self._call(function, *arguments, None, ctypes.byref(length))
        room = ctypes.create_string_buffer(length.value)
        self._call(function, *arguments, room, ctypes.byref(length))
        return room.raw[: length.value]


@contextmanager
def opened(module: Module, token: Token, *, write: bool = False) -> Iterator[Session]:
    """Open a session with a token, and close it afterwards."""
    session = Session(module, token, write=write)
    try:
        yield session
    finally:
        session.close()
