# SPDX-License-Identifier: Apache-2.0
"""Functions on messages, and keys that are wrapped as messages: what they send, and what they give."""

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from native.ckteec_suite.support import (
    NULL,
    UNAVAILABLE,
    Answer,
    Library,
    Sent,
    mechanism,
    pointer,
    room,
    template,
    too_small,
    ulong,
)
from softee.names import CKA, CKM, CKO, CKR, GeneratorFunction, MechanismFlag, MessageFlag
from softee.pkcs11_ta.abi.commands import by_message, keys, sessions

END = MessageFlag.END_OF_MESSAGE
INVALID = CKR.MECHANISM_PARAM_INVALID


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def counted(data: bytes) -> bytes:
    return u32(len(data)) + data


SECRET = u32(12, 1, CKA.CLASS, 4, CKO.SECRET_KEY)


def secret_template() -> tuple[object, int]:
    return template([(CKA.CLASS, struct.pack("<Q", CKO.SECRET_KEY))])


class GcmMessage(ctypes.Structure):
    _fields_: ClassVar = [
        ("iv", ctypes.c_void_p),
        ("iv_length", ctypes.c_ulong),
        ("fixed_bits", ctypes.c_ulong),
        ("generator", ctypes.c_ulong),
        ("tag", ctypes.c_void_p),
        ("tag_bits", ctypes.c_ulong),
    ]


class CcmMessage(ctypes.Structure):
    _fields_: ClassVar = [
        ("data_length", ctypes.c_ulong),
        ("nonce", ctypes.c_void_p),
        ("nonce_length", ctypes.c_ulong),
        ("fixed_bits", ctypes.c_ulong),
        ("generator", ctypes.c_ulong),
        ("mac", ctypes.c_void_p),
        ("mac_length", ctypes.c_ulong),
    ]


class ChachaMessage(ctypes.Structure):
    _fields_: ClassVar = [("nonce", ctypes.c_void_p), ("nonce_length", ctypes.c_ulong), ("tag", ctypes.c_void_p)]


@dataclass
class Parameter:
    """A message's parameter: what a program keeps for it, how it travels, and the structure."""

    kind: CKM = CKM.AES_GCM
    generator: int = GeneratorFunction.NO_GENERATE
    nonce: Any = field(default_factory=lambda: ctypes.create_string_buffer(b"n" * 12, 12))
    tag: Any = field(default_factory=lambda: ctypes.create_string_buffer(b"t" * 16, 16))

    def __post_init__(self) -> None:
        nonce, tag = ctypes.addressof(self.nonce), ctypes.addressof(self.tag)
        self.structure: Any = {
            CKM.AES_GCM: GcmMessage(nonce, 12, 32, self.generator, tag, 128),
            CKM.AES_CCM: CcmMessage(5, nonce, 12, 32, self.generator, tag, 16),
            CKM.CHACHA20_POLY1305: ChachaMessage(nonce, 96, tag),
        }[self.kind]

    @property
    def arguments(self) -> tuple[object, int]:
        return pointer(self.structure), ctypes.sizeof(self.structure)

    @property
    def mechanism(self) -> object:
        return mechanism(self.kind, self.structure)

    @property
    def wire(self) -> bytes:
        nonce = counted(b"n" * 12)
        return {
            CKM.AES_GCM: counted(nonce + u32(32, self.generator, 128)),
            CKM.AES_CCM: counted(u32(5) + nonce + u32(32, self.generator, 16)),
            CKM.CHACHA20_POLY1305: counted(nonce),
        }[self.kind]

    @property
    def kept(self) -> tuple[bytes, bytes]:
        return self.nonce.raw, self.tag.raw


UNTOUCHED = (b"n" * 12, b"t" * 16)

GENERATING = (CKM.AES_GCM, CKM.AES_CCM)
kinds = pytest.mark.parametrize("kind", [*GENERATING, CKM.CHACHA20_POLY1305], ids=lambda kind: kind.name)
generating = pytest.mark.parametrize("kind", GENERATING, ids=lambda kind: kind.name)
"""Whose nonces the token may make."""


def reply(own: bytes, data: bytes) -> Answer:
    return Answer(output=counted(own) + data)


@kinds
@pytest.mark.parametrize("name", ["C_MessageEncryptInit", "C_MessageDecryptInit"])
def test_an_operation_on_messages_begins_without_a_parameter(library: Library, kind: CKM, name: str) -> None:
    for given in (mechanism(kind), Parameter(kind).mechanism):
        assert library.call(name, 1, given, 2) == CKR.OK
        assert library.last().control == u32(1, 2, kind, 0)
    assert library.call(name, 1, mechanism(0xFFFFFFFF), 2) == CKR.MECHANISM_INVALID


@kinds
def test_a_message_is_encrypted_with_the_caller_s_nonce_and_gets_its_tag(library: Library, kind: CKM) -> None:
    given = Parameter(kind)
    out, size = room(8), ulong(8)
    library.answer(reply(b"N" * 12 + b"T" * 16, b"cipher"))
    rv = library.call("C_EncryptMessage", 1, *given.arguments, b"aad", 3, b"plain", 5, out, pointer(size))
    assert (rv, size.value, out.raw) == (CKR.OK, 6, b"cipher" + bytes(2))
    control = u32(1) + given.wire + counted(b"aad")
    assert library.last() == Sent(by_message.ENCRYPT_MESSAGE.number, control, b"plain", None, 4 + 28 + 8)
    assert given.kept == (b"n" * 12, b"T" * 16)


@generating
def test_a_nonce_that_the_token_makes_comes_back(library: Library, kind: CKM) -> None:
    given = Parameter(kind, GeneratorFunction.GENERATE)
    library.answer(reply(b"N" * 12 + b"T" * 16, b"c"))
    size = ulong(1)
    assert library.call("C_EncryptMessage", 1, *given.arguments, None, 0, b"p", 1, room(1), pointer(size)) == CKR.OK
    assert given.kept == (b"N" * 12, b"T" * 16)
    begun = Parameter(kind, GeneratorFunction.GENERATE_COUNTER)
    library.answer(reply(b"M" * 12, b""))
    assert library.call("C_EncryptMessageBegin", 1, *begun.arguments, b"aad", 3) == CKR.OK
    control = u32(1) + begun.wire + counted(b"aad")
    assert library.last() == Sent(by_message.ENCRYPT_MESSAGE_BEGIN.number, control, None, None, 4 + 12)
    assert begun.kept == (b"M" * 12, b"t" * 16)


@kinds
def test_the_tag_comes_with_the_last_part(library: Library, kind: CKM) -> None:
    given = Parameter(kind)
    for flags, own in ((0, b""), (int(END), b"T" * 16)):
        library.answer(reply(own, b"part"))
        out, size = room(4), ulong(4)
        call = ("C_EncryptMessageNext", 1, *given.arguments, b"data", 4, out, pointer(size), flags)
        assert library.call(*call) == CKR.OK
        assert (out.raw, given.tag.raw) == (b"part", own or b"t" * 16)
        room_sent = 4 + len(own) + 4
        assert library.last() == Sent(by_message.ENCRYPT_MESSAGE_NEXT.number, u32(1, flags), b"data", None, room_sent)


@kinds
def test_decryption_sends_the_tag_and_changes_no_parameter(library: Library, kind: CKM) -> None:
    given = Parameter(kind, GeneratorFunction.GENERATE)
    library.answer(reply(b"", b"plain"))
    out, size = room(5), ulong(5)
    rv = library.call("C_DecryptMessage", 1, *given.arguments, b"aad", 3, b"cipher", 6, out, pointer(size))
    assert (rv, out.raw) == (CKR.OK, b"plain")
    tag = counted(b"t" * 16)
    control = u32(1) + given.wire + counted(b"aad") + tag
    assert library.last() == Sent(by_message.DECRYPT_MESSAGE.number, control, b"cipher", None, 4 + 5)
    assert library.call("C_DecryptMessageBegin", 1, *given.arguments, None, 0) == CKR.OK
    assert library.last().control == u32(1) + given.wire + u32(0)
    call = ("C_DecryptMessageNext", 1, *given.arguments, b"part", 4, out, pointer(size), int(END))
    assert library.call(*call) == CKR.OK
    assert library.last() == Sent(by_message.DECRYPT_MESSAGE_NEXT.number, u32(1, END) + tag, b"part", None, 4 + 5)
    assert given.kept == UNTOUCHED


Call = Callable[[Library, Parameter, object, object], int]


def encrypt(library: Library, given: Parameter, out: object, size: object) -> int:
    return library.call("C_EncryptMessage", 1, *given.arguments, None, 0, b"data", 4, out, size)


def encrypt_next(library: Library, given: Parameter, out: object, size: object) -> int:
    return library.call("C_EncryptMessageNext", 1, *given.arguments, b"data", 4, out, size, 0)


def encrypt_last(library: Library, given: Parameter, out: object, size: object) -> int:
    return library.call("C_EncryptMessageNext", 1, *given.arguments, b"data", 4, out, size, int(END))


def decrypt(library: Library, given: Parameter, out: object, size: object) -> int:
    return library.call("C_DecryptMessage", 1, *given.arguments, None, 0, b"data", 4, out, size)


def decrypt_last(library: Library, given: Parameter, out: object, size: object) -> int:
    return library.call("C_DecryptMessageNext", 1, *given.arguments, b"data", 4, out, size, int(END))


def wrap(library: Library, given: Parameter, out: object, size: object) -> int:
    return library.call("C_WrapKeyAuthenticated", 1, given.mechanism, 2, 3, None, 0, out, size)


OUTPUTS: dict[Call, int] = {encrypt: 28, encrypt_next: 0, encrypt_last: 16, decrypt: 0, decrypt_last: 0, wrap: 28}
"""What follows the convention on output, with the bytes for the parameter that come before it."""


@pytest.mark.parametrize(("call", "own"), OUTPUTS.items(), ids=[call.__name__ for call in OUTPUTS])
class TestOutput:
    """PKCS#11 3.2 §5.2."""

    def test_a_null_buffer_asks_for_the_size(self, library: Library, call: Call, own: int) -> None:
        for length in (0, 5, UNAVAILABLE):
            library.answer(too_small(4 + own + 64))
            size = ulong(length)
            assert call(library, Parameter(), None, pointer(size)) == CKR.OK
            assert (size.value, library.last().capacity, len(library.sent)) == (64, 0, 1)

    def test_a_small_buffer_is_told_the_size_and_nothing_is_touched(
        self, library: Library, call: Call, own: int
    ) -> None:
        for capacity in (0, 63):
            given = Parameter(generator=GeneratorFunction.GENERATE)
            library.answer(too_small(4 + own + 64))
            out, size = room(64), ulong(capacity)
            assert call(library, given, out, pointer(size)) == CKR.BUFFER_TOO_SMALL
            assert (size.value, library.last().capacity) == (64, 4 + own + capacity)
            assert (out.raw, given.kept) == (bytes(64), UNTOUCHED)

    def test_no_bytes_fit_a_buffer_of_none(self, library: Library, call: Call, own: int) -> None:
        library.answer(reply(b"o" * own, b""))
        size = ulong(0)
        assert call(library, Parameter(), room(1), pointer(size)) == CKR.OK
        assert (size.value, len(library.sent)) == (0, 1)

    @pytest.mark.parametrize("output", [b"", bytes(3), b"\xff" * 4, u32(99) + bytes(99)], ids=len)
    def test_an_answer_that_makes_no_sense_is_the_device_s_error(
        self, library: Library, call: Call, own: int, output: bytes
    ) -> None:
        given = Parameter(generator=GeneratorFunction.GENERATE)
        library.answer(Answer(output=output))
        size = ulong(128)
        assert call(library, given, room(128), pointer(size)) == CKR.DEVICE_ERROR
        assert given.kept == UNTOUCHED
        assert own in (0, 16, 28)

    def test_a_place_for_the_length_is_needed(self, library: Library, call: Call, own: int) -> None:
        assert call(library, Parameter(), room(1), NULL) == CKR.ARGUMENTS_BAD
        assert all(sent.command == sessions.RELEASE_ACTIVE_PROCESSING.number for sent in library.sent)
        assert own in (0, 16, 28)

    def test_a_buffer_is_filled_which_may_be_the_input(self, library: Library, call: Call, own: int) -> None:
        library.answer(reply(b"o" * own, b"x" * 64))
        out, size = room(80), ulong(UNAVAILABLE)
        assert call(library, Parameter(), out, pointer(size)) == CKR.OK
        assert (out.raw, size.value) == (b"x" * 64 + bytes(16), 64)


def without_nonce(given: GcmMessage) -> None:
    given.iv = None


def with_a_long_tag(given: GcmMessage) -> None:
    given.tag_bits = UNAVAILABLE


def with_a_long_nonce(given: GcmMessage) -> None:
    given.iv_length = 1 << 40


def with_a_large_number(given: GcmMessage) -> None:
    given.fixed_bits = 1 << 32


SPOILT = (without_nonce, with_a_long_tag, with_a_long_nonce, with_a_large_number)


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_parameter_that_cannot_be_followed_is_refused(library: Library, spoil: Callable[[GcmMessage], None]) -> None:
    given = Parameter()
    spoil(given.structure)
    for call in (encrypt, decrypt, wrap):
        assert call(library, given, room(4), pointer(ulong(4))) == INVALID
    assert library.call("C_EncryptMessageBegin", 1, *given.arguments, None, 0) == INVALID
    assert not library.sent


def test_a_tag_needs_a_place_where_one_comes_and_nowhere_else(library: Library) -> None:
    given = Parameter()
    given.structure.tag = None
    for call in (encrypt, encrypt_last, wrap):
        assert call(library, given, room(4), pointer(ulong(4))) == INVALID
    library.answer(reply(b"", b""))
    assert encrypt_next(library, given, room(4), pointer(ulong(4))) == CKR.OK
    assert library.call("C_DecryptMessageBegin", 1, *given.arguments, None, 0) == CKR.OK
    assert decrypt_last(library, given, room(4), pointer(ulong(4))) == CKR.OK
    assert library.last().control == u32(1, END, 0)


def test_the_nonce_of_chacha20_has_its_length_in_bits_or_in_bytes(library: Library) -> None:
    given = Parameter(CKM.CHACHA20_POLY1305)
    for length in (96, 12):
        given.structure.nonce_length = length
        library.answer(reply(b"N" * 12 + b"T" * 16, b"x"))
        assert encrypt(library, given, room(4), pointer(ulong(4))) == CKR.OK
        assert library.last().control[4 : 4 + len(given.wire)] == given.wire
    assert given.kept == (b"n" * 12, b"T" * 16)


def test_a_parameter_of_another_size_is_none(library: Library) -> None:
    given = Parameter()
    size = ulong(4)
    for parameter, length in ((NULL, 48), (pointer(given.structure), 47), (NULL, 0), (pointer(given.structure), 0)):
        call = ("C_EncryptMessage", 1, parameter, length, None, 0, b"data", 4, room(4), pointer(size))
        assert library.call(*call) == INVALID
    for other in (CKM.AES_CCM, CKM.AES_CBC):
        of_another = mechanism(other, given.structure)
        rv = library.call("C_WrapKeyAuthenticated", 1, of_another, 2, 3, None, 0, room(4), pointer(size))
        assert rv == INVALID
    assert library.call("C_WrapKeyAuthenticated", 1, NULL, 2, 3, None, 0, room(4), pointer(size)) == CKR.ARGUMENTS_BAD
    assert not library.sent


def test_associated_data_of_null_with_a_length_are_refused(library: Library) -> None:
    given = Parameter()
    assert library.call("C_EncryptMessageBegin", 1, *given.arguments, None, 1) == CKR.ARGUMENTS_BAD
    assert library.call("C_EncryptMessageBegin", 1, *given.arguments, b"x", 1 << 32) == CKR.ARGUMENTS_BAD
    assert not library.sent


@pytest.mark.parametrize("direction", ["Encrypt", "Decrypt"])
def test_a_part_that_cannot_be_sent_ends_its_message(library: Library, direction: str) -> None:
    given = Parameter()
    call = (f"C_{direction}MessageNext", 1, *given.arguments, None, 4, room(4), pointer(ulong(4)), 0)
    assert library.call(*call) == CKR.ARGUMENTS_BAD
    assert library.last().command == sessions.RELEASE_ACTIVE_PROCESSING.number
    command = getattr(by_message, f"{direction.upper()}_MESSAGE_NEXT")
    assert library.last().control == u32(1, command.number)


CANCELLED = {
    "C_MessageEncryptInit": MechanismFlag.MESSAGE_ENCRYPT,
    "C_MessageDecryptInit": MechanismFlag.MESSAGE_DECRYPT,
    "C_MessageSignInit": MechanismFlag.MESSAGE_SIGN,
    "C_MessageVerifyInit": MechanismFlag.MESSAGE_VERIFY,
    "C_VerifySignatureInit": MechanismFlag.VERIFY,
}


@pytest.mark.parametrize(("name", "flag"), CANCELLED.items(), ids=CANCELLED)
def test_no_mechanism_cancels_the_operation(library: Library, name: str, flag: MechanismFlag) -> None:
    """PKCS#11 3.2 §5.9.1."""
    assert library.call(name, 1, None, 2, None, 0) == CKR.OK
    assert library.last() == Sent(sessions.SESSION_CANCEL.number, u32(1, flag), None, None, None)


@generating
def test_keys_are_wrapped_and_unwrapped_as_messages(library: Library, kind: CKM) -> None:
    given = Parameter(kind, GeneratorFunction.GENERATE)
    library.answer(reply(b"N" * 12 + b"T" * 16, b"wrapped"))
    out, size = room(7), ulong(7)
    call = ("C_WrapKeyAuthenticated", 1, given.mechanism, 2, 3, b"aad", 3, out, pointer(size))
    assert (library.call(*call), out.raw) == (CKR.OK, b"wrapped")
    control = u32(1, 2, 3, kind) + given.wire + counted(b"aad")
    assert library.last() == Sent(keys.WRAP_KEY_AUTHENTICATED.number, control, None, None, 4 + 28 + 7)
    assert given.kept == (b"N" * 12, b"T" * 16)
    back, key = Parameter(kind), ulong()
    library.answer(Answer(output=u32(7)))
    head = ("C_UnwrapKeyAuthenticated", 1, back.mechanism, 2, b"wrapped", 7)
    assert library.call(*head, *secret_template(), b"aad", 3, pointer(key)) == CKR.OK
    assert key.value == 7
    control = u32(1, 2, kind) + back.wire + SECRET + counted(b"aad") + counted(b"t" * 16)
    assert library.last() == Sent(keys.UNWRAP_KEY_AUTHENTICATED.number, control, b"wrapped", None, 4)
