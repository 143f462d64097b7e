# SPDX-License-Identifier: Apache-2.0
"""Dual-function updates (PKCS#11 3.2 §5.17): two commands, of which the second gets what the first one let through."""

import ctypes

import pytest

from native.ckteec_suite.support import Answer, Library, Sent, pointer, room, too_small, ulong
from softee.names import CKR
from softee.pkcs11_ta.abi.commands import ciphers, digests, sessions, signatures

ENCRYPT, DECRYPT = ciphers.ENCRYPT_UPDATE.number, ciphers.DECRYPT_UPDATE.number
RELEASE = sessions.RELEASE_ACTIVE_PROCESSING.number
PAIRS = {
    "C_DigestEncryptUpdate": (ENCRYPT, digests.DIGEST_UPDATE.number),
    "C_SignEncryptUpdate": (ENCRYPT, signatures.SIGN_UPDATE.number),
    "C_DecryptDigestUpdate": (DECRYPT, digests.DIGEST_UPDATE.number),
    "C_DecryptVerifyUpdate": (DECRYPT, signatures.VERIFY_UPDATE.number),
}
every = pytest.mark.parametrize("name", PAIRS)


def plain(name: str, given: bytes, came: bytes) -> bytes:
    """What the other operation gets: of an encryption what goes in, of a decryption what comes out."""
    return given if PAIRS[name][0] == ENCRYPT else came


def commands(library: Library) -> list[int]:
    return [sent.command for sent in library.sent]


@every
def test_a_part_goes_to_both(library: Library, name: str) -> None:
    library.answer(Answer(output=b"0123456789"), Answer())
    buffer, size = room(12), ulong(12)
    assert library.call(name, 1, b"part", 4, buffer, pointer(size)) == CKR.OK
    assert (size.value, buffer.raw) == (10, b"0123456789\0\0")
    first, second = library.sent
    assert (first.command, second.command) == PAIRS[name]
    assert (first.data, second.data) == (b"part", plain(name, b"part", b"0123456789"))
    assert second.capacity is None


@every
def test_the_output_may_take_the_place_of_the_part(library: Library, name: str) -> None:
    library.answer(Answer(output=b"OUTPUT"), Answer())
    buffer, size = ctypes.create_string_buffer(b"inputs", 6), ulong(6)
    assert library.call(name, 1, buffer, 6, buffer, pointer(size)) == CKR.OK
    assert buffer.raw == b"OUTPUT"
    assert library.last().data == plain(name, b"inputs", b"OUTPUT")


@every
def test_a_large_part_is_whole_on_both_sides(library: Library, name: str) -> None:
    part = bytes(range(256)) * 300
    library.answers = lambda sent: Answer(output=part if sent.capacity else b"")
    size = ulong(len(part))
    assert library.call(name, 1, part, len(part), room(len(part)), pointer(size)) == CKR.OK
    assert library.last().data == part


@every
@pytest.mark.parametrize("null", [True, False])
def test_asking_for_the_size_gives_the_other_operation_nothing(library: Library, name: str, *, null: bool) -> None:
    library.answer(too_small(16))
    size = ulong(5)
    expected = CKR.OK if null else CKR.BUFFER_TOO_SMALL
    assert library.call(name, 1, b"part", 4, None if null else room(5), pointer(size)) == expected
    assert (size.value, commands(library)) == (16, [PAIRS[name][0]])


@every
def test_a_part_that_brings_no_bytes_yet_goes_to_both(library: Library, name: str) -> None:
    library.answer(Answer(), Answer())
    size = ulong(16)
    assert library.call(name, 1, b"part", 4, room(16), pointer(size)) == CKR.OK
    assert (size.value, tuple(commands(library))) == (0, PAIRS[name])
    assert library.last().data in (plain(name, b"part", b""), None)


@every
def test_an_empty_buffer_for_no_bytes_is_enough(library: Library, name: str) -> None:
    library.answer(too_small(0), Answer(), Answer())
    size = ulong(0)
    assert library.call(name, 1, b"part", 4, room(1), pointer(size)) == CKR.OK
    first, second = PAIRS[name]
    assert commands(library) == [first, first, second]


@every
def test_where_the_first_fails_the_other_one_gets_nothing(library: Library, name: str) -> None:
    library.answer(Answer(CKR.OPERATION_NOT_INITIALIZED))
    size = ulong(16)
    assert library.call(name, 1, b"part", 4, room(16), pointer(size)) == CKR.OPERATION_NOT_INITIALIZED
    assert commands(library) == [PAIRS[name][0]]


@every
@pytest.mark.parametrize("rv", [CKR.OPERATION_NOT_INITIALIZED, CKR.MECHANISM_INVALID, CKR.DEVICE_MEMORY])
def test_where_the_other_one_fails_the_first_ends_too_and_takes_no_part_twice(
    library: Library, name: str, rv: CKR
) -> None:
    library.answer(Answer(output=b"0123456789"), Answer(rv), Answer())
    assert library.call(name, 7, b"part", 4, room(10), pointer(ulong(10))) == rv
    first, second = PAIRS[name]
    assert commands(library) == [first, second, RELEASE]
    assert library.last().control == (7).to_bytes(4, "little") + first.to_bytes(4, "little")


@every
def test_bad_arguments_end_the_first_and_reach_neither(library: Library, name: str) -> None:
    for arguments in ((1, None, 4, room(8), pointer(ulong(8))), (1, b"part", 4, room(8), None)):
        library.answer(Answer())
        assert library.call(name, *arguments) == CKR.ARGUMENTS_BAD
        assert commands(library) == [RELEASE]


@every
def test_a_part_beyond_all_bounds_is_refused_and_ends_the_operation(library: Library, name: str) -> None:
    def refuse(sent: Sent) -> Answer:
        return Answer() if sent.command == RELEASE else Answer(result=0xFFFF000C, origin=1)

    library.answers = refuse
    library.sent.clear()
    assert library.call(name, 1, b"part", 1 << 40, room(8), pointer(ulong(8))) == CKR.HOST_MEMORY
    assert library.last().command == RELEASE
