# SPDX-License-Identifier: Apache-2.0
"""The TEE core: sessions, parallel invokes, closing, and applications with bugs."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from softee.names import LoginMethod, Origin, ParamType, TeeResult
from softee.tee.application import TeeError
from softee.tee.core import ClientContext, TeeCore
from softee.tee.identity import PeerCredentials
from softee.wire.values import NO_PARAMS, Memref, Params, Value
from support.echo_application import CRASH, ECHO, ECHO_UUID, FAIL, IDENTITY, WAIT, EchoApplication, EchoSession
from support.secure_world import in_process_core

PEER = PeerCredentials(pid=10, uid=1000, gid=100)


def open_session(context: ClientContext, params: Params = NO_PARAMS) -> int:
    result, origin, session = context.open_session(ECHO_UUID, LoginMethod.PUBLIC, 0, params)
    assert (result, origin) == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
    return session


def test_a_command_reaches_its_application_and_its_answer_comes_back() -> None:
    output, value = Memref(ParamType.MEMREF_OUTPUT, capacity=8), Value(ParamType.VALUE_INOUT, 1, 2)
    with in_process_core(EchoApplication()) as context:
        session = open_session(context)
        params = (Memref(ParamType.MEMREF_INPUT, bytearray(b"hello"), 5), output, value, None)
        assert context.invoke(session, ECHO, params) == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
    assert (output.out, output.size, value.a, value.b) == (b"hello", 5, 2, 1)


def test_an_unknown_application_is_not_found() -> None:
    with in_process_core(EchoApplication()) as context:
        assert context.open_session(UUID(int=1), 0, 0, NO_PARAMS) == (TeeResult.ITEM_NOT_FOUND, Origin.TEE, 0)


def test_an_application_that_refuses_a_client_has_no_session() -> None:
    application = EchoApplication()
    with in_process_core(application) as context:
        params = (None, None, None, Value(ParamType.VALUE_INPUT, 1))
        opened = context.open_session(ECHO_UUID, 0, 0, params)
    assert opened == (TeeResult.ACCESS_DENIED, Origin.TRUSTED_APP, 0)
    assert not application.sessions


def test_a_login_that_the_kernel_does_not_back_is_refused_by_the_core() -> None:
    context = TeeCore([EchoApplication()]).connect(PEER)
    opened = context.open_session(ECHO_UUID, LoginMethod.GROUP, 5, NO_PARAMS)
    assert opened == (TeeResult.ACCESS_DENIED, Origin.TEE, 0)


def test_the_application_sees_the_identity_of_the_login_method() -> None:
    context = TeeCore([EchoApplication()]).connect(PEER)
    _, _, session = context.open_session(ECHO_UUID, LoginMethod.USER, 0, NO_PARAMS)
    output = Memref(ParamType.MEMREF_OUTPUT, capacity=16)
    context.invoke(session, IDENTITY, (None, output, None, None))
    assert UUID(bytes=bytes(output.out)).version == 5


@pytest.mark.parametrize("session", [0, 2, 0xFFFFFFFF])
def test_sessions_that_are_not_the_clients_are_refused(session: int) -> None:
    core = TeeCore([EchoApplication()])
    other, own = core.connect(PEER), core.connect(PEER)
    open_session(own)
    for _ in range(3):
        open_session(other)
    assert own.invoke(session, ECHO, NO_PARAMS) == (TeeResult.BAD_PARAMETERS, Origin.TEE)
    assert own.close_session(session) is TeeResult.BAD_PARAMETERS


def test_a_tee_error_is_the_result_and_the_application_its_origin() -> None:
    with in_process_core(EchoApplication()) as context:
        assert context.invoke(open_session(context), FAIL, NO_PARAMS) == (TeeResult.BAD_STATE, Origin.TRUSTED_APP)


def test_a_bug_in_an_application_is_a_generic_error_with_a_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with in_process_core(EchoApplication()) as context:
        session = open_session(context)
        assert context.invoke(session, CRASH, NO_PARAMS) == (TeeResult.GENERIC, Origin.TRUSTED_APP)
        assert context.invoke(session, ECHO, NO_PARAMS)[0] is TeeResult.SUCCESS
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is RuntimeError


def test_a_bug_while_opening_or_closing_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(EchoApplication):
        def open_session(self, *_: object) -> "Broken":  # type: ignore[override]  # it is its own session
            if self.sessions:
                raise LookupError
            return self

        def close(self, **_: bool) -> None:
            raise ZeroDivisionError

    application = Broken()
    context = TeeCore([application]).connect(PEER)  # type: ignore[list-item]  # as above
    session = open_session(context)
    assert context.close_session(session) is TeeResult.SUCCESS
    application.sessions = {object()}  # type: ignore[arg-type]  # anything
    assert context.open_session(ECHO_UUID, 0, 0, NO_PARAMS) == (TeeResult.GENERIC, Origin.TRUSTED_APP, 0)
    assert len([record for record in caplog.records if record.exc_info]) == 2


def test_a_close_that_an_application_refuses_is_logged_and_done(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    application = EchoApplication()
    context = TeeCore([application]).connect(PEER)
    session = open_session(context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EchoSession, "close", refuse)
        assert context.close_session(session) is TeeResult.SUCCESS
    assert context.close_session(session) is TeeResult.BAD_PARAMETERS
    (record,) = caplog.records
    assert record.getMessage().startswith("refused to pid 10, uid 1000 by TRUSTED_APP: ")
    assert record.getMessage().endswith("not now")


def refuse(_: EchoSession, **__: bool) -> None:
    raise TeeError(TeeResult.BAD_STATE, "not now")


def test_commands_of_one_session_run_in_parallel() -> None:
    application = EchoApplication()
    with in_process_core(application) as context, ThreadPoolExecutor(8) as pool:
        session = open_session(context)
        running = [pool.submit(context.invoke, session, WAIT, NO_PARAMS) for _ in range(8)]
        for _ in running:
            assert application.waiting.acquire(timeout=10)
        application.gate.set()
        assert {future.result()[0] for future in running} == {TeeResult.SUCCESS}


def test_a_session_is_closed_after_its_commands_and_takes_no_new_ones() -> None:
    application = EchoApplication()
    with in_process_core(application) as context, ThreadPoolExecutor(2) as pool:
        session = open_session(context)
        (opened,) = application.sessions
        entry = context._sessions[session]
        running = pool.submit(context.invoke, session, WAIT, NO_PARAMS)
        assert application.waiting.acquire(timeout=10)
        closing = pool.submit(context.close_session, session)
        while session in context._sessions:
            threading.Event().wait(0.001)
        assert context.invoke(session, ECHO, NO_PARAMS) == (TeeResult.BAD_PARAMETERS, Origin.TEE)
        assert context.close_session(session) is TeeResult.BAD_PARAMETERS
        assert application.sessions == {opened}
        application.gate.set()
        assert running.result()[0] is TeeResult.SUCCESS
        assert closing.result() is TeeResult.SUCCESS
        context._sessions[session] = entry  # as for whoever has found it just before
        assert context.invoke(session, ECHO, NO_PARAMS) == (TeeResult.BAD_PARAMETERS, Origin.TEE)
        del context._sessions[session]
    assert not opened.closed_while_running
    assert not application.sessions


def test_a_context_that_ends_closes_its_sessions_and_opens_none() -> None:
    application = EchoApplication()
    context = TeeCore([application]).connect(PEER)
    for _ in range(3):
        open_session(context)
    context.close()
    assert not application.sessions
    opened = context.open_session(ECHO_UUID, 0, 0, NO_PARAMS)
    assert opened == (TeeResult.BAD_STATE, Origin.TEE, 0)
    assert not application.sessions


def test_a_client_has_no_more_sessions_than_the_limit() -> None:
    application = EchoApplication()
    context = TeeCore([application], sessions_per_client=2).connect(PEER)
    first = open_session(context)
    open_session(context)
    assert context.open_session(ECHO_UUID, 0, 0, NO_PARAMS) == (TeeResult.OUT_OF_MEMORY, Origin.TEE, 0)
    context.close_session(first)
    open_session(context)


def test_cancellation_is_taken_for_what_is_there() -> None:
    with in_process_core(EchoApplication()) as context:
        session = open_session(context)
        assert context.cancel(session, 1) is TeeResult.SUCCESS
        assert context.cancel(0, 1) is TeeResult.SUCCESS
        assert context.cancel(session + 1, 1) is TeeResult.BAD_PARAMETERS
