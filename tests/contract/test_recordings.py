# SPDX-License-Identifier: Apache-2.0
"""Traffic of the real OP-TEE (4.10, QEMU), replayed against our application: the same return values and sizes.

``data/*.jsonl`` hold one command a line: [case, TEE session, command, control, input, parameter 2, CKR, reply size,
reply]. Parameter 2 is a capacity, or the second input's bytes. A reply after ``~`` depends on chance (handles, keys,
signatures): it is not compared, but ours takes its place where it comes back in a later request. Lines with mechanisms
that we do not have are left out.

Handles differ from OP-TEE's, so they are translated on the way. DEVIATIONS lists where we mean to differ.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from softee.names import CKR, ParamType
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import fields as fields_of_request
from softee.pkcs11_ta.token.profiles import OPTEE
from softee.wire.values import Memref
from support.commands import c
from support.token_world import Caller, make_application

DATA = Path(__file__).parent / "data"
RECORDINGS = ("pins", "walkthrough", "tests", "keys", "engine")

DEVIATIONS: dict[tuple[str, Command[Any], CKR], tuple[CKR, str]] = {
    ("pkcs11_1004", c.CREATE_OBJECT, CKR.DEVICE_MEMORY): (CKR.OK, "OP-TEE has 32 KiB of memory for all; we have more"),
    ("b65", c.DECRYPT_INIT, CKR.FUNCTION_FAILED): (CKR.OK, "OP-TEE's OAEP fails without a label"),
    ("b72", c.ENCRYPT_INIT, CKR.MECHANISM_INVALID): (CKR.OK, "we have AES-CBC-PAD, and it pads"),
    ("b73", c.ENCRYPT_UPDATE, CKR.DATA_LEN_RANGE): (
        CKR.OK,
        "parts may be cut anywhere; C_EncryptFinal checks the length",
    ),
    ("b107", c.SET_ATTRIBUTE_VALUE, CKR.ATTRIBUTE_READ_ONLY): (
        CKR.OK,
        "the standard lets a certificate's CKA_ID change",
    ),
    ("b116", c.LOGIN, CKR.OPERATION_NOT_INITIALIZED): (CKR.OK, "keys with CKA_ALWAYS_AUTHENTICATE work here"),
}
"""By case, command and recorded return value: what we answer instead, and why."""

_GIVES_HANDLES = {
    command.number
    for command in (c.CREATE_OBJECT, c.COPY_OBJECT, c.FIND_OBJECTS, c.GENERATE_KEY, c.GENERATE_KEY_PAIR, c.UNWRAP_KEY)
}
_OBJECT_FIELDS = {"handle", "key"}


class Recorded(NamedTuple):
    """One invoked command."""

    client: int
    number: int
    control: str
    data: str | None
    two: int | str | None
    rv: int
    size: int
    reply: str | None = None


class Replay:
    """One recording's replay: clients by TEE session, and which of our handles stands for which recorded one."""

    def __init__(self) -> None:
        self.application = make_application(policy=OPTEE)
        self.clients: dict[int, Caller] = {}
        self.sessions: dict[tuple[int, int], int] = {}
        self.objects: dict[tuple[int, int], int] = {}
        self.outputs: dict[str, bytes] = {}
        self.case = ""

    def line(self, line: list[Any]) -> str:
        """Replay a line; return what is different, or nothing."""
        case, client, command, *rest = line
        if case != self.case:
            self._end_programs()
            self.case = case
        if command == "open":
            self.clients[client] = Caller(self.application)
        elif command == "close":
            self.clients.pop(client).tee.close()
        else:
            return self._invoke(Recorded(client, command, *rest))
        return ""

    def _end_programs(self) -> None:
        """Each case is a program's run; some ended without closing their TEE session, which the kernel then did."""
        for client in self.clients.values():
            client.tee.close()
        self.clients.clear()
        self.sessions.clear()
        self.objects.clear()

    def _invoke(self, line: "Recorded") -> str:
        control = self._translated(line.client, line.number, bytes.fromhex(line.control))
        answer = self.clients[line.client].invoke(line.number, control, self._input(line.data), self._second(line.two))
        recorded = CKR(line.rv)
        wanted, _ = DEVIATIONS.get((self.case, COMMANDS[line.number], recorded), (recorded, ""))
        if answer.rv != wanted:
            return f"{answer.rv!r} instead of {wanted!r}"
        if recorded not in (CKR.OK, CKR.BUFFER_TOO_SMALL) or not isinstance(line.two, int):
            return ""
        if answer.size != line.size:
            return f"{answer.size} bytes instead of {line.size}"
        if line.reply is not None and line.reply.startswith("~"):
            self._remember(line.client, line.number, answer.output, line.reply[1:])
            return ""
        return _compared(line.number, answer.output, line.reply)

    def _translated(self, client: int, number: int, control: bytes) -> bytes:
        """Put our handles in the place of recorded ones, which are among the integers that a request begins with."""
        out = bytearray(control)
        for index, (name, _) in enumerate(fields_of_request(COMMANDS[number].request)):
            (recorded,) = struct.unpack_from("<I", control.ljust(4 * index + 4, b"\0"), 4 * index)
            known = self.sessions if name == "session" else self.objects if name in _OBJECT_FIELDS else {}
            ours = known.get((client, recorded))
            if ours is not None:
                struct.pack_into("<I", out, 4 * index, ours)
        return bytes(out)

    def _remember(self, client: int, number: int, output: bytes, reply: str) -> None:
        pairs = zip(_integers(bytes.fromhex(reply)), _integers(output), strict=False)
        if number == c.OPEN_SESSION.number:
            self.sessions.update({(client, recorded): ours for recorded, ours in pairs})
        elif number in _GIVES_HANDLES:
            self.objects.update({(client, recorded): ours for recorded, ours in pairs})
        else:
            self.outputs[reply] = output

    def _input(self, data: str | None) -> Memref | None:
        if data is None:
            return None
        return Memref(ParamType.MEMREF_INPUT, bytearray(self.outputs.get(data) or bytes.fromhex(data)))

    def _second(self, two: int | str | None) -> Memref | None:
        return Memref(ParamType.MEMREF_OUTPUT, capacity=two) if isinstance(two, int) else self._input(two)


def _compared(number: int, output: bytes, reply: str | None) -> str:
    if reply is None:
        return ""
    mask = _MASKS.get(number, slice(0, 0))
    ours, theirs = bytearray(output), bytearray.fromhex(reply)
    ours[mask] = theirs[mask] = b""
    return "" if ours == theirs else f"{ours.hex()} instead of {theirs.hex()}"


_MASKS = {c.SLOT_INFO.number: slice(28, 64), c.TOKEN_INFO.number: slice(80, 96)}
"""What is an installation's own: the UUID in the slot's description, the token's serial number."""


def _integers(raw: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(raw) // 4}I", raw)


def _lines(name: str) -> Iterator[list[Any]]:
    for text in (DATA / f"{name}.jsonl").read_text().splitlines():
        yield json.loads(text)


@pytest.mark.parametrize("name", RECORDINGS)
def test_we_answer_as_op_tee_did(name: str) -> None:
    replay = Replay()
    differences = []
    for number, line in enumerate(_lines(name), 1):
        difference = replay.line(line)
        if difference:
            differences.append(f"line {number} ({line[0]}, {COMMANDS[line[2]].name}): {difference}")
    assert differences == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recorded_return_value_is_allowed_by_the_command_table(name: str) -> None:
    for case, _, command, *rest in _lines(name):
        if isinstance(command, int):
            recorded = CKR(rest[3])
            answer, _ = DEVIATIONS.get((case, COMMANDS[command], recorded), (recorded, ""))
            assert answer in COMMANDS[command].returns, (case, COMMANDS[command].name)
