# SPDX-License-Identifier: Apache-2.0
"""C_GetAttributeValue that tells ahead: what it answers itself, and what it tells of which objects."""

import struct
from collections.abc import Iterator, Mapping

import pytest

from softee.names import CKA, CKO, CKR, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.abi.template import encode_template
from softee.pkcs11_ta.handlers.ahead import LARGEST_TOLD, MOST_FOLLOWING, MOST_TYPES
from softee.pkcs11_ta.objects.kinds import HIDDEN_PARTS
from softee.pkcs11_ta.token.objects import LARGEST_CACHED
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.wire.codec import Reader
from support.commands import c
from support.object_calls import create, fresh_caller, get, wire
from support.samples import OBJECT_SAMPLES
from support.token_world import AS_OPTEE, Answer, Caller, template, u32

LABEL = template((CKA.LABEL, b""))
OWN = len(encode_template(LABEL))
TYPES = tuple(dict.fromkeys(int(attribute) for attribute in CKA if attribute != CKA.UNIQUE_ID))

Told = dict[int, dict[int, bytes | None]]
"""Attributes by handle, None where the object has none."""


@pytest.fixture(params=[PORTABLE, AS_OPTEE], ids=["portable", "optee"])
def world(request: pytest.FixtureRequest) -> tuple[Caller, int]:
    return fresh_caller(policy=request.param)


def ask(
    world: tuple[Caller, int], handle: int, types: tuple[int, ...], *following: int, room: int = 8192
) -> tuple[Answer, Told]:
    """Ask for a label's size, and for what is told ahead in so much room."""
    caller, session = world
    request = (session, handle, LABEL, u32(*following), u32(*types))
    answer = caller.call(c.GET_ATTRIBUTES_AHEAD, *request, capacity=OWN + room)
    return answer, dict(told(Reader(answer.output[OWN:])))


def told(reader: Reader) -> Iterator[tuple[int, dict[int, bytes | None]]]:
    if reader.remaining:
        reader.take(12)
    while reader.remaining:
        handle = reader.u32()
        yield handle, dict(attributes(reader.sub(reader.u32())))


def attributes(reader: Reader) -> Iterator[tuple[int, bytes | None]]:
    while reader.remaining:
        attribute, size = reader.u32(), reader.u32()
        yield attribute, None if size == UNAVAILABLE_INFORMATION else reader.take(size)


def in_parts(types: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for at in range(0, len(types), MOST_TYPES):
        yield types[at : at + MOST_TYPES]


def test_what_is_told_is_what_would_be_answered(world: tuple[Caller, int]) -> None:
    """Of every kind of object and every attribute: its bytes, or that it has none, or nothing if they are many."""
    caller, session = world
    made = [caller.call(c.CREATE_OBJECT, session, wire(kind)) for kind in OBJECT_SAMPLES]
    handles = [answer.handle for answer in made if answer.rv is CKR.OK]
    assert len(handles) > 20
    for handle in handles:
        shown: dict[int, bytes | None] = {}
        for types in in_parts(TYPES):
            shown |= ask(world, handle, types)[1][handle]
        for attribute, value in shown.items():
            expected = get(caller, session, handle, attribute)
            assert expected == (CKR.ATTRIBUTE_TYPE_INVALID if value is None else value), (handle, attribute)
        for attribute in set(TYPES) - set(shown) - HIDDEN_PARTS:
            large = get(caller, session, handle, attribute)
            assert isinstance(large, bytes)
            assert len(large) > LARGEST_TOLD


def test_the_counter_comes_with_it(world: tuple[Caller, int]) -> None:
    caller, session = world
    handle = create(caller, session)
    answer, _ = ask(world, handle, ())
    vault = caller.application.slots.token(0).vault
    assert answer.output[OWN : OWN + 12] == struct.pack("<IQ", 0, vault.revision)
    create(caller, session, TOKEN=True)
    assert ask(world, handle, ())[0].output[OWN : OWN + 12] == struct.pack("<IQ", 0, vault.revision)


def test_as_many_objects_are_told_of_as_there_is_room_for(world: tuple[Caller, int]) -> None:
    caller, session = world
    handles = [create(caller, session, TOKEN=bool(number % 2), LABEL=b"label") for number in range(4)]
    types = (CKA.LABEL, CKA.CLASS)
    one = 8 + 8 + len(b"label") + 8 + 4
    label: Mapping[int, bytes | None] = {CKA.LABEL: b"label", CKA.CLASS: u32(CKO.DATA)}
    for room, count in ((0, 0), (11, 0), (12, 0), (12 + one - 1, 0), (12 + one, 1), (12 + 4 * one, 4), (8192, 4)):
        answer, of = ask(world, handles[0], types, *handles[1:], room=room)
        assert of == dict.fromkeys(handles[:count], label)
        assert len(answer.output) == OWN + (12 + count * one if room >= 12 else 0)


@pytest.mark.parametrize("kind", ["gone", "never", "large"])
def test_it_ends_before_an_object_that_cannot_be_read_or_is_large(world: tuple[Caller, int], kind: str) -> None:
    caller, session = world
    first, last = create(caller, session), create(caller, session)
    made = create(caller, session, TOKEN=True, VALUE=bytes(LARGEST_CACHED + 1) if kind == "large" else b"")
    if kind == "gone":
        caller.ok(c.DESTROY_OBJECT, session, made)
    _, of = ask(world, first, (CKA.CLASS,), 0x7FFF_FFFF if kind == "never" else made, last)
    assert set(of) == {first}


def test_a_large_object_that_was_asked_for_is_told_of_but_not_its_large_values(world: tuple[Caller, int]) -> None:
    caller, session = world
    made = create(caller, session, VALUE=bytes(LARGEST_CACHED), APPLICATION=bytes(LARGEST_TOLD + 1), LABEL=b"label")
    exact = create(caller, session, APPLICATION=bytes(LARGEST_TOLD))
    _, of = ask(world, made, (CKA.LABEL, CKA.APPLICATION, CKA.VALUE), exact)
    assert of == {made: {CKA.LABEL: b"label"}, exact: {CKA.LABEL: b"", CKA.APPLICATION: bytes(LARGEST_TOLD)}}


def test_what_is_refused_beside_what_is_given_comes_with_it_too(world: tuple[Caller, int]) -> None:
    """PKCS#11 3.2 §5.7.5: CKR_ATTRIBUTE_TYPE_INVALID and CKR_BUFFER_TOO_SMALL come with the other attributes."""
    caller, session = world
    handle = create(caller, session, LABEL=b"label")
    for wanted, rv in (
        (template((CKA.MODULUS, b""), (CKA.LABEL, bytes(8))), CKR.ATTRIBUTE_TYPE_INVALID),
        (template((CKA.LABEL, bytes(2)), (CKA.MODULUS, b"")), CKR.BUFFER_TOO_SMALL),
    ):
        size = len(encode_template(wanted))
        plain = caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, wanted, capacity=size)
        request = (session, handle, wanted, b"", u32(CKA.LABEL, CKA.LABEL))
        answer = caller.call(c.GET_ATTRIBUTES_AHEAD, *request, capacity=size + 100)
        assert (answer.rv, answer.result, answer.output[:size]) == (rv, plain.result, plain.output)
        assert dict(told(Reader(answer.output[size:]))) == {handle: {CKA.LABEL: b"label"}}


def test_without_room_for_what_was_asked_it_is_refused_as_ever(world: tuple[Caller, int]) -> None:
    caller, session = world
    handle = create(caller, session)
    request = (session, handle, LABEL, b"", u32(CKA.LABEL))
    assert caller.call(c.GET_ATTRIBUTES_AHEAD, *request, capacity=OWN - 1).rv is CKR.BUFFER_TOO_SMALL


@pytest.mark.parametrize(
    ("following", "types"),
    [(u32(1) + b"\0", b""), (b"", bytes(3)), (bytes(4 * MOST_FOLLOWING + 4), b""), (b"", bytes(4 * MOST_TYPES + 4))],
)
def test_more_than_is_told_at_once_is_refused(world: tuple[Caller, int], following: bytes, types: bytes) -> None:
    caller, session = world
    handle = create(caller, session)
    answer = caller.call(c.GET_ATTRIBUTES_AHEAD, session, handle, LABEL, following, types)
    assert (answer.rv, answer.output) == (CKR.ARGUMENTS_BAD, b"")


def test_an_object_that_is_not_there_is_refused_whatever_follows(world: tuple[Caller, int]) -> None:
    caller, session = world
    answer, of = ask(world, 0x7FFF_FFFF, (CKA.CLASS,), create(caller, session))
    assert (answer.rv, answer.output, of) == (CKR.OBJECT_HANDLE_INVALID, b"", {})
