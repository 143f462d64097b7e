# SPDX-License-Identifier: Apache-2.0
"""libckteec in this process, on a libteec without a secure world: what a test sees and answers."""

import ctypes
import json
import os
from collections.abc import Callable, Sequence
from ctypes import POINTER, Structure, Union, byref, c_size_t, c_ubyte, c_uint16, c_uint32, c_uint64, c_ulong, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from softee.names import CKR, TeeResult

LIBRARY_VARIABLE = "CKTEEC_SUITE_BUILD"
"""The build directory of the native part."""

OTHERS_VARIABLE = "CKTEEC_SUITE_OTHERS"
"""Other PKCS#11 modules, with colons between them, that the process has loaded with RTLD_GLOBAL before ours."""

FACTS = json.loads((Path(__file__).parents[3] / "tools" / "pkcs11-32.json").read_text(encoding="utf-8"))
FUNCTIONS: list[str] = [function["name"] for function in FACTS["functions"]]
"""Those of 3.2, in the order of its list."""

UNAVAILABLE = 2**64 - 1
NULL = c_void_p(None)


class Attribute(Structure):
    _fields_: ClassVar = [("type", c_ulong), ("value", c_void_p), ("length", c_ulong)]


class Mechanism(Structure):
    _fields_: ClassVar = [("mechanism", c_ulong), ("parameter", c_void_p), ("length", c_ulong)]


class _Temporary(Structure):
    _fields_: ClassVar = [("buffer", c_void_p), ("size", c_size_t)]


class _Parameter(Union):
    _fields_: ClassVar = [("tmpref", _Temporary), ("whole", c_size_t * 3)]


class _Operation(Structure):
    _fields_: ClassVar = [("started", c_uint32), ("types", c_uint32), ("params", _Parameter * 4), ("session", c_void_p)]


class State(Structure):
    """Mirrors struct fake_state of native/tests/ckteec_fake/fake_teec.c."""

    _fields_: ClassVar = [
        ("contexts_opened", c_uint32),
        ("contexts_closed", c_uint32),
        ("sessions_opened", c_uint32),
        ("sessions_closed", c_uint32),
        ("login_method", c_uint32),
        ("login_group", c_uint32),
        ("invokes", c_uint32),
        ("version_major", c_uint32),
        ("initialize_result", c_uint32),
        ("open_result", c_uint32),
        ("time_low", c_uint32),
        ("time_mid", c_uint16),
        ("time_high", c_uint16),
        ("node", c_ubyte * 8),
        ("counters", POINTER(c_uint64)),
        ("counter_count", c_size_t),
    ]


@dataclass(frozen=True)
class Sent:
    """A command as the secure world gets it. ``data`` and ``second`` are inputs, None where the parameter is absent.

    ``capacity`` is that of an output.
    """

    command: int
    control: bytes
    data: bytes | None
    second: bytes | None
    capacity: int | None


@dataclass(frozen=True)
class Answer:
    """What the secure world says: ``size`` and ``control`` are those of honest answers unless a test lies."""

    rv: int = CKR.OK
    output: bytes = b""
    result: int = TeeResult.SUCCESS
    size: int | None = None
    control: bytes | None = None
    control_size: int | None = None
    origin: int = 4


def too_small(size: int) -> Answer:
    return Answer(CKR.BUFFER_TOO_SMALL, result=TeeResult.SHORT_BUFFER, size=size)


LISTS = (1, 4)
"""The commands of C_GetSlotList and C_GetMechanismList."""


def to_null(command: int, answer: Answer) -> Answer:
    """What OP-TEE's application says to a NULL buffer, which its own library never sends: no size, or no shortage."""
    return Answer(size=answer.size) if command in LISTS else Answer(CKR.ARGUMENTS_BAD)


_HANDLER = ctypes.CFUNCTYPE(c_uint32, c_uint32, POINTER(_Operation), POINTER(c_uint32))


def _input(operation: _Operation, index: int) -> bytes | None:
    kind = operation.types >> (4 * index) & 0xF
    reference = operation.params[index].tmpref
    assert kind in (0, 5, 6, 7)
    assert kind in (0, 6) or reference.buffer
    return ctypes.string_at(reference.buffer, reference.size) if kind in (5, 7) else None


@dataclass
class Library:
    """libckteec and the secure world behind it. ``sent`` is what reached it; ``answers`` decides what it says."""

    path: Path
    functions: ctypes.CDLL
    state: State
    sent: list[Sent] = field(default_factory=list)
    answers: Callable[[Sent], Answer] = field(default=lambda _: Answer())
    kept: list[object] = field(default_factory=list)

    def call(self, name: str, *arguments: object) -> int:
        """Call a C_* function, exported or from the list of all; ints are CK_ULONGs and None is NULL."""
        function = self.functions[name] if hasattr(self.functions, name) else self._listed(name)
        function.restype = c_ulong
        return int(function(*map(_argument, arguments)))

    def _listed(self, name: str) -> Any:  # noqa: ANN401 - a ctypes function
        interface = POINTER(c_void_p)()
        assert self.functions.C_GetInterface(None, None, byref(interface), c_ulong(0)) == CKR.OK
        addresses = ctypes.cast(interface[1] or 0, POINTER(c_void_p))
        return ctypes.CFUNCTYPE(c_ulong)(addresses[1 + FUNCTIONS.index(name)] or 0)

    def handle(self, command: int, operation: Any, origin: Any) -> int:  # noqa: ANN401 - what ctypes hands a callback has no type
        """Answer a command, as the fake libteec asks it."""
        parameters = operation.contents
        is_output = parameters.types >> 8 & 0xF == 6
        output = parameters.params[2].tmpref
        capacity = output.size if is_output else None
        control = _input(parameters, 0)
        assert control is not None
        sent = Sent(command, control, _input(parameters, 1), _input(parameters, 2), capacity)
        self.sent.append(sent)
        answer = self.answers(sent)
        if is_output and not output.buffer:
            answer = to_null(command, answer)
        out = answer.control if answer.control is not None else answer.rv.to_bytes(4, "little")
        ctypes.memmove(parameters.params[0].tmpref.buffer, out, min(len(out), len(control)))
        parameters.params[0].tmpref.size = len(out) if answer.control_size is None else answer.control_size
        if capacity:
            ctypes.memmove(output.buffer, answer.output, min(len(answer.output), capacity))
        if is_output:
            output.size = len(answer.output) if answer.size is None else answer.size
        origin.contents.value = answer.origin
        return int(answer.result)

    def answer(self, *answers: Answer) -> None:
        """Say these in turn, and the last one from then on."""
        left = list(answers)
        self.answers = lambda _: left.pop(0) if len(left) > 1 else left[0]
        self.sent.clear()

    def last(self) -> Sent:
        return self.sent[-1]


def _argument(value: object) -> object:
    if value is None:
        return NULL
    return c_ulong(value) if isinstance(value, int) else value


def others() -> list[str]:
    return os.environ[OTHERS_VARIABLE].split(":")


def load() -> Library:
    """Load the fake libteec, other modules, and then libckteec, which finds all of them there already."""
    build = Path(os.environ[LIBRARY_VARIABLE]) / "native"
    fake = ctypes.CDLL(str(build / "tests" / "ckteec_fake" / "libteec.so.2"))
    for other in others():
        ctypes.CDLL(other, mode=ctypes.RTLD_GLOBAL)
    path = build / "ckteec" / "libckteec.so.0"
    library = Library(path, ctypes.CDLL(str(path)), State.in_dll(fake, "fake_teec"))
    handler = _HANDLER(library.handle)
    fake.fake_teec_set_handler(handler)
    library.kept.append(handler)
    return library


def attributes(count: int) -> Any:  # noqa: ANN401 - a ctypes array, which takes attributes
    """An array of CK_ATTRIBUTE. What its pointers point to belongs in ``array.keep``."""
    array: Any = (Attribute * count)()
    array.keep = []
    return array


def template(values: Sequence[tuple[int, bytes]]) -> tuple[Any, int]:
    """An array of CK_ATTRIBUTE and its length; a value of no bytes is a NULL pointer."""
    array = attributes(max(len(values), 1))
    array.keep = [ctypes.create_string_buffer(value, len(value)) for _, value in values]
    for slot, (kind, value), buffer in zip(array, values, array.keep, strict=False):
        slot.type, slot.length = kind, len(value)
        slot.value = ctypes.addressof(buffer) if value else None
    return array, len(values)


def mechanism(kind: int, parameter: bytes | Structure | c_ulong = b"") -> Any:  # noqa: ANN401 - a ctypes pointer
    """A pointer to a CK_MECHANISM."""
    buffer = ctypes.create_string_buffer(parameter, len(parameter)) if isinstance(parameter, bytes) else parameter
    size = ctypes.sizeof(buffer)
    made: Any = Mechanism(kind, ctypes.addressof(buffer) if size else None, size)
    made.keep = buffer
    return ctypes.pointer(made)


def ulong(value: int = 0) -> c_ulong:
    return c_ulong(value)


def room(size: int) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(size)


def pointer(value: Any) -> object:  # noqa: ANN401 - any ctypes object has an address
    return byref(value)
