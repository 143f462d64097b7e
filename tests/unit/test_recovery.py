# SPDX-License-Identifier: Apache-2.0
"""Signatures with recovery: C_SignRecover* and C_VerifyRecover* (PKCS#11 3.2 §5.13.5, §5.15.5)."""

import pytest

from softee.names import CKM, CKR, CKU, MechanismFlag, ParamType
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from softee.wire.values import Memref
from support.commands import c
from support.object_calls import create
from support.token_world import Caller, make_application, u32

PKCS1 = (CKM.RSA_PKCS, b"")
SIZE = 128
LONGEST = SIZE - 11


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


def signed(caller: Caller, session: int, data: bytes) -> bytes:
    private = create(caller, session, "RSA private key", SIGN_RECOVER=True)
    caller.ok(c.SIGN_RECOVER_INIT, session, private, *PKCS1)
    return caller.ok(c.SIGN_RECOVER, session, data=data).output


def begin_to_recover(caller: Caller, session: int) -> None:
    public = create(caller, session, "RSA public key", VERIFY_RECOVER=True)
    caller.ok(c.VERIFY_RECOVER_INIT, session, public, *PKCS1)


@pytest.mark.parametrize("data", [b"", b"x", bytes(LONGEST)], ids=len)
def test_data_comes_back_from_its_signature_and_the_operation_is_over(
    caller: Caller, session: int, data: bytes
) -> None:
    signature = signed(caller, session, data)
    begin_to_recover(caller, session)
    assert caller.ok(c.VERIFY_RECOVER, session, data=signature).output == data
    for step in (c.SIGN_RECOVER, c.VERIFY_RECOVER):
        assert caller.call(step, session, data=signature).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("capacity", [0, SIZE - 1])
def test_a_small_buffer_leaves_the_signature_to_be_made(caller: Caller, session: int, capacity: int) -> None:
    private = create(caller, session, "RSA private key", SIGN_RECOVER=True)
    caller.ok(c.SIGN_RECOVER_INIT, session, private, *PKCS1)
    answer = caller.call(c.SIGN_RECOVER, session, data=b"data", capacity=capacity)
    assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, SIZE)
    assert caller.ok(c.SIGN_RECOVER, session, data=b"data", capacity=SIZE).size == SIZE


@pytest.mark.parametrize("capacity", [0, 3])
def test_a_small_buffer_leaves_the_data_to_be_recovered(caller: Caller, session: int, capacity: int) -> None:
    signature = signed(caller, session, b"data")
    begin_to_recover(caller, session)
    answer = caller.call(c.VERIFY_RECOVER, session, data=signature, capacity=capacity)
    assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, 4)
    assert caller.ok(c.VERIFY_RECOVER, session, data=signature, capacity=4).output == b"data"


def test_asking_for_the_size_of_no_data_at_all_does_not_end_the_operation(caller: Caller, session: int) -> None:
    signature = signed(caller, session, b"")
    begin_to_recover(caller, session)
    nothing = Memref(ParamType.MEMREF_OUTPUT, null=True)
    data = Memref(ParamType.MEMREF_INPUT, bytearray(signature))
    assert caller.invoke(c.VERIFY_RECOVER.number, u32(session), data, nothing).size == 0
    assert caller.ok(c.VERIFY_RECOVER, session, data=signature).output == b""
    assert caller.call(c.VERIFY_RECOVER, session, data=signature).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize(
    ("signature", "rv"),
    [
        (bytes(SIZE), CKR.SIGNATURE_INVALID),
        (b"\xff" * SIZE, CKR.SIGNATURE_INVALID),
        (bytes(SIZE - 1), CKR.SIGNATURE_LEN_RANGE),
        (b"", CKR.SIGNATURE_LEN_RANGE),
    ],
)
def test_what_is_no_signature_is_refused_and_ends_the_operation(
    caller: Caller, session: int, signature: bytes, rv: CKR
) -> None:
    begin_to_recover(caller, session)
    assert caller.call(c.VERIFY_RECOVER, session, data=signature).rv is rv
    assert caller.call(c.VERIFY_RECOVER, session, data=signature).rv is CKR.OPERATION_NOT_INITIALIZED


def test_more_data_than_fits_is_refused(caller: Caller, session: int) -> None:
    private = create(caller, session, "RSA private key", SIGN_RECOVER=True)
    caller.ok(c.SIGN_RECOVER_INIT, session, private, *PKCS1)
    assert caller.call(c.SIGN_RECOVER, session, data=bytes(LONGEST + 1)).rv is CKR.DATA_LEN_RANGE


def test_a_key_does_it_only_where_it_is_for_that(caller: Caller, session: int) -> None:
    """CKA_SIGN and CKA_VERIFY are for signatures without recovery."""
    private = create(caller, session, "RSA private key", SIGN=True)
    public = create(caller, session, "RSA public key", VERIFY=True)
    for init, key in ((c.SIGN_RECOVER_INIT, private), (c.VERIFY_RECOVER_INIT, public)):
        assert caller.call(init, session, key, *PKCS1).rv is CKR.KEY_FUNCTION_NOT_PERMITTED
        assert caller.call(init, session, 99, *PKCS1).rv is CKR.KEY_HANDLE_INVALID
    private = create(caller, session, "RSA private key", SIGN_RECOVER=True)
    assert caller.call(c.SIGN_INIT, session, private, *PKCS1).rv is CKR.KEY_FUNCTION_NOT_PERMITTED


def test_a_mechanism_that_recovers_nothing_is_refused(caller: Caller, session: int) -> None:
    private = create(caller, session, "RSA private key", SIGN_RECOVER=True)
    assert caller.call(c.SIGN_RECOVER_INIT, session, private, CKM.SHA256_RSA_PKCS, b"").rv is CKR.MECHANISM_INVALID


def test_each_stands_beside_the_operations_of_other_kinds(caller: Caller, session: int) -> None:
    private = create(caller, session, "RSA private key", SIGN_RECOVER=True, SIGN=True)
    for init in (c.SIGN_INIT, c.SIGN_RECOVER_INIT):
        caller.ok(init, session, private, *PKCS1)
    begin_to_recover(caller, session)
    assert caller.call(c.SIGN_RECOVER_INIT, session, private, *PKCS1).rv is CKR.OPERATION_ACTIVE
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.SIGN_RECOVER.number)
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.VERIFY_RECOVER.number)
    caller.ok(c.SIGN_ONESHOT, session, data=b"data")


def test_a_key_that_asks_for_a_login_before_each_use_asks_here_too(caller: Caller, session: int) -> None:
    changes = {"SIGN_RECOVER": True, "PRIVATE": True, "ALWAYS_AUTHENTICATE": True}
    private = create(caller, session, "RSA private key", **changes)
    caller.ok(c.SIGN_RECOVER_INIT, session, private, *PKCS1)
    assert caller.call(c.SIGN_RECOVER, session, data=b"data").rv is CKR.USER_NOT_LOGGED_IN
    caller.ok(c.SIGN_RECOVER_INIT, session, private, *PKCS1)
    assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OK
    caller.ok(c.SIGN_RECOVER, session, data=b"data")


RECOVERY = MechanismFlag.SIGN_RECOVER | MechanismFlag.VERIFY_RECOVER


@pytest.mark.parametrize("policy", [PORTABLE, STRICT], ids=lambda policy: policy.name)
def test_the_flags_say_which_mechanism_does_it(policy: Policy) -> None:
    caller = Caller(make_application(policy=policy))
    for mechanism, expected in ((CKM.RSA_PKCS, RECOVERY), (CKM.SHA256_RSA_PKCS, 0)):
        info = caller.ok(c.MECHANISM_INFO, 0, mechanism).output
        assert int.from_bytes(info[8:], "little") & RECOVERY == expected


def test_optee_s_token_does_not_have_the_functions() -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.set_up()
    info = caller.ok(c.MECHANISM_INFO, 0, CKM.RSA_PKCS).output
    assert not int.from_bytes(info[8:], "little") & RECOVERY
    for init, kind in ((c.SIGN_RECOVER_INIT, "RSA private key"), (c.VERIFY_RECOVER_INIT, "RSA public key")):
        assert caller.call(init, session, create(caller, session, kind), *PKCS1).rv is CKR.FUNCTION_NOT_SUPPORTED
    for step in (c.SIGN_RECOVER, c.VERIFY_RECOVER):
        assert caller.call(step, session, data=b"data").rv is CKR.FUNCTION_NOT_SUPPORTED
