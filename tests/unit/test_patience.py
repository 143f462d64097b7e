# SPDX-License-Identifier: Apache-2.0
"""Which commands wait: those that check a PIN against which the client's uid has failed."""

import pytest

from softee.names import CKR, CKU, ParamType
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.wire.values import NO_PARAMS, Memref
from support.commands import c
from support.token_world import AS_OPTEE, SO_PIN, USER_PIN, Caller, make_application, public_client


def wait_of(caller: Caller, command: Command[object], *request: int | bytes) -> float:
    control = command.encode(command.request(*request))
    return caller.tee.wait(
        command.number, (Memref(ParamType.MEMREF_INOUT, bytearray(control), len(control)), None, None, None)
    )


def waits(caller: Caller, session: int) -> list[float]:
    """Return how long commands that check the SO's PIN, the user's, and none would wait."""
    return [
        wait_of(caller, c.INIT_TOKEN, 0, 4, b"x" * 32, b"1234"),
        wait_of(caller, c.LOGIN, session, int(CKU.SO), 4, b"1234"),
        wait_of(caller, c.LOGIN, session, int(CKU.USER), 4, b"1234"),
        wait_of(caller, c.SET_PIN, session, 4, 4, b"1234", b"1234"),
        wait_of(caller, c.SESSION_INFO, session),
    ]


def test_who_has_failed_twice_waits_and_nobody_else_does() -> None:
    application = make_application(policy=PORTABLE)
    caller, other = Caller(application), Caller(application, public_client(uid=1001))
    caller.set_up()
    session, theirs = caller.open(), other.open()
    assert waits(other, theirs) == [0, 0, 0, 0, 0]
    for _ in range(2):
        assert other.login(theirs, CKU.USER, b"guess") is CKR.PIN_INCORRECT
    assert waits(other, theirs) == [0, 0, 1, 1, 0]
    assert waits(caller, session) == [0, 0, 0, 0, 0]
    for _ in range(3):
        assert other.login(theirs, CKU.SO, b"guess") is CKR.PIN_INCORRECT
    assert waits(other, theirs) == [2, 2, 1, 1, 0]


def test_who_confirms_a_login_waits_as_the_one_who_is_logged_in() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    confirm = int(CKU.CONTEXT_SPECIFIC)
    other = Caller(caller.application)
    theirs = other.open()
    for _ in range(2):
        assert other.login(theirs, CKU.USER, b"guess") is CKR.PIN_INCORRECT
    assert wait_of(caller, c.LOGIN, session, confirm, 4, b"1234") == 1
    caller.logout(session)
    assert wait_of(caller, c.LOGIN, session, confirm, 4, b"1234") == 0
    assert caller.login(session, CKU.SO, SO_PIN) is CKR.OK
    assert wait_of(caller, c.SET_PIN, session, 4, 4, b"1234", b"1234") == 0


def test_on_a_token_as_optee_s_nobody_waits() -> None:
    caller = Caller(make_application(policy=AS_OPTEE))
    caller.set_up()
    other = Caller(caller.application)
    theirs = other.open()
    for _ in range(5):
        assert other.login(theirs, CKU.USER, b"guess") is CKR.PIN_INCORRECT
    assert waits(other, theirs) == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("control", [b"", b"1234567", bytes(8), b"\xff" * 8])
def test_attack_what_makes_no_sense_waits_for_nothing(control: bytes) -> None:
    caller = Caller(make_application(policy=PORTABLE))
    for command in (c.INIT_TOKEN, c.LOGIN, c.SET_PIN):
        memref = Memref(ParamType.MEMREF_INOUT, bytearray(control), len(control))
        assert caller.tee.wait(command.number, (memref, None, None, None)) == 0
        assert caller.tee.wait(command.number, NO_PARAMS) == 0


def test_who_logs_in_by_identity_has_no_pin_to_wait_for() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    assert caller.init_token(pin=b"") is CKR.OK
    assert wait_of(caller, c.LOGIN, caller.open(), int(CKU.SO), 4, USER_PIN[:4]) == 0
