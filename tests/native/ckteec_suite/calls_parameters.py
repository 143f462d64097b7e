# SPDX-License-Identifier: Apache-2.0
"""Mechanism parameters: how libckteec reads an application's structures, and what it refuses by itself."""

import ctypes
import struct

import pytest

from native.ckteec_suite.support import Answer, Library, mechanism, pointer, ulong
from softee.names import CKM, CKR

BIG = 2**32
"""The least number that does not fit the wire."""

TOO_LONG = (BIG, BIG + 16, 2**63, 2**64 - 1)


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@pytest.mark.parametrize(
    ("kind", "parameter"),
    [
        (CKM.AES_CTR, bytes(23)),
        (CKM.RSA_PKCS_PSS, bytes(12)),
        (CKM.RSA_PKCS_OAEP, b""),
        (CKM.SHA256_HMAC_GENERAL, bytes(4)),
        (CKM.EDDSA, bytes(8)),
        (CKM.ML_DSA, bytes(16)),
        (CKM.ML_DSA, struct.pack("LPL", 0, 0, 5)),
        (CKM.HASH_ML_DSA, b""),
        *((CKM.HASH_ML_DSA, struct.pack("LPLL", 0, 1, length, CKM.SHA256)) for length in TOO_LONG),
        (CKM.RSA_PKCS_OAEP, struct.pack("LLLPL", 1, 1, 1, 0, 5)),
        (CKM.RSA_AES_KEY_WRAP, struct.pack("LP", 256, 0)),
        (CKM.AES_GCM, struct.pack("PLLPLL", 0, 12, 96, 0, 0, 128)),
        (CKM.AES_CCM, struct.pack("LPLPLL", 0, 0, 12, 0, 0, 16)),
        (CKM.AES_ECB_ENCRYPT_DATA, struct.pack("PL", 0, 16)),
        (CKM.AES_CBC_ENCRYPT_DATA, struct.pack("16sPL", bytes(16), 0, 16)),
        (CKM.CHACHA20, struct.pack("PLPL", 0, 32, 0, 0)),
        (CKM.CHACHA20, struct.pack("PLPL", 0, 0, 0, 96)),
        (CKM.CHACHA20, struct.pack("PLPL", 1, 31, 0, 0)),
        (CKM.CHACHA20, struct.pack("PLPL", 0, 0, 1, 12)),
        (CKM.CHACHA20_POLY1305, struct.pack("PLPL", 0, 12, 0, 0)),
        (CKM.CHACHA20_POLY1305, struct.pack("PLPL", 0, 96, 0, 0)),
        (CKM.CHACHA20_POLY1305, struct.pack("PLPL", 1, 97, 0, 0)),
        (CKM.CHACHA20, struct.pack("PLPL", 1, 8 * BIG, 0, 0)),
        *((CKM.CHACHA20_POLY1305, struct.pack("PLPL", 1, 8 * length, 0, 0)) for length in (BIG, BIG + 16, 2**60)),
        *((CKM.AES_ECB_ENCRYPT_DATA, struct.pack("PL", 1, length)) for length in TOO_LONG),
        *((CKM.AES_CBC_ENCRYPT_DATA, struct.pack("16sPL", bytes(16), 1, length)) for length in TOO_LONG),
    ],
)
def test_a_parameter_that_the_mechanism_does_not_take_is_refused(library: Library, kind: int, parameter: bytes) -> None:
    """NULL with a length, and lengths that 32 bits do not hold, among them: what they point to is never read."""
    library.sent.clear()
    assert library.call("C_SignInit", 1, mechanism(kind, parameter), 2) == CKR.MECHANISM_PARAM_INVALID
    assert library.sent == []


UNKNOWN = (0x80001234, CKM.KEA_DERIVE)


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_mechanism_that_nobody_knows_is_passed_on_without_a_parameter(library: Library, kind: int) -> None:
    assert library.call("C_SignInit", 1, mechanism(kind), 2) == CKR.OK
    assert library.last().control == u32(1, 2, kind, 0)


@pytest.mark.parametrize("kind", UNKNOWN)
def test_with_one_it_is_a_mechanism_that_nobody_knows(library: Library, kind: int) -> None:
    library.sent.clear()
    assert library.call("C_SignInit", 1, mechanism(kind, bytes(8)), 2) == CKR.MECHANISM_INVALID
    assert library.sent == []


@pytest.mark.parametrize("length", [1, 2**63])
def test_a_parameter_too_many_is_the_token_s_affair_and_is_not_read(library: Library, length: int) -> None:
    """Applications pass garbage here: an address that is none, a length of any size."""
    garbage = mechanism(CKM.ECDSA)
    garbage.contents.parameter, garbage.contents.length = 1, length
    library.answer(Answer(CKR.MECHANISM_PARAM_INVALID))
    assert library.call("C_SignInit", 1, garbage, 2) == CKR.MECHANISM_PARAM_INVALID
    assert library.last().control == u32(1, 2, CKM.ECDSA, 1) + b"\0"


@pytest.mark.parametrize(
    ("kind", "pack", "wire"),
    [
        (CKM.EDDSA, ("B7xLP", 1, 3), u32(1, 3) + b"xyz"),
        (CKM.ML_DSA, ("LPL", 2, 3), u32(2, 3) + b"xyz"),
        (CKM.AES_ECB_ENCRYPT_DATA, ("PL", 3), u32(3) + b"xyz"),
        (CKM.AES_CBC_ENCRYPT_DATA, ("16sPL", b"i" * 16, 3), b"i" * 16 + u32(3) + b"xyz"),
        (CKM.RSA_PKCS_OAEP, ("LLLPL", 0x250, 2, 1, 3), u32(0x250, 2, 1, 3) + b"xyz"),
    ],
)
def test_counted_bytes_in_a_parameter(library: Library, kind: int, pack: tuple[object, ...], wire: bytes) -> None:
    data = ctypes.create_string_buffer(b"xyz", 3)
    layout, *values = pack
    place = -1 if str(layout).endswith("PL") else len(values)
    values.insert(len(values) + place if place < 0 else place, ctypes.addressof(data))
    assert library.call("C_SignInit", 1, mechanism(kind, struct.pack(str(layout), *values)), 2) == CKR.OK
    assert library.last().control == u32(1, 2, kind, len(wire)) + wire


def address(data: bytes) -> int:
    """Return where a copy of ``data`` lies for the rest of the run."""
    KEPT.append(ctypes.create_string_buffer(data, len(data)))
    return ctypes.addressof(KEPT[-1])


KEPT: list[ctypes.Array[ctypes.c_char]] = []
COUNTER_FORMAT = struct.pack("B7xL", 1, 16)
LENGTH_FORMAT = struct.pack("LB7xL", 2, 0, 32)


def kdf(*data: tuple[int, bytes, int], count: int | None = None) -> bytes:
    """Return CK_SP800_108_KDF_PARAMS; what a piece points to, and the length that it says."""
    array = b"".join(struct.pack("LPL", kind, address(value) if value else 0, size) for kind, value, size in data)
    return struct.pack("LLPLP", 5, len(data) if count is None else count, address(array) if array else 0, 0, 0)


@pytest.mark.parametrize("length", [12, 96], ids=["in bytes", "in bits"])
def test_a_nonce_s_length_is_in_bits_or_in_bytes(library: Library, length: int) -> None:
    """The standard says bits, and most programs say bytes: what is taken for the other would be read past its end."""
    wire = u32(12) + b"twelve bytes" + u32(3) + b"aad"
    parameter = struct.pack("PLPL", address(b"twelve bytes"), length, address(b"aad"), 3)
    assert library.call("C_EncryptInit", 1, mechanism(CKM.CHACHA20_POLY1305, parameter), 2) == CKR.OK
    assert library.last().control == u32(1, 2, CKM.CHACHA20_POLY1305, len(wire)) + wire


@pytest.mark.parametrize("size", [4, 8])
def test_lengths_in_bits_travel_in_bytes(library: Library, size: int) -> None:
    wire = u32(size) + b"counting"[:size] + u32(12) + b"twelve bytes"
    parameter = struct.pack("PLPL", address(b"counting"), 8 * size, address(b"twelve bytes"), 96)
    assert library.call("C_EncryptInit", 1, mechanism(CKM.CHACHA20, parameter), 2) == CKR.OK
    assert library.last().control == u32(1, 2, CKM.CHACHA20, len(wire)) + wire


def derive(library: Library, kind: int, parameter: bytes) -> int:
    made = ulong()
    return library.call("C_DeriveKey", 1, mechanism(kind, parameter), 2, None, 0, pointer(made))


def test_the_pieces_of_a_derivation_travel_as_their_types_say(library: Library) -> None:
    library.answer(Answer(output=u32(7)))
    parameter = kdf((1, COUNTER_FORMAT, 16), (3, LENGTH_FORMAT, 24), (4, b"xyz", 3), (5, struct.pack("L", 9), 8))
    assert derive(library, CKM.SP800_108_COUNTER_KDF, parameter) == CKR.OK
    wire = u32(5, 4, 1, 8, 1, 16, 3, 12, 2, 0, 32, 4, 3) + b"xyz" + u32(5, 4, 9, 0)
    assert u32(CKM.SP800_108_COUNTER_KDF, len(wire)) + wire in library.last().control
    library.answer(Answer(output=u32(7)))
    assert derive(library, CKM.SP800_108_DOUBLE_PIPELINE_KDF, kdf((1, b"", 0))) == CKR.OK
    assert u32(16 + 4, 5, 1, 1, 0, 0) in library.last().control


@pytest.mark.parametrize(
    "parameter",
    [
        kdf((1, COUNTER_FORMAT, 8)),
        kdf((1, b"", 16)),
        kdf((3, COUNTER_FORMAT, 16)),
        kdf((4, b"", 3)),
        kdf((5, struct.pack("L", BIG), 8)),
        kdf(count=1),
        kdf(count=BIG),
    ],
)
def test_pieces_that_are_not_what_their_types_say_are_refused(library: Library, parameter: bytes) -> None:
    library.sent.clear()
    assert derive(library, CKM.SP800_108_COUNTER_KDF, parameter) == CKR.MECHANISM_PARAM_INVALID
    assert library.sent == []


@pytest.mark.parametrize("length", [8, address(struct.pack("L", 8))], ids=["the length", "a pointer to it"])
def test_a_password_s_length_is_there_or_pointed_to_as_older_programs_do(library: Library, length: int) -> None:
    """CK_PKCS5_PBKD2_PARAMS2 and CK_PKCS5_PBKD2_PARAMS have the same size."""
    salt, password = address(b"salt"), address(b"password")
    parameter = struct.pack("LPLLLPLPL", 1, salt, 4, 1000, 4, 0, 0, password, length)
    library.answer(Answer(output=u32(7)))
    made = ulong()
    by = mechanism(CKM.PKCS5_PBKD2, parameter)
    assert library.call("C_GenerateKey", 1, by, None, 0, pointer(made)) == CKR.OK
    wire = u32(1, 4) + b"salt" + u32(1000, 4, 0, 8) + b"password"
    assert u32(CKM.PKCS5_PBKD2, len(wire)) + wire in library.last().control
