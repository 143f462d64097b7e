# SPDX-License-Identifier: Apache-2.0
"""What is counted of a command: its token, its mechanism, its result; and nothing that a client has made up."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKM, CKR, ParamType, TeeResult
from softee.pkcs11_ta import counting
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.counting import NONE, Act, NoCounts
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.wire.values import Memref, Value
from support.commands import c
from support.object_calls import fresh_caller
from support.token_world import Caller, u32

KNOWN = {command.number for command in COMMANDS}
WITH_OPERATION = re.compile(r"C_(Message)?(Sign|Verify|Encrypt|Decrypt|Digest)")
MADE_UP = 0x12345678


class Noted(NoCounts):
    """Keeps what is counted."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.sessions = 0
        self.on = True

    def is_on(self) -> bool:
        return self.on

    def client(self, identity: Any) -> "Noted":  # noqa: ANN401, ARG002
        return self

    def note(self, act: Act, began: int, sessions: int) -> None:  # noqa: ARG002
        self.acts.append(act)
        self.show(sessions)

    def show(self, sessions: int) -> None:
        self.sessions = sessions

    def last(self) -> tuple[str, str, str, int]:
        slot, command, mechanism, result = self.acts[-1]
        names = counting.name_of_command(command), counting.name_of_mechanism(mechanism)
        return *names, counting.name_of_result(result), slot


@pytest.fixture
def world() -> tuple[Caller, int, Noted]:
    caller, session = fresh_caller(policy=PORTABLE)
    noted = Noted()
    caller.application._counts = noted
    caller.tee._counts = noted
    caller.application.heed_counts()
    return caller, session, noted


def test_an_operation_is_counted_by_its_mechanism_from_beginning_to_end(world: tuple[Caller, int, Noted]) -> None:
    caller, session, noted = world
    caller.call(c.DIGEST_INIT, session, CKM.SHA256, b"")
    assert noted.last() == ("C_DigestInit", "CKM_SHA256", "CKR_OK", 0)
    caller.call(c.DIGEST_UPDATE, session, data=b"abc")
    assert noted.last() == ("C_DigestUpdate", "CKM_SHA256", "CKR_OK", 0)
    caller.call(c.DIGEST_FINAL, session, capacity=1)
    assert noted.last() == ("C_DigestFinal", "CKM_SHA256", "CKR_BUFFER_TOO_SMALL", 0)
    caller.call(c.DIGEST_FINAL, session, capacity=32)
    assert noted.last() == ("C_DigestFinal", "CKM_SHA256", "CKR_OK", 0)
    caller.call(c.DIGEST_FINAL, session, capacity=32)
    assert noted.last() == ("C_DigestFinal", "", "CKR_OPERATION_NOT_INITIALIZED", 0)
    assert noted.sessions == 1


def test_a_resumed_operation_is_counted_by_its_mechanism(world: tuple[Caller, int, Noted]) -> None:
    caller, session, noted = world
    caller.call(c.DIGEST_START, session, CKM.SHA256, b"", capacity=c.DIGEST_START.output_size)
    caller.call(c.DIGEST_ONESHOT, session, data=b"abc", capacity=32)
    caller.call(c.DIGEST_AGAIN, session, data=b"abc", capacity=32)
    assert noted.last() == ("C_Digest", "CKM_SHA256", "CKR_OK", 0)


def test_attack_a_mechanism_that_there_is_not_counts_as_none(world: tuple[Caller, int, Noted]) -> None:
    caller, session, noted = world
    assert MADE_UP not in set(MECHANISMS)
    caller.call(c.DIGEST_INIT, session, MADE_UP, b"")
    assert noted.last() == ("C_DigestInit", "", "CKR_MECHANISM_INVALID", 0)


def test_attack_sessions_slots_and_commands_that_there_are_not_count_as_none(world: tuple[Caller, int, Noted]) -> None:
    caller, _, noted = world
    caller.call(c.DIGEST_UPDATE, MADE_UP, data=b"")
    assert noted.last() == ("C_DigestUpdate", "", "CKR_SESSION_HANDLE_INVALID", NONE)
    caller.call(c.SIGN_INIT, MADE_UP, 1, CKM.ECDSA, b"")
    assert noted.last() == ("C_SignInit", "CKM_ECDSA", "CKR_SESSION_HANDLE_INVALID", NONE)
    caller.call(c.TOKEN_INFO, MADE_UP, capacity=c.TOKEN_INFO.output_size)
    assert noted.last() == ("C_GetTokenInfo", "", "CKR_SLOT_ID_INVALID", NONE)
    caller.call(c.TOKEN_INFO, 2, capacity=c.TOKEN_INFO.output_size)
    assert noted.last() == ("C_GetTokenInfo", "", "CKR_OK", 2)
    zero = Memref(ParamType.MEMREF_INOUT, bytearray(4), 4)
    assert caller.tee.invoke(MADE_UP, (zero, None, None, None)) == TeeResult.NOT_SUPPORTED
    assert noted.last() == ("unknown", "", "TEE_ERROR_NOT_SUPPORTED", NONE)
    assert (
        caller.tee.invoke(c.PING.number, (Value(ParamType.VALUE_INPUT), None, None, None)) == TeeResult.BAD_PARAMETERS
    )
    assert noted.last() == ("PING", "", "TEE_ERROR_BAD_PARAMETERS", NONE)


@given(number=st.sampled_from(sorted(KNOWN)), request=st.binary(max_size=64))
def test_attack_whatever_a_client_sends_names_come_from_the_tables(number: int, request: bytes) -> None:
    caller, session = SHARED
    noted = Noted()
    caller.tee._counts = noted
    caller.tee.heed(noted)
    for control in (request, u32(session) + request):
        caller.tee.invoke(number, (Memref(ParamType.MEMREF_INOUT, bytearray(control), 64), None, None, None))
    for slot, command, mechanism, result in noted.acts:
        assert slot in {NONE, 0, 1, 2}
        assert command in KNOWN
        assert mechanism == NONE or mechanism in set(MECHANISMS)
        assert result in set(CKR) | set(TeeResult)


SHARED = fresh_caller(policy=PORTABLE)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_step_of_an_operation_knows_its_mechanism(command: Any) -> None:  # noqa: ANN401
    subject = counting._subjects()[command.number]
    if command.in_session and WITH_OPERATION.match(command.function):
        assert subject is not counting._in_session


def test_nothing_is_noted_while_nobody_counts(world: tuple[Caller, int, Noted]) -> None:
    caller, session, noted = world
    noted.on = False
    caller.application.heed_counts()
    caller.call(c.SESSION_INFO, session, capacity=c.SESSION_INFO.output_size)
    assert noted.acts == []
