# SPDX-License-Identifier: Apache-2.0
"""Every C_* function sends the bytes that OP-TEE's own library was recorded to send.

Each recorded request is turned back into the arguments of the C_* function, which is called with them.
"""

import ctypes
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from native.ckteec_suite.support import Answer, Library, Sent, mechanism, pointer, room, template, too_small, ulong
from softee.names import CKR
from softee.names import mechanism_layouts as layouts
from softee.names.attribute_kinds import ATTRIBUTE_KINDS, AttributeKind
from softee.pkcs11_ta.abi.commands import COMMANDS

RECORDED = Path(__file__).parents[1] / "data" / "ckteec-recorded.jsonl"
NUMBERS = {command.name: command.number for command in COMMANDS}
FUNCTIONS = {command.number: command.function for command in COMMANDS}
KINDS: Mapping[int, AttributeKind] = {int(kind): value for kind, value in ATTRIBUTE_KINDS.items()}
MECHANISMS: Mapping[int, layouts.Layout] = {
    int(number): layout for (number, use), layout in layouts.LAYOUTS.items() if use is layouts.Use.OPERATION
}


class Recorded(NamedTuple):
    """One line of the recording: parameters as hexadecimal digits, ``capacity`` of an output."""

    command: str
    control: str
    data: str | None = None
    second: str | None = None
    capacity: int | None = None


RECORDINGS = [Recorded(**json.loads(line)) for line in RECORDED.read_text().splitlines()]

_kept: list[object] = []
"""Buffers that addresses point to."""


def _address(data: bytes) -> int:
    buffer = ctypes.create_string_buffer(data, max(len(data), 1))
    _kept.append(buffer)
    return ctypes.addressof(buffer)


class Wire:
    """The bytes of a control buffer, taken off the front."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, size: int) -> bytes:
        taken, self.left = self.left[:size], self.left[size:]
        assert len(taken) == size
        return taken

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def counted(self) -> bytes:
        return self.take(self.u32())

    def attributes(self) -> list[tuple[int, bytes]]:
        size, count = self.u32(), self.u32()
        inner = Wire(self.take(size))
        return [(inner.u32(), inner.counted()) for _ in range(count)]

    def template(self) -> tuple[Any, int]:
        return template([(kind, _widened(kind, value)) for kind, value in self.attributes()])

    def mechanism(self) -> Any:  # noqa: ANN401 - a ctypes pointer
        kind, parameter = self.u32(), Wire(self.counted())
        made = mechanism(kind, _structure(MECHANISMS.get(kind), parameter))
        assert parameter.left == b""
        return made


def _widened(kind: int, value: bytes) -> bytes:
    """A value as an application has it."""
    if KINDS.get(kind) not in (AttributeKind.ULONG, AttributeKind.ULONG_LIST):
        return value
    numbers = struct.unpack(f"<{len(value) // 4}I", value)
    return struct.pack(f"{len(numbers)}L", *numbers)


def _oaep(wire: Wire) -> bytes:
    return struct.pack("LLLPL", wire.u32(), wire.u32(), wire.u32(), *_pointed(wire.counted()))


def _pointed(data: bytes) -> tuple[int, int]:
    return _address(data), len(data)


def _ecdh(wire: Wire) -> bytes:
    kdf, shared, public = wire.u32(), wire.counted(), wire.counted()
    return struct.pack("LLPLP", kdf, len(shared), _address(shared), len(public), _address(public))


def _gcm(wire: Wire) -> bytes:
    iv, aad = wire.counted(), wire.counted()
    return struct.pack("PLLPLL", *_pointed(iv), 8 * len(iv), *_pointed(aad), wire.u32())


def _eddsa(wire: Wire) -> bytes:
    assert wire.take(8) == bytes(8)
    return b""  # no parameter means no pre-hash and no context


STRUCTURES: dict[layouts.Layout, Callable[[Wire], bytes]] = {
    layouts.BYTES: lambda wire: wire.take(len(wire.left)),
    layouts.MAC_GENERAL: lambda wire: struct.pack("L", wire.u32()),
    layouts.AES_CTR: lambda wire: struct.pack("L16s", wire.u32(), wire.take(16)),
    layouts.GCM: _gcm,
    layouts.RSA_PKCS_PSS: lambda wire: struct.pack("LLL", wire.u32(), wire.u32(), wire.u32()),
    layouts.RSA_PKCS_OAEP: _oaep,
    layouts.RSA_AES_KEY_WRAP: lambda wire: struct.pack("LP", wire.u32(), _address(_oaep(wire))),
    layouts.ECDH1_DERIVE: _ecdh,
    layouts.EDDSA: _eddsa,
}


def _structure(layout: layouts.Layout | None, wire: Wire) -> bytes:
    return STRUCTURES[layout](wire) if layout else b""


def _output(recorded: Recorded) -> tuple[object, object]:
    """The application's buffer, NULL for none, and its length."""
    capacity = recorded.capacity or 0
    return (room(capacity) if capacity else None), pointer(ulong(capacity))


def _data(recorded: Recorded) -> tuple[object, int]:
    data = bytes.fromhex(recorded.data or "")
    return (data or None), len(data)


BAD_ARGUMENTS: dict[str, tuple[object, ...]] = {
    "C_EncryptFinal": (None, None),
    "C_DigestUpdate": (None, 1),
    "C_DigestFinal": (None, None),
    "C_Digest": (b"", 0, None, None),
}


def _release(library: Library, wire: Wire, _: Recorded) -> None:
    """Arguments that make no sense end the operation."""
    session, name = wire.u32(), FUNCTIONS[wire.u32()]
    assert library.call(name, session, *BAD_ARGUMENTS[name]) == CKR.ARGUMENTS_BAD


def _get_attributes(library: Library, wire: Wire, _: Recorded) -> None:
    library.answers = lambda sent: Answer(output=sent.control[8:])
    session, handle = wire.u32(), wire.u32()
    given = template([(kind, _widened(kind, value)) for kind, value in wire.attributes()])
    library.call("C_GetAttributeValue", session, handle, *given)


def _init_token(library: Library, wire: Wire, _: Recorded) -> None:
    slot, length, label = wire.u32(), wire.u32(), wire.take(32)
    library.call("C_InitToken", slot, wire.take(length), length, label)


def _set_pin(library: Library, wire: Wire, _: Recorded) -> None:
    session, old, new = wire.u32(), wire.u32(), wire.u32()
    library.call("C_SetPIN", session, wire.take(old), old, wire.take(new), new)


def _key_operation(name: str) -> Callable[[Library, Wire, Recorded], None]:
    def run(library: Library, wire: Wire, _: Recorded) -> None:
        session, key = wire.u32(), wire.u32()
        library.call(name, session, wire.mechanism(), key)

    return run


def _wrap(library: Library, wire: Wire, recorded: Recorded) -> None:
    session, wrapping, key = wire.u32(), wire.u32(), wire.u32()
    library.call("C_WrapKey", session, wire.mechanism(), wrapping, key, *_output(recorded))


def _unwrap(library: Library, wire: Wire, recorded: Recorded) -> None:
    session, key, made = wire.u32(), wire.u32(), wire.mechanism()
    library.call("C_UnwrapKey", session, made, key, *_data(recorded), *wire.template(), pointer(ulong()))


def _derive(library: Library, wire: Wire, _: Recorded) -> None:
    session, key, made = wire.u32(), wire.u32(), wire.mechanism()
    library.call("C_DeriveKey", session, made, key, *wire.template(), pointer(ulong()))


def _generate_pair(library: Library, wire: Wire, _: Recorded) -> None:
    session, made = wire.u32(), wire.mechanism()
    handles = pointer(ulong()), pointer(ulong())
    library.call("C_GenerateKeyPair", session, made, *wire.template(), *wire.template(), *handles)


def _in_and_out(library: Library, wire: Wire, recorded: Recorded) -> None:
    library.call(FUNCTIONS[NUMBERS[recorded.command]], wire.u32(), *_data(recorded), *_output(recorded))


def _in(library: Library, wire: Wire, recorded: Recorded) -> None:
    library.call(FUNCTIONS[NUMBERS[recorded.command]], wire.u32(), *_data(recorded))


def _out(library: Library, wire: Wire, recorded: Recorded) -> None:
    library.call(FUNCTIONS[NUMBERS[recorded.command]], wire.u32(), *_output(recorded))


def _numbers(library: Library, wire: Wire, recorded: Recorded) -> None:
    numbers = [wire.u32() for _ in range(len(wire.left) // 4)]
    library.call(FUNCTIONS[NUMBERS[recorded.command]], *numbers)


def _numbers_and_result(library: Library, wire: Wire, recorded: Recorded) -> None:
    numbers = [wire.u32() for _ in range(len(wire.left) // 4)]
    library.call(FUNCTIONS[NUMBERS[recorded.command]], *numbers, room(256))


def _verify(library: Library, wire: Wire, recorded: Recorded) -> None:
    signature = bytes.fromhex(recorded.second or "")
    library.call("C_Verify", wire.u32(), *_data(recorded), signature, len(signature))


def _list(recorded: Recorded) -> tuple[object, object]:
    elements = (recorded.capacity or 0) // 4
    return ((ctypes.c_ulong * elements)() if elements else None), pointer(ulong(elements))


def _slot_list(library: Library, _: Wire, recorded: Recorded) -> None:
    library.call("C_GetSlotList", 1, *_list(recorded))


def _mechanism_list(library: Library, wire: Wire, recorded: Recorded) -> None:
    library.call("C_GetMechanismList", wire.u32(), *_list(recorded))


def _open_session(library: Library, wire: Wire, _: Recorded) -> None:
    library.call("C_OpenSession", wire.u32(), wire.u32(), None, None, pointer(ulong()))


def _find(library: Library, wire: Wire, recorded: Recorded) -> None:
    handles, _ = _list(recorded)
    library.call("C_FindObjects", wire.u32(), handles, (recorded.capacity or 0) // 4, pointer(ulong()))


def _random(library: Library, wire: Wire, recorded: Recorded) -> None:
    size = recorded.capacity or 0
    library.call("C_GenerateRandom", wire.u32(), room(size), size)


def _init_pin(library: Library, wire: Wire, _: Recorded) -> None:
    session, length = wire.u32(), wire.u32()
    library.call("C_InitPIN", session, wire.take(length), length)


def _login(library: Library, wire: Wire, _: Recorded) -> None:
    session, user, length = wire.u32(), wire.u32(), wire.u32()
    library.call("C_Login", session, user, wire.take(length), length)


def _session_and_template(library: Library, wire: Wire, recorded: Recorded) -> None:
    result = (pointer(ulong()),) if recorded.capacity else ()
    library.call(FUNCTIONS[NUMBERS[recorded.command]], wire.u32(), *wire.template(), *result)


def _set_attributes(library: Library, wire: Wire, _: Recorded) -> None:
    library.call("C_SetAttributeValue", wire.u32(), wire.u32(), *wire.template())


def _generate(library: Library, wire: Wire, _: Recorded) -> None:
    session, made = wire.u32(), wire.mechanism()
    library.call("C_GenerateKey", session, made, *wire.template(), pointer(ulong()))


def _digest_init(library: Library, wire: Wire, _: Recorded) -> None:
    library.call("C_DigestInit", wire.u32(), wire.mechanism())


CALLS: dict[str, Callable[[Library, Wire, Recorded], None]] = {
    "SLOT_LIST": _slot_list,
    "SLOT_INFO": _numbers_and_result,
    "TOKEN_INFO": _numbers_and_result,
    "MECHANISM_IDS": _mechanism_list,
    "MECHANISM_INFO": _numbers_and_result,
    "OPEN_SESSION": _open_session,
    "CLOSE_SESSION": _numbers,
    "CLOSE_ALL_SESSIONS": _numbers,
    "SESSION_INFO": _numbers_and_result,
    "INIT_TOKEN": _init_token,
    "INIT_PIN": _init_pin,
    "SET_PIN": _set_pin,
    "LOGIN": _login,
    "LOGOUT": _numbers,
    "CREATE_OBJECT": _session_and_template,
    "DESTROY_OBJECT": _numbers,
    "ENCRYPT_INIT": _key_operation("C_EncryptInit"),
    "DECRYPT_INIT": _key_operation("C_DecryptInit"),
    "ENCRYPT_UPDATE": _in_and_out,
    "DECRYPT_UPDATE": _in_and_out,
    "ENCRYPT_FINAL": _out,
    "DECRYPT_FINAL": _out,
    "ENCRYPT_ONESHOT": _in_and_out,
    "DECRYPT_ONESHOT": _in_and_out,
    "SIGN_INIT": _key_operation("C_SignInit"),
    "VERIFY_INIT": _key_operation("C_VerifyInit"),
    "SIGN_UPDATE": _in,
    "SIGN_FINAL": _out,
    "SIGN_ONESHOT": _in_and_out,
    "VERIFY_ONESHOT": _verify,
    "GENERATE_KEY": _generate,
    "FIND_OBJECTS_INIT": _session_and_template,
    "FIND_OBJECTS": _find,
    "FIND_OBJECTS_FINAL": _numbers,
    "GET_OBJECT_SIZE": _numbers_and_result,
    "GET_ATTRIBUTE_VALUE": _get_attributes,
    "SET_ATTRIBUTE_VALUE": _set_attributes,
    "SEED_RANDOM": _in,
    "GENERATE_RANDOM": _random,
    "DERIVE_KEY": _derive,
    "RELEASE_ACTIVE_PROCESSING": _release,
    "DIGEST_INIT": _digest_init,
    "DIGEST_KEY": _numbers,
    "DIGEST_UPDATE": _in,
    "DIGEST_FINAL": _out,
    "DIGEST_ONESHOT": _in_and_out,
    "GENERATE_KEY_PAIR": _generate_pair,
    "WRAP_KEY": _wrap,
    "UNWRAP_KEY": _unwrap,
}


def _without_memory(recorded: Recorded) -> bytes:
    """The recorded control buffer, less what OP-TEE's library leaves in it of the application's memory.

    It sends the buffers that C_GetAttributeValue is to fill as they are, and CKR_GENERAL_ERROR where a command takes
    nothing and "unused, must be 0" is asked for. Ours sends zeros.
    """
    control = bytes.fromhex(recorded.control)
    if recorded.command == "SLOT_LIST":
        return bytes(4)
    if recorded.command != "GET_ATTRIBUTE_VALUE":
        return control
    wire = Wire(control[16:])
    values = [(wire.u32(), wire.counted()) for _ in range(int.from_bytes(control[12:16], "little"))]
    return control[:16] + b"".join(struct.pack("<II", kind, len(value)) + bytes(len(value)) for kind, value in values)


@pytest.mark.parametrize("recorded", RECORDINGS, ids=lambda recorded: f"{recorded.command}-{recorded.control[:64]}")
def test_sends_what_optee_was_recorded_to_send(library: Library, recorded: Recorded) -> None:
    if not recorded.capacity:
        library.answer(too_small(64))
    CALLS[recorded.command](library, Wire(bytes.fromhex(recorded.control)), recorded)
    assert library.sent[-1:] == [
        Sent(
            NUMBERS[recorded.command],
            _without_memory(recorded),
            None if recorded.data is None else bytes.fromhex(recorded.data),
            None if recorded.second is None else bytes.fromhex(recorded.second),
            recorded.capacity,
        )
    ]
