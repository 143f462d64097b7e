# SPDX-License-Identifier: Apache-2.0
"""Signatures message by message, and signatures that come before their data."""

import pytest

from softee.names import CKA, CKM, CKR, CKU
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import signatures
from softee.pkcs11_ta.token.profiles import OPTEE
from support.commands import c
from support.message_world import DATA, END, World, world
from support.token_world import USER_PIN, Caller, make_application, template


@pytest.fixture
def here() -> World:
    return world()


def hmac_key(here: World) -> int:
    attributes = template((CKA.SIGN, True), (CKA.VERIFY, True), (CKA.VALUE_LEN, 32))
    return here.caller.ok(c.GENERATE_KEY, here.session, CKM.GENERIC_SECRET_KEY_GEN, b"", attributes).handle


def test_messages_are_signed_as_c_sign_does(here: World) -> None:
    key = hmac_key(here)
    here.caller.ok(c.SIGN_INIT, here.session, key, CKM.SHA256_HMAC, b"")
    expected = here.caller.ok(c.SIGN_ONESHOT, here.session, data=DATA).output
    here.caller.ok(c.MESSAGE_SIGN_INIT, here.session, key, CKM.SHA256_HMAC, b"")
    for _ in range(2):
        assert here.caller.ok(c.SIGN_MESSAGE, here.session, data=DATA).output == expected
        here.caller.ok(c.SIGN_MESSAGE_BEGIN, here.session)
        assert here.caller.ok(c.SIGN_MESSAGE_NEXT, here.session, 0, data=DATA[:4]).output == b""
        short = here.caller.call(c.SIGN_MESSAGE_NEXT, here.session, END, data=DATA[4:], capacity=31)
        assert (short.rv, short.size) == (CKR.BUFFER_TOO_SMALL, 32)
        assert here.caller.ok(c.SIGN_MESSAGE_NEXT, here.session, END, data=DATA[4:]).output == expected
    here.caller.ok(c.MESSAGE_SIGN_FINAL, here.session)


def test_messages_are_verified_and_a_wrong_one_ends_itself_alone(here: World) -> None:
    key = hmac_key(here)
    here.caller.ok(c.MESSAGE_SIGN_INIT, here.session, key, CKM.SHA256_HMAC, b"")
    signature = here.caller.ok(c.SIGN_MESSAGE, here.session, data=DATA).output
    here.caller.ok(c.MESSAGE_VERIFY_INIT, here.session, key, CKM.SHA256_HMAC, b"")
    for _ in range(2):
        here.caller.ok(c.VERIFY_MESSAGE, here.session, data=DATA, second=signature)
        wrong = here.caller.call(c.VERIFY_MESSAGE, here.session, data=DATA, second=bytes(32))
        assert wrong.rv is CKR.SIGNATURE_INVALID
        here.caller.ok(c.VERIFY_MESSAGE_BEGIN, here.session)
        here.caller.ok(c.VERIFY_MESSAGE_NEXT, here.session, 0, data=DATA[:4])
        here.caller.ok(c.VERIFY_MESSAGE_NEXT, here.session, END, data=DATA[4:], second=signature)
    here.caller.ok(c.MESSAGE_VERIFY_FINAL, here.session)


def test_mechanisms_of_one_part_sign_whole_messages_alone(here: World) -> None:
    _, private = here.caller.ec_pair(here.session)
    here.caller.ok(c.MESSAGE_SIGN_INIT, here.session, private, CKM.ECDSA, b"")
    assert here.caller.call(c.SIGN_MESSAGE_BEGIN, here.session).rv is CKR.MECHANISM_INVALID
    assert len(here.caller.ok(c.SIGN_MESSAGE, here.session, data=bytes(32)).output) == 64


def test_a_key_that_asks_for_a_login_asks_before_each_message(here: World) -> None:
    """PKCS#11 3.2 §4.9."""
    _, private = here.caller.ec_pair(here.session, (CKA.ALWAYS_AUTHENTICATE, True))
    here.caller.ok(c.MESSAGE_SIGN_INIT, here.session, private, CKM.ECDSA_SHA256, b"")
    sign = (c.SIGN_MESSAGE, here.session)
    for _ in range(2):
        assert here.caller.call(*sign, data=DATA).rv is CKR.USER_NOT_LOGGED_IN
        assert here.caller.login(here.session, CKU.CONTEXT_SPECIFIC, USER_PIN) is CKR.OK
        here.caller.ok(*sign, data=DATA)


def test_a_signature_that_comes_first_is_verified_at_once_or_in_parts(here: World) -> None:
    public, private = here.caller.ec_pair(here.session)
    here.caller.ok(c.SIGN_INIT, here.session, private, CKM.ECDSA_SHA256, b"")
    signature = here.caller.ok(c.SIGN_ONESHOT, here.session, data=DATA).output
    init = (c.VERIFY_SIGNATURE_INIT, here.session, public, CKM.ECDSA_SHA256, b"")
    here.caller.ok(*init, data=signature)
    here.caller.ok(c.VERIFY_SIGNATURE, here.session, data=DATA)
    here.caller.ok(*init, data=signature)
    here.caller.ok(c.VERIFY_SIGNATURE_UPDATE, here.session, data=DATA[:4])
    here.caller.ok(c.VERIFY_SIGNATURE_UPDATE, here.session, data=DATA[4:])
    here.caller.ok(c.VERIFY_SIGNATURE_FINAL, here.session)
    here.caller.ok(*init, data=signature)
    assert here.caller.call(c.VERIFY_SIGNATURE, here.session, data=b"other").rv is CKR.SIGNATURE_INVALID
    assert here.caller.call(c.VERIFY_SIGNATURE, here.session, data=DATA).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("size", [0, 63, 65, 1 << 16])
def test_a_signature_of_another_size_is_refused_before_it_is_kept(here: World, size: int) -> None:
    public, _ = here.caller.ec_pair(here.session)
    init = (c.VERIFY_SIGNATURE_INIT, here.session, public, CKM.ECDSA_SHA256, b"")
    assert here.caller.call(*init, data=bytes(size)).rv is CKR.SIGNATURE_LEN_RANGE
    assert here.caller.call(c.VERIFY_SIGNATURE, here.session, data=DATA).rv is CKR.OPERATION_NOT_INITIALIZED


def test_a_verification_does_not_end_with_another_s_signature(here: World) -> None:
    public, _ = here.caller.ec_pair(here.session)
    here.caller.ok(c.VERIFY_SIGNATURE_INIT, here.session, public, CKM.ECDSA_SHA256, b"", data=bytes(64))
    verify = here.caller.call(c.VERIFY_ONESHOT, here.session, data=DATA, second=bytes(64))
    assert verify.rv is CKR.OPERATION_NOT_INITIALIZED
    here.caller.ok(c.RELEASE_ACTIVE_PROCESSING, here.session, c.VERIFY_SIGNATURE.number)
    assert here.caller.call(c.VERIFY_SIGNATURE_FINAL, here.session).rv is CKR.OPERATION_NOT_INITIALIZED


FIRST = [command for command in signatures.COMMANDS if command.name.startswith("VERIFY_SIGNATURE")]


@pytest.mark.parametrize("command", FIRST, ids=lambda command: command.name)
def test_a_token_as_optee_s_wants_the_data_first(command: Command[object]) -> None:
    caller = Caller(make_application(policy=OPTEE))
    rest = (1, CKM.ECDSA, b"") if command is c.VERIFY_SIGNATURE_INIT else ()
    assert caller.call(command, caller.open(), *rest).rv is CKR.FUNCTION_NOT_SUPPORTED
