# SPDX-License-Identifier: Apache-2.0
"""The secure world may answer anything: the application survives (invariant 7). Meant to run under the sanitizers."""

import ctypes
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest

from native.ckteec_suite.support import Answer, Attribute, Library, Sent, mechanism, pointer, room, template, ulong
from softee.names import CKA, CKM, CKR, TeeResult

ROUNDS = 300

AES = mechanism(CKM.AES_ECB)
EMPTY = template([])

CALLS: dict[str, Callable[[], tuple[object, ...]]] = {
    "C_GetSlotList": lambda: (1, (ctypes.c_ulong * 4)(), pointer(ulong(4))),
    "C_GetSlotInfo": lambda: (0, room(112)),
    "C_GetTokenInfo": lambda: (0, room(208)),
    "C_GetMechanismList": lambda: (0, (ctypes.c_ulong * 4)(), pointer(ulong(4))),
    "C_GetMechanismInfo": lambda: (0, 1, room(24)),
    "C_OpenSession": lambda: (0, 4, None, None, pointer(ulong())),
    "C_GetSessionInfo": lambda: (1, room(32)),
    "C_Login": lambda: (1, 1, b"1234", 4),
    "C_CreateObject": lambda: (1, *template([(CKA.TOKEN, b"\1")]), pointer(ulong())),
    "C_GetObjectSize": lambda: (1, 2, pointer(ulong())),
    "C_FindObjects": lambda: (1, (ctypes.c_ulong * 4)(), 4, pointer(ulong())),
    "C_Encrypt": lambda: (1, b"data", 4, room(16), pointer(ulong(16))),
    "C_DecryptFinal": lambda: (1, room(16), pointer(ulong(16))),
    "C_Digest": lambda: (1, b"data", 4, room(16), pointer(ulong(16))),
    "C_Sign": lambda: (1, b"data", 4, room(16), pointer(ulong(16))),
    "C_Verify": lambda: (1, b"data", 4, b"sign", 4),
    "C_GenerateKeyPair": lambda: (1, AES, *EMPTY, *EMPTY, pointer(ulong()), pointer(ulong())),
    "C_WrapKey": lambda: (1, AES, 2, 3, room(16), pointer(ulong(16))),
    "C_GenerateRandom": lambda: (1, room(16), 16),
}

SIZES = (0, 1, 3, 4, 5, 8, 15, 16, 17, 2**31, 2**32 - 1, 2**32, 2**64 - 1)
STATUSES = (
    CKR.OK,
    CKR.BUFFER_TOO_SMALL,
    CKR.ATTRIBUTE_SENSITIVE,
    CKR.ATTRIBUTE_TYPE_INVALID,
    CKR.HOST_MEMORY,
    2**32 - 1,
)
RESULTS = (*[TeeResult.SUCCESS] * 6, TeeResult.SHORT_BUFFER, TeeResult.GENERIC, 2**32 - 1)


def hostile(chance: random.Random, output: bytes) -> Answer:
    """Any status, any sizes, any bytes."""
    return Answer(
        rv=chance.choice(STATUSES),
        output=output,
        result=chance.choice(RESULTS),
        size=chance.choice((None, None, *SIZES)),
        control_size=chance.choice((4, 4, 4, 4, *SIZES)),
        origin=chance.randrange(6),
    )


@pytest.mark.parametrize("name", CALLS)
def test_any_answer_is_survived(library: Library, name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - the test must repeat
    library.answers = lambda sent: hostile(chance, chance.randbytes(chance.randrange((sent.capacity or 0) + 1)))
    for _ in range(ROUNDS):
        rv = library.call(name, *CALLS[name]())
        assert 0 <= rv < 2**32


def _asked() -> tuple[Any, list[Any]]:
    """A template to be filled, with buffers of every kind, and the buffers."""
    inner = (Attribute * 2)()
    value = room(8)
    inner[0].value, inner[0].length = ctypes.addressof(value), 8
    sizes = {CKA.LABEL: 5, CKA.CLASS: 8, CKA.KEY_TYPE: 4, CKA.ALLOWED_MECHANISMS: 24, CKA.ID: 0, CKA.VALUE: None}
    array = (Attribute * (len(sizes) + 1))()
    buffers: list[Any] = [inner, value]
    for attribute, (kind, size) in zip(array, sizes.items(), strict=False):
        attribute.type, attribute.length = kind, size or 0
        if size is not None:
            buffers.append(room(max(size, 1)))
            attribute.value = ctypes.addressof(buffers[-1])
    array[len(sizes)].type = CKA.WRAP_TEMPLATE
    array[len(sizes)].value, array[len(sizes)].length = ctypes.addressof(inner), ctypes.sizeof(inner)
    return array, buffers


def _damaged(chance: random.Random, request: bytes) -> bytes:
    """The request's template with some of its words changed."""
    output = bytearray(request)
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(output) - 3)
        output[place : place + 4] = struct.pack("<I", chance.choice((*SIZES[:10], 8, 21, 40)) % 2**32)
    return bytes(output)


def test_any_attributes_are_survived(library: Library) -> None:
    chance = random.Random(38)  # noqa: S311 - the test must repeat

    def answer(sent: Sent) -> Answer:
        output = _damaged(chance, sent.control[8:])
        return Answer(chance.choice(STATUSES[:4]), output) if chance.random() < 0.8 else hostile(chance, output)

    library.answers = answer
    for _ in range(10 * ROUNDS):
        array, _buffers = _asked()
        assert 0 <= library.call("C_GetAttributeValue", 1, 2, array, len(array)) < 2**32


def _nested(depth: int) -> bytes:
    """A template in a template in a template …"""
    inner = struct.pack("<II", 0, 0)
    for _ in range(depth):
        inner = struct.pack("<4I", len(inner) + 8, 1, CKA.WRAP_TEMPLATE, len(inner)) + inner
    return inner


@pytest.mark.parametrize("depth", [0, 1, 3, 4, 6, 100, 10_000])
def test_templates_in_templates_have_a_limit(library: Library, depth: int) -> None:
    """Also where the application's structures would go as deep as the answer."""
    knot = (Attribute * 1)()
    knot[0].type, knot[0].value, knot[0].length = CKA.WRAP_TEMPLATE, ctypes.addressof(knot), ctypes.sizeof(knot)
    wire = _nested(depth)

    def answer(sent: Sent) -> Answer:
        head, space = sent.control[8:20], sent.control[24:]
        return Answer(output=head + struct.pack("<I", len(wire)) + (wire if space else b""))

    library.answers = answer
    rv = library.call("C_GetAttributeValue", 1, 2, knot, 1)
    assert rv == (CKR.DEVICE_ERROR if depth > 3 else CKR.OK)
