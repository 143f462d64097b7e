# SPDX-License-Identifier: Apache-2.0
"""Frames: lengths, types, cuts, leftovers."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.wire.codec import WireError
from softee.wire.frames import HEADER_SIZE, MAX_LENGTH, FrameType, decode_frame, encode_frame, frame_size, whole_frame


@given(st.sampled_from(FrameType), st.integers(0, 0xFFFFFFFF), st.binary(max_size=100))
def test_a_frame_round_trips(frame_type: FrameType, serial: int, payload: bytes) -> None:
    data = encode_frame(frame_type, serial, payload)
    frame = decode_frame(memoryview(data))
    assert (frame.type, frame.serial, bytes(frame.payload)) == (frame_type, serial, payload)
    assert frame_size(data) == len(data)


def test_the_layout_is_that_of_the_protocol_page() -> None:
    assert encode_frame(FrameType.INVOKE, 0x01020304, b"xy") == bytes.fromhex("0a000000 03000000 04030201 7879")


@pytest.mark.parametrize("there", range(4))
def test_a_length_is_read_when_its_four_bytes_are_there(there: int) -> None:
    length = struct.pack("<I", 8)
    assert frame_size(length) == 12
    with pytest.raises(WireError, match=f"4 bytes of length wanted, {there} there"):
        frame_size(length[:there])


@pytest.mark.parametrize("length", [0, 7, MAX_LENGTH + 1, 0xFFFFFFFF])
def test_a_length_outside_the_limits_is_refused(length: int) -> None:
    with pytest.raises(WireError, match="length"):
        frame_size(struct.pack("<I", length))


def test_the_largest_frame_is_taken_and_no_larger_one_is_made() -> None:
    payload = bytes(MAX_LENGTH - 8)
    assert len(decode_frame(memoryview(encode_frame(FrameType.INVOKE, 1, payload))).payload) == len(payload)
    with pytest.raises(WireError):
        encode_frame(FrameType.INVOKE, 1, payload + b"x")


def test_a_lower_limit_of_the_settings_holds() -> None:
    data = memoryview(encode_frame(FrameType.INVOKE, 1, bytes(5000)))
    with pytest.raises(WireError, match="8 to 4096"):
        decode_frame(data, 4096)


@pytest.mark.parametrize("size", range(14))
def test_a_cut_frame_is_refused(size: int) -> None:
    with pytest.raises(WireError):
        decode_frame(memoryview(encode_frame(FrameType.INVOKE, 1, b"xy"))[:size])


@given(st.binary(max_size=40) | st.builds(encode_frame, st.sampled_from(FrameType), st.integers(0, 9), st.binary()))
def test_what_has_come_is_a_whole_frame_or_not_one_yet_or_none(data: bytes) -> None:
    buffer = memoryview(bytearray(data).ljust(200, b"?"))
    try:
        expected = decode_frame(memoryview(data))
    except WireError:
        expected = None
    try:
        found = whole_frame(buffer, len(data))
    except WireError:
        assert expected is None
        return
    assert found == expected
    if found is None:
        assert len(data) < HEADER_SIZE or frame_size(data) > len(data)


def test_leftovers_are_refused() -> None:
    with pytest.raises(WireError, match="announced"):
        decode_frame(memoryview(encode_frame(FrameType.INVOKE, 1, b"xy") + b"z"))


@pytest.mark.parametrize("number", [0, 6, 0x80, 0x86, 0xFE, 0x103, 0xFFFFFFFF])
def test_an_unknown_type_is_refused(number: int) -> None:
    with pytest.raises(WireError, match="unknown frame type"):
        decode_frame(memoryview(struct.pack("<III", 8, number, 1)))
