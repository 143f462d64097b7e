# SPDX-License-Identifier: Apache-2.0
"""Functions that PKCS#11 3.x adds, but for encrypted messages; and all of them where the peer is a real OP-TEE."""

import ctypes

import pytest

from native.ckteec_suite.calls_messages import END, INVALID, SECRET, Parameter, secret_template, u32
from native.ckteec_suite.support import (
    FUNCTIONS,
    NULL,
    UNAVAILABLE,
    Answer,
    Library,
    Sent,
    mechanism,
    pointer,
    room,
    too_small,
    ulong,
)
from softee.names import CKM, CKR, MechanismFlag, SessionFlag, TeeResult
from softee.pkcs11_ta.abi.commands import COMMANDS, by_message, keys, objects, sessions, signatures


def test_messages_are_signed_with_the_mechanism_s_own_parameter(library: Library) -> None:
    assert library.call("C_MessageSignInit", 1, mechanism(CKM.SHA256_HMAC_GENERAL, ulong(8)), 2) == CKR.OK
    assert library.last().control == u32(1, 2, CKM.SHA256_HMAC_GENERAL, 4, 8)
    library.answer(Answer(output=b"s" * 8))
    out, size = room(8), ulong(8)
    assert library.call("C_SignMessage", 1, None, 0, b"data", 4, out, pointer(size)) == CKR.OK
    assert (out.raw, library.last()) == (b"s" * 8, Sent(by_message.SIGN_MESSAGE.number, u32(1), b"data", None, 8))
    library.answer(Answer())
    assert library.call("C_SignMessageBegin", 1, None, 0) == CKR.OK
    assert library.call("C_SignMessageNext", 1, None, 0, b"one", 3, NULL, NULL) == CKR.OK
    assert library.last() == Sent(by_message.SIGN_MESSAGE_NEXT.number, u32(1, 0), b"one", None, None)
    library.answer(Answer(output=b"t" * 8))
    assert library.call("C_SignMessageNext", 1, None, 0, b"two", 3, out, pointer(size)) == CKR.OK
    assert (out.raw, library.last().control) == (b"t" * 8, u32(1, END))


def test_messages_are_verified_with_the_signature_in_the_last_part(library: Library) -> None:
    assert library.call("C_MessageVerifyInit", 1, mechanism(CKM.SHA256_HMAC), 2) == CKR.OK
    assert library.call("C_VerifyMessage", 1, None, 0, b"data", 4, b"sign", 4) == CKR.OK
    assert library.last() == Sent(by_message.VERIFY_MESSAGE.number, u32(1), b"data", b"sign", None)
    assert library.call("C_VerifyMessageBegin", 1, None, 0) == CKR.OK
    assert library.call("C_VerifyMessageNext", 1, None, 0, b"one", 3, None, 0) == CKR.OK
    assert library.last() == Sent(by_message.VERIFY_MESSAGE_NEXT.number, u32(1, 0), b"one", b"", None)
    assert library.call("C_VerifyMessageNext", 1, None, 0, b"two", 3, b"sign", 4) == CKR.OK
    assert library.last() == Sent(by_message.VERIFY_MESSAGE_NEXT.number, u32(1, END), b"two", b"sign", None)


def test_no_message_to_sign_has_a_parameter(library: Library) -> None:
    assert library.call("C_SignMessage", 1, b"x", 1, b"data", 4, room(8), pointer(ulong(8))) == INVALID
    assert library.call("C_SignMessageBegin", 1, b"x", 1) == INVALID
    assert library.call("C_VerifyMessage", 1, b"x", 1, b"data", 4, b"sign", 4) == INVALID
    assert library.call("C_VerifyMessageBegin", 1, b"x", 1) == INVALID
    assert not library.sent


def test_a_signature_comes_before_its_data(library: Library) -> None:
    assert library.call("C_VerifySignatureInit", 1, mechanism(CKM.SHA256_HMAC), 2, b"sign", 4) == CKR.OK
    control = u32(1, 2, CKM.SHA256_HMAC, 0)
    assert library.last() == Sent(signatures.VERIFY_SIGNATURE_INIT.number, control, b"sign", None, None)
    assert library.call("C_VerifySignature", 1, b"data", 4) == CKR.OK
    assert library.last() == Sent(signatures.VERIFY_SIGNATURE.number, u32(1), b"data", None, None)
    assert library.call("C_VerifySignatureUpdate", 1, b"data", 4) == CKR.OK
    assert library.last().command == signatures.VERIFY_SIGNATURE_UPDATE.number
    assert library.call("C_VerifySignatureFinal", 1) == CKR.OK
    assert library.last().command == signatures.VERIFY_SIGNATURE_FINAL.number
    assert library.call("C_VerifySignature", 1, None, 4) == CKR.ARGUMENTS_BAD
    assert library.last().control == u32(1, signatures.VERIFY_SIGNATURE.number)


def test_encapsulation_gives_a_ciphertext_and_a_key(library: Library) -> None:
    library.answer(Answer(output=u32(7) + b"cipher"))
    out, size, key = room(6), ulong(6), ulong()
    call = ("C_EncapsulateKey", 1, mechanism(CKM.AES_ECB), 2, *secret_template(), out, pointer(size), pointer(key))
    assert library.call(*call) == CKR.OK
    assert (out.raw, size.value, key.value) == (b"cipher", 6, 7)
    control = u32(1, 2, CKM.AES_ECB, 0) + SECRET
    assert library.last() == Sent(keys.ENCAPSULATE_KEY.number, control, None, None, 4 + 6)


def test_encapsulation_makes_no_key_for_a_buffer_that_is_too_small(library: Library) -> None:
    for out, capacity, expected in ((None, 0, CKR.OK), (room(5), 9, CKR.BUFFER_TOO_SMALL)):
        library.answer(too_small(4 + 6))
        size, key = ulong(5), ulong(99)
        call = ("C_EncapsulateKey", 1, mechanism(CKM.AES_ECB), 2, *secret_template(), out, pointer(size), pointer(key))
        assert library.call(*call) == expected
        assert (size.value, key.value, library.last().capacity) == (6, 99, capacity)
    library.sent.clear()
    call = ("C_EncapsulateKey", 1, mechanism(CKM.AES_ECB), 2, *secret_template(), None, pointer(ulong()), NULL)
    assert library.call(*call) == CKR.ARGUMENTS_BAD
    assert not library.sent


def test_decapsulation_gives_a_key(library: Library) -> None:
    library.answer(Answer(output=u32(7)))
    key = ulong()
    call = ("C_DecapsulateKey", 1, mechanism(CKM.AES_ECB), 2, *secret_template(), b"cipher", 6, pointer(key))
    assert (library.call(*call), key.value) == (CKR.OK, 7)
    control = u32(1, 2, CKM.AES_ECB, 0) + SECRET
    assert library.last() == Sent(keys.DECAPSULATE_KEY.number, control, b"cipher", None, 4)


def test_a_login_with_a_name_is_of_no_type_of_user(library: Library) -> None:
    assert library.call("C_LoginUser", 1, 1, b"123456", 6, None, 0) == CKR.OK
    assert library.last() == Sent(sessions.LOGIN.number, u32(1, 1, 6) + b"123456", None, None, None)
    library.answer(Answer(output=bytes(16)))
    assert library.call("C_LoginUser", 1, 1, b"123456", 6, b"user", 4) == CKR.USER_TYPE_INVALID
    assert library.call("C_LoginUser", 1, 1, b"123456", 6, None, 4) == CKR.ARGUMENTS_BAD
    assert {sent.command for sent in library.sent} == {sessions.SESSION_INFO.number}
    library.answer(Answer(CKR.SESSION_HANDLE_INVALID))
    assert library.call("C_LoginUser", 9, 1, b"123456", 6, b"user", 4) == CKR.SESSION_HANDLE_INVALID


def test_nothing_was_validated(library: Library) -> None:
    library.answer(Answer(output=bytes(16)))
    for kind in (1, 2, UNAVAILABLE):
        flags = ulong(5)
        assert library.call("C_GetSessionValidationFlags", 1, kind, pointer(flags)) == CKR.OK
        assert flags.value == 0
    assert library.call("C_GetSessionValidationFlags", 1, 1, NULL) == CKR.ARGUMENTS_BAD
    library.answer(Answer(CKR.SESSION_HANDLE_INVALID))
    assert library.call("C_GetSessionValidationFlags", 9, 1, pointer(ulong())) == CKR.SESSION_HANDLE_INVALID


def test_the_token_says_that_no_session_is_asynchronous(library: Library) -> None:
    """PKCS#11 3.2 §5.6.1."""
    flags = int(SessionFlag.SERIAL_SESSION | SessionFlag.ASYNC_SESSION)
    library.answer(Answer(CKR.SESSION_ASYNC_NOT_SUPPORTED))
    assert library.call("C_OpenSession", 0, flags, NULL, NULL, pointer(ulong())) == CKR.SESSION_ASYNC_NOT_SUPPORTED
    assert library.last().control == u32(0, flags)


def test_no_function_goes_on_after_its_return(library: Library) -> None:
    """PKCS#11 3.2 §5.21."""
    library.answer(Answer(output=bytes(16)))
    name = ctypes.create_string_buffer(b"C_Sign")
    assert library.call("C_AsyncComplete", 1, name, NULL) == CKR.OPERATION_NOT_INITIALIZED
    assert library.call("C_AsyncGetID", 1, name, pointer(ulong())) == CKR.OPERATION_NOT_INITIALIZED
    assert library.call("C_AsyncJoin", 1, name, 1, NULL, 0) == CKR.SAVED_STATE_INVALID
    assert library.call("C_AsyncGetID", 1, NULL, pointer(ulong())) == CKR.ARGUMENTS_BAD
    library.answer(Answer(CKR.SESSION_HANDLE_INVALID))
    assert library.call("C_AsyncComplete", 9, name, NULL) == CKR.SESSION_HANDLE_INVALID


FIRST_OF_OURS = 0x1000


def as_optee(sent: Sent) -> Answer:
    """OP-TEE's application, which has none of our commands; an encryption is active in the session."""
    if sent.command >= FIRST_OF_OURS:
        return Answer(result=TeeResult.NOT_SUPPORTED)
    if sent.command == sessions.RELEASE_ACTIVE_PROCESSING.number:
        return Answer(CKR.OK if sent.control[4:] == u32(19) else CKR.OPERATION_NOT_INITIALIZED)
    if sent.command == objects.FIND_OBJECTS_FINAL.number:
        return Answer(CKR.OPERATION_NOT_INITIALIZED)
    return Answer(output=bytes(sent.capacity or 0))


def arguments_of(name: str) -> tuple[object, ...]:
    """Return good arguments of a function, without the session's."""
    given, out, length, key = Parameter(), room(64), pointer(ulong(64)), pointer(ulong())
    plain, to_unwrap = mechanism(CKM.AES_ECB), (b"wrapped", 7)
    known: dict[str, tuple[object, ...]] = {
        "C_EncryptMessage": (*given.arguments, None, 0, b"data", 4, out, length),
        "C_EncryptMessageBegin": (*given.arguments, None, 0),
        "C_EncryptMessageNext": (*given.arguments, b"data", 4, out, length, 0),
        "C_DecryptMessage": (*given.arguments, None, 0, b"data", 4, out, length),
        "C_DecryptMessageBegin": (*given.arguments, None, 0),
        "C_DecryptMessageNext": (*given.arguments, b"data", 4, out, length, 0),
        "C_SignMessage": (None, 0, b"data", 4, out, length),
        "C_SignMessageNext": (None, 0, b"data", 4, out, length),
        "C_VerifyMessage": (None, 0, b"data", 4, b"sign", 4),
        "C_VerifyMessageNext": (None, 0, b"data", 4, b"sign", 4),
        "C_VerifySignature": (b"data", 4),
        "C_VerifySignatureUpdate": (b"data", 4),
        "C_EncapsulateKey": (plain, 2, *secret_template(), out, length, key),
        "C_DecapsulateKey": (plain, 2, *secret_template(), b"cipher", 6, key),
        "C_WrapKeyAuthenticated": (given.mechanism, 2, 3, None, 0, out, length),
        "C_UnwrapKeyAuthenticated": (given.mechanism, 2, *to_unwrap, *secret_template(), None, 0, key),
    }
    return known.get(name, (plain, 2, b"sign", 4) if name.endswith("Init") else (None, 0))


DONE_WITHOUT = {"C_LoginUser", "C_SessionCancel", "C_GetSessionValidationFlags"}
"""What needs no command of ours."""

BEYOND = [
    name
    for name in FUNCTIONS[FUNCTIONS.index("C_SessionCancel") :]
    if name not in DONE_WITHOUT and not name.startswith("C_Async")
]


@pytest.mark.parametrize("name", BEYOND)
def test_a_peer_that_lacks_a_function_is_asked_once(library: Library, name: str) -> None:
    library.answers = as_optee
    library.sent.clear()
    for _ in range(3):
        assert library.call(name, 1, *arguments_of(name)) == CKR.FUNCTION_NOT_SUPPORTED
    assert [sent.command for sent in library.sent if sent.command >= FIRST_OF_OURS] == [
        command.number for command in COMMANDS if command.function == name
    ]


def test_a_peer_that_cannot_cancel_releases_one_by_one(library: Library) -> None:
    library.answers = as_optee
    library.sent.clear()
    flags = MechanismFlag.ENCRYPT | MechanismFlag.VERIFY | MechanismFlag.FIND_OBJECTS | MechanismFlag.MESSAGE_SIGN
    for _ in range(2):
        assert library.call("C_SessionCancel", 1, int(flags)) == CKR.OK
    release, find = sessions.RELEASE_ACTIVE_PROCESSING.number, objects.FIND_OBJECTS_FINAL.number
    sent = [(one.command, one.control) for one in library.sent if one.command < FIRST_OF_OURS]
    assert sent == 2 * [(release, u32(1, 19)), (release, u32(1, 28)), (find, u32(1))]
    library.sent.clear()
    assert library.call("C_SessionCancel", 1, 0) == CKR.OK
    assert not library.sent
    library.answers = lambda _: Answer(CKR.SESSION_HANDLE_INVALID)
    assert library.call("C_SessionCancel", 9, int(flags)) == CKR.SESSION_HANDLE_INVALID


def test_a_peer_that_lacks_message_flags_shows_none(library: Library) -> None:
    library.answers = lambda _: Answer(output=u32(16, 32, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT))
    info = (ctypes.c_ulong * 3)()
    assert library.call("C_GetMechanismInfo", 0, int(CKM.AES_GCM), info) == CKR.OK
    assert not info[2] & (MechanismFlag.MESSAGE_ENCRYPT | MechanismFlag.MULTI_MESSAGE)
