# SPDX-License-Identifier: Apache-2.0
"""A PKCS#11 module through ctypes, with structures laid out by the standard's facts (tools/pkcs11-32.json).

A wrapper library would know some mechanisms and not others; here every parameter of the standard can be passed.
"""

import ctypes
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from softee.names import CKA, CKM, CKR, CKU

FACTS: Final = Path(__file__).parents[2] / "tools" / "pkcs11-32.json"
ROOM: Final = 1 << 17
"""Bytes that an answer may have here."""

_ULONG = ctypes.c_ulong
_SERIAL, _READ_WRITE = 4, 2

Value = bytes | int | bool
Template = Mapping[CKA, Value]


class CryptokiError(Exception):
    """A function has returned something else than CKR_OK."""

    def __init__(self, function: str, rv: int) -> None:
        self.rv = rv
        name = CKR(rv).name if rv in set(CKR) else f"{rv:#x}"
        super().__init__(f"{function}: CKR_{name}")


@cache
def facts() -> dict[str, Any]:
    """Return the standard's facts."""
    read: dict[str, Any] = json.loads(FACTS.read_text())
    return read


class Structure:
    """A structure of the standard's. Members that are not named are zeros.

    ``RandomInfo.pClientRandom`` is a member of one that is a member itself.
    """

    def __init__(self, name: str, **members: "Content") -> None:
        """Fill ``name``: numbers and arrays stand in it, what a pointer leads to is kept beside it."""
        layout = facts()["structs"][name]
        self.memory = ctypes.create_string_buffer(layout["size_lp64"])
        self._fields = dict(_fields(layout))
        self._kept: list[object] = []
        self._targets: dict[str, Structure | ctypes.Array[ctypes.c_char]] = {}
        for member, value in members.items():
            field = self._fields[member]
            pointer = field["type"].endswith(("*", "_PTR"))
            written = self._pointer(member, value) if pointer else _inline(value, field["size_lp64"])
            ctypes.memmove(ctypes.addressof(self.memory) + field["offset_lp64"], written, len(written))

    def _pointer(self, member: str, value: "Content") -> bytes:
        if value is None:
            return bytes(8)
        if isinstance(value, tuple):
            self._kept += value
            value = b"".join(one.memory.raw for one in value)
        if isinstance(value, Structure):
            self._targets[member] = value
            return ctypes.addressof(value.memory).to_bytes(8, "little")
        assert isinstance(value, bytes)
        target = self._targets[member] = ctypes.create_string_buffer(value, max(1, len(value)))
        return ctypes.addressof(target).to_bytes(8, "little")

    def number(self, member: str) -> int:
        """Return what stands in a member now."""
        field = self._fields[member]
        start = field["offset_lp64"]
        return int.from_bytes(self.memory.raw[start : start + field["size_lp64"]], "little")

    def pointed(self, member: str) -> bytes:
        """Return the bytes that a member points to now, or those of the structure; none where it points nowhere."""
        target = self._targets.get(member)
        if target is None:
            return b""
        return target.memory.raw if isinstance(target, Structure) else target.raw

    def structure(self, member: str) -> "Structure":
        """Return the structure that a member points to."""
        target = self._targets[member]
        assert isinstance(target, Structure)
        return target


def _fields(layout: Mapping[str, Any], prefix: str = "", start: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    for field in layout["fields"]:
        placed = {**field, "offset_lp64": start + field["offset_lp64"]}
        yield prefix + field["name"], placed
        inner = facts()["structs"].get(field["type"])
        if inner is not None:
            yield from _fields(inner, f"{prefix}{field['name']}.", placed["offset_lp64"])


Content = bytes | int | Structure | tuple[Structure, ...] | None
"""What a member is made of: several structures make an array."""


def _inline(value: Content, size: int) -> bytes:
    assert not isinstance(value, tuple)
    if isinstance(value, Structure):
        return value.memory.raw
    if isinstance(value, bytes):
        return value.ljust(size, b"\0")
    return int(value or 0).to_bytes(size, "little")


class AttributeRow(ctypes.Structure):
    """A CK_ATTRIBUTE."""

    _fields_ = (("type", _ULONG), ("value", ctypes.c_void_p), ("size", _ULONG))


class _Mechanism(ctypes.Structure):
    _fields_ = (("type", _ULONG), ("parameter", ctypes.c_void_p), ("size", _ULONG))


class Mechanism:
    """A CK_MECHANISM with its parameter: none, bytes, or a structure."""

    def __init__(self, mechanism: CKM, parameter: bytes | Structure | None = None) -> None:
        self.parameter = parameter
        memory: ctypes.Array[ctypes.c_char] | None = None
        if isinstance(parameter, Structure):
            memory = parameter.memory
        elif parameter is not None:
            memory = ctypes.create_string_buffer(parameter, max(1, len(parameter)))
        self._memory = memory
        size = len(parameter) if isinstance(parameter, bytes) else len(memory) if memory else 0
        self.value = _Mechanism(mechanism, ctypes.addressof(memory) if memory else None, size)


class _Template:
    """A template as C wants it."""

    def __init__(self, attributes: Template) -> None:
        self._kept = [ctypes.create_string_buffer(_encoded(value)) for value in attributes.values()]
        rows = [
            AttributeRow(attribute, ctypes.addressof(memory), len(memory) - 1)
            for attribute, memory in zip(attributes, self._kept, strict=True)
        ]
        self.rows = (AttributeRow * len(rows))(*rows)
        self.count = _ULONG(len(rows))


def _encoded(value: Value) -> bytes:
    if isinstance(value, bool):
        return bytes([value])
    return value if isinstance(value, bytes) else value.to_bytes(8, "little")


class Module:
    """A module that is loaded and, if not told otherwise, initialized.

    With a ``version`` all of its functions are those of that version's list.
    """

    def __init__(self, path: Path, version: tuple[int, int] | None = None, *, initialized: bool = True) -> None:
        self._functions = ctypes.CDLL(str(path))
        self._version = None if version is None else bytes(version)
        if initialized:
            self.call("C_Initialize", None)

    def call(self, function: str, *arguments: object) -> None:
        """Call a function, exported or from the list of all. Raises CryptokiError."""
        rv = self.function(function)(*arguments)
        if rv != CKR.OK:
            raise CryptokiError(function, rv)

    def function(self, name: str) -> Callable[..., int]:
        """Return a function, which returns a CK_RV."""
        exported = getattr(self._functions, name, None) if self._version is None else None
        return exported or self._listed(name)

    def _listed(self, function: str) -> Callable[..., int]:
        interface = ctypes.POINTER(ctypes.c_void_p)()
        rv = self._functions.C_GetInterface(None, self._version, ctypes.byref(interface), _ULONG(0))
        if rv != CKR.OK:
            raise CryptokiError("C_GetInterface", rv)
        addresses = ctypes.cast(interface[1] or 0, ctypes.POINTER(ctypes.c_void_p))
        at = [one["name"] for one in facts()["functions"]].index(function)
        listed: Callable[..., int] = ctypes.CFUNCTYPE(_ULONG)(addresses[1 + at] or 0)
        return listed

    def close(self) -> None:
        """Call C_Finalize."""
        self.call("C_Finalize", None)

    def mechanisms(self, slot: int) -> list[int]:
        """Return what C_GetMechanismList says."""
        list_of, count = (_ULONG * 512)(), _ULONG(512)
        self.call("C_GetMechanismList", _ULONG(slot), list_of, ctypes.byref(count))
        return list(list_of[: count.value])

    def open(self, slot: int) -> "Session":
        """Return a new read-write session."""
        handle = _ULONG()
        self.call("C_OpenSession", _ULONG(slot), _ULONG(_SERIAL | _READ_WRITE), None, None, ctypes.byref(handle))
        return Session(self, handle)

    def login(self, slot: int, pin: str) -> "Session":
        """Return a read-write session of the logged-in user."""
        session = self.open(slot)
        session.call("C_Login", _ULONG(CKU.USER), pin.encode(), _ULONG(len(pin)))
        return session


class Session:
    """A session. Methods are named after the functions that they call, and act in one part."""

    def __init__(self, module: Module, handle: ctypes.c_ulong) -> None:
        self._module = module
        self._handle = handle
        self._room = ctypes.create_string_buffer(ROOM)

    @property
    def handle(self) -> int:
        """Its handle."""
        return self._handle.value

    def _key(self, function: str, *arguments: object) -> int:
        made = _ULONG()
        self._module.call(function, self._handle, *arguments, ctypes.byref(made))
        return made.value

    def create(self, attributes: Template) -> int:
        """Make an object and return its handle."""
        template = _Template(attributes)
        return self._key("C_CreateObject", template.rows, template.count)

    def destroy(self, handle: int) -> None:
        """Destroy an object."""
        self._module.call("C_DestroyObject", self._handle, _ULONG(handle))

    def generate(self, mechanism: Mechanism, attributes: Template) -> int:
        """Make a secret key and return its handle."""
        template = _Template(attributes)
        return self._key("C_GenerateKey", ctypes.byref(mechanism.value), template.rows, template.count)

    def derive(self, mechanism: Mechanism, base: int, attributes: Template) -> int:
        """Make a key of another one and return its handle."""
        template = _Template(attributes)
        by = ctypes.byref(mechanism.value)
        return self._key("C_DeriveKey", by, _ULONG(base), template.rows, template.count)

    def derive_in_place(self, mechanism: Mechanism, base: int, attributes: Template) -> None:
        """Make keys of another one whose handles go into the mechanism's parameter."""
        template, by = _Template(attributes), ctypes.byref(mechanism.value)
        arguments = self._handle, by, _ULONG(base), template.rows, template.count
        self._module.call("C_DeriveKey", *arguments, None)

    def unwrap(self, mechanism: Mechanism, key: int, wrapped: bytes, attributes: Template) -> int:
        """Make a key of wrapped bytes and return its handle."""
        template, by = _Template(attributes), ctypes.byref(mechanism.value)
        sizes = wrapped, _ULONG(len(wrapped))
        return self._key("C_UnwrapKey", by, _ULONG(key), *sizes, template.rows, template.count)

    def wrap(self, mechanism: Mechanism, key: int, wanted: int) -> bytes:
        """Return a key's bytes, wrapped."""
        by = ctypes.byref(mechanism.value)
        return self._bytes("C_WrapKey", by, _ULONG(key), _ULONG(wanted))

    def encapsulate(self, mechanism: Mechanism, key: int, attributes: Template) -> tuple[int, bytes]:
        """Make a secret for a public key, and return its handle and its ciphertext."""
        template, by, size, made = _Template(attributes), ctypes.byref(mechanism.value), _ULONG(ROOM), _ULONG()
        wanted = by, _ULONG(key), template.rows, template.count
        self.call("C_EncapsulateKey", *wanted, self._room, ctypes.byref(size), ctypes.byref(made))
        return made.value, ctypes.string_at(self._room, size.value)

    def decapsulate(self, mechanism: Mechanism, key: int, ciphertext: bytes, attributes: Template) -> int:
        """Make the secret that a ciphertext stands for, and return its handle."""
        template, by = _Template(attributes), ctypes.byref(mechanism.value)
        sizes = ciphertext, _ULONG(len(ciphertext))
        return self._key("C_DecapsulateKey", by, _ULONG(key), template.rows, template.count, *sizes)

    def find(self, attributes: Template) -> list[int]:
        """Return the objects that have these attributes."""
        template, found, count = _Template(attributes), (_ULONG * 64)(), _ULONG()
        self.call("C_FindObjectsInit", template.rows, template.count)
        self.call("C_FindObjects", found, _ULONG(64), ctypes.byref(count))
        self.call("C_FindObjectsFinal")
        return list(found[: count.value])

    def value(self, handle: int, attribute: CKA) -> bytes:
        """Return an attribute."""
        row = AttributeRow(attribute, ctypes.addressof(self._room), ROOM)
        self._module.call("C_GetAttributeValue", self._handle, _ULONG(handle), ctypes.byref(row), _ULONG(1))
        return ctypes.string_at(self._room, row.size)

    def encrypt(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        """Return data encrypted."""
        return self.run("C_Encrypt", mechanism, key, data)

    def decrypt(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        """Return data decrypted."""
        return self.run("C_Decrypt", mechanism, key, data)

    def sign(self, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        """Return a signature or MAC."""
        return self.run("C_Sign", mechanism, key, data)

    def verify(self, mechanism: Mechanism, key: int, data: bytes, signature: bytes) -> None:
        """Raise CryptokiError unless the signature is right."""
        self.check(mechanism, key, signature, data)

    def run(self, function: str, mechanism: Mechanism, key: int | None, *parts: bytes) -> bytes:
        """Return what C_Encrypt, C_Decrypt, C_Sign or C_Digest gives, in one part or by its Update and Final."""
        self.begin(function, mechanism, key)
        if len(parts) == 1:
            return self._bytes(function, parts[0], _ULONG(len(parts[0])))
        if function in {"C_Sign", "C_Digest"}:
            for part in parts:
                self.take(f"{function}Update", part)
            return self._bytes(f"{function}Final")
        given = [self._bytes(f"{function}Update", part, _ULONG(len(part))) for part in parts]
        return b"".join(given) + self._bytes(f"{function}Final")

    def check(self, mechanism: Mechanism, key: int, signature: bytes, *parts: bytes) -> None:
        """Verify a signature, of one part or of several. Raises CryptokiError."""
        self.begin("C_Verify", mechanism, key)
        last = signature, _ULONG(len(signature))
        if len(parts) == 1:
            self._module.call("C_Verify", self._handle, parts[0], _ULONG(len(parts[0])), *last)
            return
        for part in parts:
            self.take("C_VerifyUpdate", part)
        self.take("C_VerifyFinal", signature)

    def call(self, function: str, *arguments: object) -> None:
        """Call a function of the session. Raises CryptokiError."""
        self._module.call(function, self._handle, *arguments)

    def begin(self, function: str, mechanism: Mechanism, key: int | None = None) -> None:
        """Call the Init of a function."""
        key_arguments = () if key is None else (_ULONG(key),)
        self._module.call(f"{function}Init", self._handle, ctypes.byref(mechanism.value), *key_arguments)

    def update(self, function: str, part: bytes) -> bytes:
        """Return what a function that takes a part and gives bytes does with it."""
        return self._bytes(function, part, _ULONG(len(part)))

    def take(self, function: str, part: bytes) -> None:
        """Call a function that takes bytes and gives none."""
        self._module.call(function, self._handle, part, _ULONG(len(part)))

    def finish(self, function: str) -> bytes:
        """Return what a function gives that takes no part."""
        return self._bytes(function)

    def size(self, function: str, *parts: bytes) -> int:
        """Return what a function says to a NULL buffer."""
        size, given = _ULONG(), [one for part in parts for one in (part, _ULONG(len(part)))]
        self._module.call(function, self._handle, *given, None, ctypes.byref(size))
        return size.value

    def restore(self, state: bytes) -> None:
        """Call C_SetOperationState, with no keys."""
        self._module.call("C_SetOperationState", self._handle, state, _ULONG(len(state)), _ULONG(0), _ULONG(0))

    def _bytes(self, function: str, *arguments: object) -> bytes:
        size = _ULONG(ROOM)
        self._module.call(function, self._handle, *arguments, self._room, ctypes.byref(size))
        return ctypes.string_at(self._room, size.value)
