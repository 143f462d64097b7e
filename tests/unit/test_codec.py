# SPDX-License-Identifier: Apache-2.0
"""What a codec owes: it encodes what is valid, round trips, refuses what is not, and never goes past its end."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.wire.codec import Reader, WireError, Writer

FIELDS = {
    "u8": st.integers(0, 0xFF),
    "u32": st.integers(0, 0xFFFFFFFF),
    "u64": st.integers(0, 0xFFFFFFFFFFFFFFFF),
    "blob": st.binary(max_size=40),
}
items = st.lists(st.one_of(*(st.tuples(st.just(name), values) for name, values in FIELDS.items())), max_size=12)


def _read(reader: Reader, name: str) -> int | bytes:
    if name == "blob":
        return reader.take(reader.u32())
    value: int = getattr(reader, name)()
    return value


@given(items)
def test_what_is_written_reads_back_and_nothing_is_left(fields: list[tuple[str, int | bytes]]) -> None:
    writer = Writer()
    for name, value in fields:
        getattr(writer, name)(value)
    reader = Reader(writer.done())
    assert [(name, _read(reader, name)) for name, _ in fields] == fields
    reader.finish()


@given(st.binary(max_size=16), st.sampled_from([("u8", 1), ("u32", 4), ("u64", 8)]))
def test_integers_are_little_endian_or_refused(data: bytes, field: tuple[str, int]) -> None:
    name, size = field
    reader = Reader(data)
    if len(data) < size:
        with pytest.raises(WireError):
            getattr(reader, name)()
    else:
        assert getattr(reader, name)() == int.from_bytes(data[:size], "little")
        assert reader.remaining == len(data) - size


@given(st.binary(max_size=16), st.integers(-3, 32))
def test_a_length_past_the_end_or_below_zero_is_refused_and_reads_nothing(data: bytes, count: int) -> None:
    reader = Reader(data)
    if 0 <= count <= len(data):
        assert reader.take(count) == data[:count]
        return
    with pytest.raises(WireError):
        reader.take(count)
    assert reader.rest() == data


def test_leftovers_are_refused() -> None:
    reader = Reader(b"abc")
    reader.take(2)
    with pytest.raises(WireError, match="1 bytes left over"):
        reader.finish()


def test_a_part_read_on_its_own_cannot_reach_what_follows_it() -> None:
    reader = Reader(b"\x01\x02\x03\x04\x05")
    part = reader.sub(2)
    with pytest.raises(WireError):
        part.u32()
    assert reader.take(3) == b"\x03\x04\x05"


def test_errors_do_not_show_the_bytes() -> None:
    with pytest.raises(WireError) as caught:
        Reader(b"4711").take(9)
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("u8", 256), ("u8", -1), ("u32", 1 << 32), ("u32", -1), ("u64", 1 << 64)])
def test_values_that_do_not_fit_raise_when_written(name: str, value: int) -> None:
    with pytest.raises((OverflowError, struct.error)):
        getattr(Writer(), name)(value)
