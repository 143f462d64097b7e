# SPDX-License-Identifier: Apache-2.0
"""An operator shuts a token: its sessions end in all workers, none is opened meanwhile, and then it can be emptied."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from softee.client import TeeClient
from softee.daemon import operators, shut_tokens
from softee.daemon.operators import OperatorApplication, OperatorSession
from softee.daemon.shared_tokens import SharedTokens, WorkerNeighbours
from softee.daemon.shut_tokens import ShutTokens
from softee.names import CKR, CKU, OPERATOR_APPLICATION, LoginMethod, OperatorCommand, ParamType, TeeResult
from softee.pkcs11_ta.abi.restored import SavedSession
from softee.pkcs11_ta.application import Pkcs11Application
from softee.stores.memory import MemoryStore
from softee.tee.application import TeeError
from softee.wire.values import NO_PARAMS, Value
from support.channel_attack import eventually
from support.commands import c
from support.families import Family
from support.pkcs11_client import Client
from support.secure_world import running_daemon
from support.stores import FailingStore
from support.tickets import comeback, keep_login, restore, restored
from support.token_world import Caller, make_application, public_client
from unit.test_daemon_workers import several

RW = 6


@contextmanager
def operator_of(*applications: Pkcs11Application) -> Iterator[OperatorSession]:
    root = replace(public_client(uid=0), login=LoginMethod.PUBLIC)
    with closing(OperatorApplication(MemoryStore(), applications).open_session(root, NO_PARAMS)) as session:
        yield session


def shut(session: OperatorSession, slot: int = 0) -> tuple[int, int]:
    """Shut a token, and return how many sessions were ended, and how many are left."""
    counts = Value(ParamType.VALUE_INOUT, slot)
    assert session.invoke(OperatorCommand.SHUT_TOKEN, (counts, None, None, None)) is TeeResult.SUCCESS
    return counts.a, counts.b


def test_sessions_of_all_clients_end_and_the_token_can_be_emptied() -> None:
    one = Caller(make_application())
    first = one.set_up()
    other = Caller(one.application, public_client(2))
    second, elsewhere = other.open(), other.open(1)
    assert one.init_token() is CKR.SESSION_EXISTS
    with operator_of(one.application) as operator:
        assert shut(operator) == (2, 0)
        assert one.call(c.SESSION_INFO, first).rv is CKR.SESSION_HANDLE_INVALID
        assert other.call(c.SESSION_INFO, second).rv is CKR.SESSION_HANDLE_INVALID
        assert one.init_token() is CKR.OK
    other.ok(c.SESSION_INFO, elsewhere)
    token = one.application.slots.token(0)
    assert (token.logins, token.user_key) == ({}, None)


def test_no_session_is_opened_while_the_token_is_shut_and_then_again() -> None:
    caller = Caller(make_application())
    with operator_of(caller.application) as operator, operator_of(caller.application) as another:
        assert [shut(operator), shut(another), shut(operator)] == [(0, 0)] * 3
        assert caller.call(c.OPEN_SESSION, 0, RW).rv is CKR.TOKEN_NOT_PRESENT
        caller.open(1)
        another.close()
        assert caller.call(c.OPEN_SESSION, 0, RW).rv is CKR.TOKEN_NOT_PRESENT
    caller.open()


def test_other_workers_keep_sessions_away_as_well() -> None:
    family = Family()
    ours, theirs = Caller(family.member(0)), Caller(family.member(1))
    with operator_of(ours.application) as operator:
        assert shut(operator) == (0, 0)
        assert theirs.call(c.OPEN_SESSION, 0, RW).rv is CKR.TOKEN_NOT_PRESENT
    theirs.open()


def test_a_running_command_ends_before_its_session_does_and_others_do_not_wait_for_it() -> None:
    caller = Caller(make_application())
    busy, idle = caller.open(), caller.open()
    token = caller.application.slots.token(0)
    running = caller.tee._client.session(busy)
    with operator_of(caller.application) as operator:
        with running.lock:
            asking = threading.Thread(target=shut, args=(operator,))
            asking.start()
            assert eventually(lambda: token.session_count().all == 1)
            assert caller.call(c.SESSION_INFO, idle).rv is CKR.SESSION_HANDLE_INVALID
            assert not running.closed
        asking.join(20)
        assert running.closed


def test_a_command_that_does_not_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "LEFT_WITHIN", 0.05)
    caller = Caller(make_application())
    running = caller.tee._client.session(caller.open())
    with operator_of(caller.application) as operator, running.lock:
        assert shut(operator) == (0, 1)


def test_a_client_that_goes_while_its_sessions_are_ended_harms_nothing() -> None:
    caller = Caller(make_application())
    for _ in range(200):
        caller.open()
    with operator_of(caller.application) as operator:
        going = threading.Thread(target=caller.tee.close)
        going.start()
        assert shut(operator)[1] == 0
        going.join(20)
    assert not caller.application.slots.token(0).sessions


def test_attack_a_login_that_was_ended_does_not_come_back_by_its_ticket() -> None:
    with comeback() as world:
        before = world.caller()
        session = before.set_up()
        login = keep_login(before, session)
        with operator_of(world.application) as operator:
            assert shut(operator) == (1, 0)
        world.restart()
        assert restored(restore(world.caller(), [SavedSession(session, 0, RW)], [login])) == []


def test_attack_a_client_that_comes_back_opens_no_session_with_a_shut_token() -> None:
    caller = Caller(make_application())
    with operator_of(caller.application) as operator:
        shut(operator)
        assert restored(restore(caller, [SavedSession(1, 0, RW)])) == []


def test_what_cannot_be_shut_is_refused() -> None:
    store = FailingStore(MemoryStore())
    application = make_application(store)
    refusals = [
        (application, Value(ParamType.VALUE_INOUT, 3), TeeResult.ITEM_NOT_FOUND),
        (application, Value(ParamType.VALUE_OUTPUT), TeeResult.BAD_PARAMETERS),
        (application, None, TeeResult.BAD_PARAMETERS),
        (None, Value(ParamType.VALUE_INOUT), TeeResult.NOT_SUPPORTED),
    ]
    for one, parameter, result in refusals:
        with operator_of(*([one] if one else [])) as operator, pytest.raises(TeeError) as refused:
            operator.invoke(OperatorCommand.SHUT_TOKEN, (parameter, None, None, None))
        assert refused.value.result is result
    store.unreachable = True
    with operator_of(application) as operator, pytest.raises(TeeError) as refused:
        shut(operator)
    assert refused.value.result is TeeResult.CORRUPT_OBJECT


def test_a_worker_hears_of_tokens_that_others_shut_and_of_its_own_knows() -> None:
    caller = Caller(make_application())
    session, elsewhere = caller.open(), caller.open(1)
    with closing(SharedTokens(2, 3)) as shared:
        one, other = WorkerNeighbours(shared, 0), WorkerNeighbours(shared, 1)
        with closing(one), closing(other):
            bell = ShutTokens(shared.bell(1), [caller.application])
            one.shut(0, 1)
            one.shut(2, 1)  # of which this worker has seen nothing yet
            assert (one.is_shut(0), other.is_shut(0), other.is_shut(1)) == (False, True, False)
            assert bell.fileno() == shared.bell(1)
            assert bell.handle()
            assert eventually(lambda: caller.call(c.SESSION_INFO, session).rv is CKR.SESSION_HANDLE_INVALID)
            caller.ok(c.SESSION_INFO, elsewhere)
            one.shut(0, 0)
            assert not other.is_shut(0)


def test_a_bell_that_nobody_hears_holds_up_nobody() -> None:
    with closing(SharedTokens(2, 1)) as shared:
        for _ in range(70_000):  # more than a pipe takes
            shared.shut(0, 0, 1)
        shared.forget(0)
        assert not shared.is_shut(0, 0)


def test_where_no_thread_can_be_had_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    shut_tokens.end_sessions(make_application().slots.token(0))
    assert "sessions with the token in slot 0 could not be ended: can't start new thread" in caplog.text


@pytest.mark.parametrize("workers", [1, 3])
def test_the_daemon_ends_sessions_in_all_workers(tmp_path: Path, workers: int) -> None:
    with several(tmp_path, workers) as daemon, ExitStack() as stack:
        clients = [Client(daemon.socket, stack) for _ in range(3)]
        assert clients[0].init_token() is CKR.OK
        opened = [(client, client.open()) for client in clients]
        with TeeClient(daemon.socket) as tee, tee.open_session(OPERATOR_APPLICATION) as operator:
            counts = Value(ParamType.VALUE_INOUT, 0)
            assert operator.invoke(OperatorCommand.SHUT_TOKEN, (counts, None, None, None)) == TeeResult.SUCCESS
            assert (counts.a, counts.b) == (3, 0)
            answers = {client.ask(c.SESSION_INFO, c.SESSION_INFO.request(session), 16)[0] for client, session in opened}
            assert answers == {CKR.SESSION_HANDLE_INVALID}
            assert clients[1].init_token() is CKR.OK
            assert clients[2].ask(c.OPEN_SESSION, c.OPEN_SESSION.request(0, RW), 4)[0] is CKR.TOKEN_NOT_PRESENT
        assert eventually(lambda: clients[2].ask(c.OPEN_SESSION, c.OPEN_SESSION.request(0, RW), 4)[0] is CKR.OK)
        assert "an operator has shut the token in slot 0: 3 sessions were ended" in daemon.log()


def test_an_operator_that_is_killed_leaves_the_token_open(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon, ExitStack() as stack:
        client = Client(daemon.socket, stack)
        killed = TeeClient(daemon.socket)
        operator = killed.open_session(OPERATOR_APPLICATION)
        operator.invoke(OperatorCommand.SHUT_TOKEN, (Value(ParamType.VALUE_INOUT, 0), None, None, None))
        killed.close()
        assert eventually(lambda: client.ask(c.OPEN_SESSION, c.OPEN_SESSION.request(0, RW), 4)[0] is CKR.OK)
        assert client.login(1, CKU.SO, b"12345678") is CKR.USER_PIN_NOT_INITIALIZED
