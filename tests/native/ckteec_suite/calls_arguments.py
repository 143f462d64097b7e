# SPDX-License-Identifier: Apache-2.0
"""What libckteec refuses by itself, and what it converts, between an application's CK_ULONG and the wire's 32 bits."""

import ctypes
import struct

import pytest

from native.ckteec_suite.support import (
    UNAVAILABLE,
    Answer,
    Library,
    mechanism,
    pointer,
    room,
    template,
    too_small,
    ulong,
)
from softee.names import CKA, CKM, CKR, TeeResult
from softee.names.attribute_kinds import OPTEE_ULONGS, ULONG_LISTS, ULONGS
from softee.pkcs11_ta.abi.commands import COMMANDS

NUMBER = {command.function: command.number for command in reversed(COMMANDS)}
RELEASE = 44
BIG = 2**32
"""The least number that does not fit the wire."""

AES = mechanism(CKM.AES_ECB)


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("C_CloseSession", (BIG,), CKR.SESSION_HANDLE_INVALID),
        ("C_CloseAllSessions", (BIG,), CKR.SLOT_ID_INVALID),
        ("C_GetSlotInfo", (BIG, room(200)), CKR.SLOT_ID_INVALID),
        ("C_GetMechanismInfo", (0, BIG, room(24)), CKR.MECHANISM_INVALID),
        ("C_OpenSession", (0, BIG | 4, None, None, pointer(ulong())), CKR.ARGUMENTS_BAD),
        ("C_Login", (1, BIG, b"1234", 4), CKR.USER_TYPE_INVALID),
        ("C_DestroyObject", (1, BIG), CKR.OBJECT_HANDLE_INVALID),
        ("C_SignInit", (1, AES, BIG), CKR.KEY_HANDLE_INVALID),
        ("C_SignRecoverInit", (1, AES, BIG), CKR.KEY_HANDLE_INVALID),
        ("C_VerifyRecoverInit", (1, AES, BIG), CKR.KEY_HANDLE_INVALID),
        ("C_GetOperationState", (BIG, None, pointer(ulong())), CKR.SESSION_HANDLE_INVALID),
        ("C_SetOperationState", (1, b"state", 5, BIG, 0), CKR.KEY_NOT_NEEDED),
        ("C_SetOperationState", (1, b"state", 5, 0, BIG), CKR.KEY_NOT_NEEDED),
        ("C_DigestKey", (1, BIG), CKR.KEY_HANDLE_INVALID),
        ("C_WrapKey", (1, AES, BIG, 2, None, pointer(ulong())), CKR.WRAPPING_KEY_HANDLE_INVALID),
        ("C_WrapKey", (1, AES, 2, BIG, None, pointer(ulong())), CKR.KEY_HANDLE_INVALID),
        ("C_UnwrapKey", (1, AES, BIG, b"", 0, None, 0, pointer(ulong())), CKR.UNWRAPPING_KEY_HANDLE_INVALID),
        ("C_DeriveKey", (1, AES, BIG, None, 0, pointer(ulong())), CKR.KEY_HANDLE_INVALID),
        ("C_SignInit", (1, mechanism(BIG), 2), CKR.MECHANISM_INVALID),
        ("C_SignInit", (1, mechanism(BIG - 1), 2), CKR.MECHANISM_INVALID),
        ("C_SignInit", (1, mechanism(CKM.SHA256_HMAC_GENERAL, ulong(BIG)), 2), CKR.MECHANISM_PARAM_INVALID),
        ("C_FindObjectsInit", (1, *template([(BIG, b"x")])), CKR.ATTRIBUTE_TYPE_INVALID),
        ("C_FindObjectsInit", (1, *template([(BIG - 1, b"x")])), CKR.ATTRIBUTE_TYPE_INVALID),
        ("C_FindObjectsInit", (1, *template([(CKA.CLASS, struct.pack("L", BIG))])), CKR.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_a_number_above_32_bits_is_refused_with_the_code_of_what_it_is(
    library: Library, name: str, arguments: tuple[object, ...], expected: CKR
) -> None:
    library.sent.clear()
    assert library.call(name, *arguments) == expected
    assert library.sent == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("C_GetInfo", (None,)),
        ("C_GetSlotList", (0, None, None)),
        ("C_GetSlotInfo", (0, None)),
        ("C_GetTokenInfo", (0, None)),
        ("C_GetMechanismList", (0, None, None)),
        ("C_GetMechanismInfo", (0, 1, None)),
        ("C_InitToken", (0, b"12345678", 8, None)),
        ("C_InitToken", (0, None, 8, b" " * 32)),
        ("C_InitPIN", (1, None, 4)),
        ("C_SetPIN", (1, None, 4, b"1234", 4)),
        ("C_SetPIN", (1, b"1234", 4, None, 4)),
        ("C_Login", (1, 1, None, 4)),
        ("C_OpenSession", (0, 4, None, None, None)),
        ("C_OpenSession", (0, 5, None, None, pointer(ulong()))),
        ("C_GetSessionInfo", (1, None)),
        ("C_GetOperationState", (1, None, None)),
        ("C_SetOperationState", (1, None, 4, 0, 0)),
        ("C_SignRecoverInit", (1, None, 2)),
        ("C_CreateObject", (1, None, 0, pointer(ulong()))),
        ("C_CreateObject", (1, *template([(CKA.TOKEN, b"\0")]), None)),
        ("C_CopyObject", (1, 2, None, 1, pointer(ulong()))),
        ("C_GetObjectSize", (1, 2, None)),
        ("C_GetAttributeValue", (1, 2, None, 1)),
        ("C_SetAttributeValue", (1, 2, None, 1)),
        ("C_FindObjectsInit", (1, None, 1)),
        ("C_FindObjects", (1, None, 1, pointer(ulong()))),
        ("C_FindObjects", (1, room(8), 1, None)),
        ("C_SignInit", (1, None, 2)),
        ("C_DigestInit", (1, None)),
        ("C_GenerateKey", (1, AES, None, 0, None)),
        ("C_GenerateKey", (1, None, None, 0, pointer(ulong()))),
        ("C_GenerateKeyPair", (1, AES, None, 0, None, 0, None, pointer(ulong()))),
        ("C_GenerateKeyPair", (1, AES, None, 0, None, 1, pointer(ulong()), pointer(ulong()))),
        ("C_WrapKey", (1, AES, 2, 3, None, None)),
        ("C_UnwrapKey", (1, AES, 2, None, 16, None, 0, pointer(ulong()))),
        ("C_UnwrapKey", (1, AES, 2, b"wrapped", 7, None, 0, None)),
        ("C_SeedRandom", (1, None, 4)),
        ("C_GenerateRandom", (1, None, 4)),
    ],
)
def test_a_null_pointer_where_something_is_needed_is_refused_before_anything_is_sent(
    library: Library, name: str, arguments: tuple[object, ...]
) -> None:
    library.sent.clear()
    assert library.call(name, *arguments) == CKR.ARGUMENTS_BAD
    assert library.sent == []


@pytest.mark.parametrize(
    "name", ["C_Encrypt", "C_EncryptUpdate", "C_Decrypt", "C_DecryptUpdate", "C_Digest", "C_Sign", "C_VerifyRecover"]
)
def test_bad_arguments_end_the_active_operation(library: Library, name: str) -> None:
    for arguments in ((None, 1, room(8), pointer(ulong(8))), (b"x", 1, room(8), None)):
        library.sent.clear()
        assert library.call(name, 7, *arguments) == CKR.ARGUMENTS_BAD
        assert [(sent.command, sent.control) for sent in library.sent] == [(RELEASE, u32(7, NUMBER[name]))]


@pytest.mark.parametrize("name", ["C_SignUpdate", "C_VerifyUpdate", "C_DigestUpdate", "C_VerifyFinal"])
def test_a_null_part_with_a_length_ends_the_active_operation(library: Library, name: str) -> None:
    library.sent.clear()
    assert library.call(name, 7, None, 1) == CKR.ARGUMENTS_BAD
    assert [(sent.command, sent.control) for sent in library.sent] == [(RELEASE, u32(7, NUMBER[name]))]


@pytest.mark.parametrize("result", [TeeResult.EXCESS_DATA, TeeResult.OUT_OF_MEMORY])
@pytest.mark.parametrize("name", ["C_Encrypt", "C_DecryptUpdate", "C_Digest", "C_Sign"])
def test_data_that_never_reached_the_application_end_the_active_operation(
    library: Library, name: str, result: TeeResult
) -> None:
    for origin, released in ((1, True), (3, True), (2, False), (4, False)):
        library.answer(Answer(result=result, origin=origin), Answer())
        size = ulong(8)
        assert library.call(name, 7, b"x", 1, room(8), pointer(size)) in (CKR.DEVICE_MEMORY, CKR.HOST_MEMORY)
        assert size.value == 8
        expected = [(NUMBER[name], u32(7)), (RELEASE, u32(7, NUMBER[name]))]
        assert [(sent.command, sent.control) for sent in library.sent] == expected[: 1 + released]


def test_an_output_that_no_answer_can_bring_is_not_called_too_small(library: Library) -> None:
    """The application's buffer is large enough: it would try for ever."""
    needed, given = (65 << 20) + 16, ulong(66 << 20)
    library.answer(too_small(needed), Answer())
    assert library.call("C_Encrypt", 7, b"x", 1, room(66 << 20), pointer(given)) == CKR.DEVICE_MEMORY
    assert given.value == 66 << 20
    assert library.last().command == RELEASE


def test_a_session_handle_that_cannot_be_one_releases_nothing(library: Library) -> None:
    library.sent.clear()
    assert library.call("C_Sign", BIG + 1, b"x", 1, None, None) == CKR.SESSION_HANDLE_INVALID
    assert library.sent == []


@pytest.mark.parametrize(("name", "data"), [("C_SignUpdate", b""), ("C_VerifyUpdate", b""), ("C_DigestUpdate", None)])
def test_no_data_at_all_is_a_legal_part(library: Library, name: str, data: bytes | None) -> None:
    assert library.call(name, 1, None, 0) == CKR.OK
    assert library.last().command == NUMBER[name]
    assert library.last().data == data


def test_verification_sends_the_signature_as_the_second_input(library: Library) -> None:
    assert library.call("C_VerifyFinal", 1, b"signature", 9) == CKR.OK
    assert (library.last().command, library.last().data, library.last().second) == (30, None, b"signature")
    assert library.call("C_Verify", 1, None, 0, None, 0) == CKR.OK
    assert (library.last().command, library.last().data, library.last().second) == (32, None, b"")


def test_a_saved_state_is_sent_with_the_handles_of_its_keys(library: Library) -> None:
    assert library.call("C_SetOperationState", 1, b"state", 5, 2, 3) == CKR.OK
    assert (library.last().control, library.last().data) == (u32(1, 2, 3), b"state")


def test_a_copy_names_the_object_and_the_changes(library: Library) -> None:
    library.answer(Answer(output=u32(9)))
    handle = ulong()
    assert library.call("C_CopyObject", 1, 2, *template([(CKA.TOKEN, b"\1")]), pointer(handle)) == CKR.OK
    assert library.last().control == u32(1, 2, 9, 1, CKA.TOKEN, 1) + b"\1"
    assert handle.value == 9


def test_templates_of_null_with_a_count_of_zero_are_empty(library: Library) -> None:
    library.answer(Answer(output=u32(3, 4)))
    handles = ulong(), ulong()
    pair = (1, mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN), None, 0, None, 0, pointer(handles[0]), pointer(handles[1]))
    assert library.call("C_GenerateKeyPair", *pair) == CKR.OK
    assert library.last().control == u32(1, CKM.RSA_PKCS_KEY_PAIR_GEN, 0, 0, 0, 0, 0)
    assert (handles[0].value, handles[1].value) == (3, 4)


def test_an_application_may_give_a_callback_which_is_never_called(library: Library) -> None:
    library.answer(Answer(output=u32(5)))
    handle = ulong()
    assert library.call("C_OpenSession", 0, 4, room(1), room(1), pointer(handle)) == CKR.OK
    assert handle.value == 5


@pytest.mark.parametrize("attribute", sorted(ULONGS))
def test_every_attribute_that_is_a_ulong_travels_as_four_bytes(library: Library, attribute: CKA) -> None:
    assert library.call("C_FindObjectsInit", 1, *template([(attribute, struct.pack("L", 7))])) == CKR.OK
    assert library.last().control == u32(1, 12, 1, attribute, 4, 7)
    assert library.call("C_FindObjectsInit", 1, *template([(attribute, struct.pack("L", UNAVAILABLE))])) == CKR.OK
    assert library.last().control == u32(1, 12, 1, attribute, 4, 2**32 - 1)


@pytest.mark.parametrize("number", [2**32 - 1, 2**32])
@pytest.mark.parametrize("attribute", [CKA.VALUE_LEN, CKA.ALLOWED_MECHANISMS])
def test_a_ulong_that_would_arrive_as_another_is_refused(library: Library, attribute: CKA, number: int) -> None:
    """32 ones stand for CK_UNAVAILABLE_INFORMATION on the wire, and for a number in an application."""
    given = template([(attribute, struct.pack("L", number))])
    assert library.call("C_FindObjectsInit", 1, *given) == CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("size", [0, 1, 4, 7, 9, 16])
def test_a_ulong_of_another_size_is_no_value(library: Library, size: int) -> None:
    given = template([(CKA.KEY_TYPE, bytes(size))])
    assert library.call("C_FindObjectsInit", 1, *given) == CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("attribute", sorted(ULONG_LISTS))
def test_lists_of_ulongs_are_narrowed_one_by_one(library: Library, attribute: CKA) -> None:
    assert library.call("C_FindObjectsInit", 1, *template([(attribute, struct.pack("LL", 0x1041, 1))])) == CKR.OK
    assert library.last().control == u32(1, 16, 1, attribute, 8, 0x1041, 1)
    short = template([(attribute, bytes(12))])
    assert library.call("C_FindObjectsInit", 1, *short) == CKR.ATTRIBUTE_VALUE_INVALID


def test_the_table_has_the_ten_that_optee_converts() -> None:
    assert len(OPTEE_ULONGS) == 10
    assert OPTEE_ULONGS < ULONGS


def test_a_value_of_null_with_a_length_is_refused(library: Library) -> None:
    array, count = template([(CKA.LABEL, b"")])
    array[0].length = 3
    assert library.call("C_FindObjectsInit", 1, array, count) == CKR.ATTRIBUTE_VALUE_INVALID


def test_a_length_of_all_ones_is_refused_without_reading_the_value(library: Library) -> None:
    array, count = template([(CKA.LABEL, b"label")])
    array[0].length = UNAVAILABLE
    assert library.call("C_CreateObject", 1, array, count, pointer(ulong())) == CKR.ATTRIBUTE_VALUE_INVALID
    assert library.call("C_GetAttributeValue", 1, 2, array, count) == CKR.ARGUMENTS_BAD


def test_a_nested_template_travels_inside_its_attribute(library: Library) -> None:
    inner, _ = template([(CKA.CLASS, struct.pack("L", 4)), (CKA.SENSITIVE, b"\1")])
    outer, count = template([(CKA.UNWRAP_TEMPLATE, b"?")])
    outer[0].value, outer[0].length = ctypes.addressof(inner), ctypes.sizeof(inner)
    assert library.call("C_FindObjectsInit", 1, outer, count) == CKR.OK
    nested = u32(21, 2, CKA.CLASS, 4, 4, CKA.SENSITIVE, 1) + b"\1"
    assert library.last().control == u32(1, 8 + len(nested), 1, CKA.UNWRAP_TEMPLATE, len(nested)) + nested


def test_a_template_that_holds_itself_is_refused(library: Library) -> None:
    knot, count = template([(CKA.WRAP_TEMPLATE, b"?")])
    knot[0].value, knot[0].length = ctypes.addressof(knot), ctypes.sizeof(knot)
    assert library.call("C_FindObjectsInit", 1, knot, count) == CKR.ATTRIBUTE_VALUE_INVALID


def test_token_info_widens_what_is_unavailable(library: Library) -> None:
    wire = b"l" * 32 + b"m" * 32 + b"o" * 16 + b"s" * 16
    wire += u32(0x40D, 2**32 - 1, 2, 2**32 - 1, 1, 128, 4, *[2**32 - 1] * 3, 17) + bytes([0, 0, 1, 2]) + b"2" * 16
    assert len(wire) == 160
    library.answer(Answer(output=wire))
    info = room(208)
    assert library.call("C_GetTokenInfo", 0, info) == CKR.OK
    assert info.raw[:96] == wire[:96]
    numbers = struct.unpack_from("11L", info.raw, 96)
    assert numbers == (0x40D, UNAVAILABLE, 2, UNAVAILABLE, 1, 128, 4, *[UNAVAILABLE] * 3, 17)
    assert info.raw[184:204] == wire[140:160]


def test_info_says_who_we_stand_for(library: Library) -> None:
    info = room(88)
    assert library.call("C_GetInfo", info) == CKR.OK
    assert info.raw[:34] == b"\x02\x28" + b"Linaro".ljust(32)
    assert info.raw[40:82] == bytes(8) + b"OP-TEE PKCS11 Cryptoki library".ljust(32) + b"\x00\x01"


@pytest.mark.parametrize(
    ("result", "origin", "expected"),
    [
        (TeeResult.COMMUNICATION, 2, CKR.DEVICE_ERROR),
        (TeeResult.TARGET_DEAD, 3, CKR.DEVICE_ERROR),
        (TeeResult.BAD_PARAMETERS, 4, CKR.DEVICE_ERROR),
        (TeeResult.OUT_OF_MEMORY, 4, CKR.DEVICE_MEMORY),
        (TeeResult.OUT_OF_MEMORY, 1, CKR.HOST_MEMORY),
        (TeeResult.EXCESS_DATA, 1, CKR.DEVICE_MEMORY),
        (TeeResult.NOT_SUPPORTED, 4, CKR.FUNCTION_NOT_SUPPORTED),
    ],
)
def test_what_goes_wrong_on_the_way_has_a_code(library: Library, result: int, origin: int, expected: CKR) -> None:
    library.answer(Answer(result=result, origin=origin))
    assert library.call("C_Logout", 1) == expected


def test_too_small_is_said_by_output_functions_alone(library: Library) -> None:
    library.answer(too_small(8))
    assert library.call("C_Logout", 1) == CKR.DEVICE_ERROR
    assert library.call("C_GetObjectSize", 1, 2, pointer(ulong())) == CKR.DEVICE_ERROR
