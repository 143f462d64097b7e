# SPDX-License-Identifier: Apache-2.0
"""What a question for a size that is 0 leaves of the operation, with a buffer of no bytes or with none at all.

The rules are those of PKCS#11 3.2 §5.2.
"""

from collections.abc import Callable

import pytest

from softee.names import CKM, CKR, ParamType, TeeResult
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from softee.wire.values import Memref
from support.commands import c
from support.token_world import Answer, Caller, make_application, u32

CBC_PAD = (CKM.AES_CBC_PAD, bytes(16))
CTR = (CKM.AES_CTR, u32(128) + bytes(16))


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.fixture(params=[False, True], ids=["empty", "null"])
def ask(caller: Caller, session: int, request: pytest.FixtureRequest) -> Callable[..., Answer]:
    """Ask for the size of a command's output, with a buffer of no bytes or with none at all."""

    def asked(command: Command[object], data: bytes | None = None) -> Answer:
        one = None if data is None else Memref(ParamType.MEMREF_INPUT, bytearray(data))
        return caller.invoke(command.number, u32(session), one, Memref(ParamType.MEMREF_OUTPUT, null=request.param))

    return asked


TOLD_A_BYTE = (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 1)
TOLD_NOTHING = (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 0)
TOLD_THE_END = (TeeResult.SUCCESS, CKR.OK, 0)


def told(answer: Answer) -> tuple[TeeResult, CKR, int]:
    return answer.result, answer.rv, answer.size


def test_a_part_that_gives_nothing_is_said_to_give_a_byte_so_that_its_call_has_a_buffer(
    caller: Caller, session: int, ask: Callable[..., Answer]
) -> None:
    """PKCS#11 3.2 §5.2: a size may exceed what is needed. PyKCS11 comes without a buffer where it is 0."""
    key = caller.aes_key(session)
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC_PAD)
    for _ in range(2):
        assert told(ask(c.ENCRYPT_UPDATE, b"fifteen bytes..")) == TOLD_A_BYTE
        assert told(ask(c.ENCRYPT_UPDATE, b"")) == TOLD_NOTHING
    assert caller.ok(c.ENCRYPT_UPDATE, session, data=b"fifteen bytes..").size == 0
    board = Caller(make_application(policy=OPTEE))
    there = board.set_up()
    board.ok(c.ENCRYPT_INIT, there, board.aes_key(there), *CBC_PAD)
    assert told(board.call(c.ENCRYPT_UPDATE, there, data=b"fifteen bytes..", capacity=0)) == TOLD_NOTHING
    assert told(ask(c.ENCRYPT_UPDATE, b"x"))[2] == 16


@pytest.mark.parametrize("again", [c.ENCRYPT_FINAL, c.ENCRYPT_INIT])
def test_the_size_of_an_end_of_nothing_leaves_the_operation_and_lets_another_begin(
    caller: Caller, session: int, ask: Callable[..., Answer], again: Command[object]
) -> None:
    key = caller.aes_key(session)
    caller.ok(c.ENCRYPT_INIT, session, key, *CTR)
    caller.ok(c.ENCRYPT_UPDATE, session, data=b"whole")
    for _ in range(2):
        assert told(ask(c.ENCRYPT_FINAL)) == TOLD_THE_END
    if again is c.ENCRYPT_INIT:
        caller.ok(c.ENCRYPT_INIT, session, key, *CTR)
        assert caller.call(c.ENCRYPT_INIT, session, key, *CTR).rv is CKR.OPERATION_ACTIVE
    assert caller.ok(c.ENCRYPT_FINAL, session, capacity=1).output == b""
    assert caller.call(c.ENCRYPT_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED


def test_the_size_of_a_whole_of_nothing_leaves_the_operation_and_lets_another_begin(
    caller: Caller, session: int, ask: Callable[..., Answer]
) -> None:
    key = caller.aes_key(session)
    caller.ok(c.ENCRYPT_INIT, session, key, *CTR)
    for _ in range(2):
        assert told(ask(c.ENCRYPT_ONESHOT, b"")) == TOLD_THE_END
    caller.ok(c.ENCRYPT_UPDATE, session, data=b"still there")
    assert caller.call(c.ENCRYPT_INIT, session, key, *CTR).rv is CKR.OPERATION_ACTIVE
    assert told(ask(c.ENCRYPT_FINAL)) == TOLD_THE_END
    caller.ok(c.ENCRYPT_INIT, session, key, *CTR)
    assert told(ask(c.ENCRYPT_ONESHOT, b"five!"))[2] == 5
    assert caller.ok(c.ENCRYPT_ONESHOT, session, data=b"five!", capacity=5).size == 5
    assert told(ask(c.ENCRYPT_ONESHOT, b""))[1] is CKR.OPERATION_NOT_INITIALIZED
