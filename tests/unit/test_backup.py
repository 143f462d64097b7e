# SPDX-License-Identifier: Apache-2.0
"""``softee backup``: a copy of all tokens at one moment, while the secure world runs or not; for its operator alone."""

from contextlib import closing
from pathlib import Path

import pytest

from softee.cli.main import main
from softee.cli.token_client import token_client
from softee.daemon.operators import OperatorApplication, OperatorSession
from softee.names import LoginMethod, OperatorCommand, ParamType, TeeResult
from softee.stores.base import Store
from softee.stores.memory import MemoryStore
from softee.stores.sqlite import SqliteStore
from softee.tee.application import ClientIdentity, TeeError
from softee.wire.values import NO_PARAMS, Memref, Value
from support.secure_world import RunningDaemon, running_daemon
from support.stores import FailingStore, snapshot
from support.token_world import public_client


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["backup", *map(str, arguments)])
    return int(ended.value.code or 0)


def tokens_of(daemon: RunningDaemon) -> list[str]:
    """Return the labels of the tokens that a daemon shows."""
    with token_client(daemon.socket) as client:
        return [token.label for token in client.tokens() if token.initialized]


def initialize(daemon: RunningDaemon, slot: int, label: str) -> None:
    with token_client(daemon.socket) as client:
        client.init_token(slot, label, b"12345678")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_copy_made_while_it_runs_is_whole_and_starts_elsewhere(
    tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_daemon(tmp_path, settings=f"workers = {workers}\n") as daemon:
        initialize(daemon, 0, "first")
        assert run(tmp_path / "copy", f"--socket={daemon.socket}") == 0
        assert "It opens with the root key of the original" in capsys.readouterr().out
        initialize(daemon, 1, "later")
    assert (tmp_path / "copy" / "softee.db").stat().st_mode & 0o777 == 0o600
    with running_daemon(tmp_path, state=tmp_path / "copy") as again:
        assert tokens_of(again) == ["first"]
    with running_daemon(tmp_path) as original:
        assert tokens_of(original) == ["first", "later"]


def test_a_state_that_nobody_uses_is_copied_as_well(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        initialize(daemon, 0, "first")
    assert run(tmp_path / "copy", f"--state={daemon.state}") == 0
    with (
        closing(SqliteStore(daemon.state / "softee.db")) as one,
        closing(SqliteStore(tmp_path / "copy" / "softee.db")) as other,
    ):
        assert snapshot(one) == snapshot(other)


def test_what_cannot_be_copied_or_is_there_already_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "copy", f"--state={tmp_path}/none") == 1
    assert "There is no state in" in capsys.readouterr().err
    with running_daemon(tmp_path) as daemon:
        assert run(tmp_path / "copy", f"--state={daemon.state}") == 1
        assert "Another secure world uses the state" in capsys.readouterr().err
        assert run(daemon.state, f"--socket={daemon.socket}") == 1
        assert "is there already; name another directory" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert run(tmp_path / "file" / "copy", f"--state={daemon.state}") == 1
    assert "cannot be made" in capsys.readouterr().err
    assert run(tmp_path / "copy", f"--socket={tmp_path}/nobody") == 1
    assert "gives no copy" in capsys.readouterr().err


def test_attack_only_the_operator_gets_a_copy() -> None:
    application = OperatorApplication(MemoryStore())
    with pytest.raises(TeeError, match="uid 1000 is not the operator"):
        application.open_session(public_client(uid=1000), NO_PARAMS)
    session_over(MemoryStore()).close()


def session_over(store: Store) -> OperatorSession:
    root = ClientIdentity(1, 0, 0, LoginMethod.PUBLIC, public_client().uuid)
    return OperatorApplication(store).open_session(root, NO_PARAMS)


def test_a_copy_is_of_one_moment_and_read_in_pieces_from_anywhere() -> None:
    store = MemoryStore()
    store.commit(expected={}, puts={b"key": bytes(1000)})
    session = session_over(store)
    size = Value(ParamType.VALUE_OUTPUT)
    assert not session.is_quick(OperatorCommand.BEGIN_COPY, NO_PARAMS)
    assert session.wait(OperatorCommand.BEGIN_COPY, NO_PARAMS) == 0
    assert session.invoke(OperatorCommand.BEGIN_COPY, (size, None, None, None)) is TeeResult.SUCCESS
    store.commit(expected={}, puts={b"later": b""})
    whole = b""
    while len(whole) < size.a:
        piece = Memref(ParamType.MEMREF_OUTPUT, capacity=300)
        session.invoke(OperatorCommand.READ_COPY, (Value(ParamType.VALUE_INPUT, len(whole)), piece, None, None))
        whole += bytes(piece.out)
    assert len(whole) == size.a
    assert b"later" not in whole
    beyond = Memref(ParamType.MEMREF_OUTPUT, capacity=300)
    session.invoke(OperatorCommand.READ_COPY, (Value(ParamType.VALUE_INPUT, 0, 1), beyond, None, None))
    assert beyond.out == b""


def test_what_an_operator_asks_wrong_is_refused() -> None:
    store = FailingStore(MemoryStore())
    session = session_over(store)
    for command, result in ((9, TeeResult.NOT_SUPPORTED), (OperatorCommand.BEGIN_COPY, TeeResult.BAD_PARAMETERS)):
        with pytest.raises(TeeError) as refused:
            session.invoke(command, NO_PARAMS)
        assert refused.value.result is result
    store.unreachable = True
    with pytest.raises(TeeError) as refused:
        session.invoke(OperatorCommand.BEGIN_COPY, (Value(ParamType.VALUE_OUTPUT), None, None, None))
    assert refused.value.result is TeeResult.STORAGE_NOT_AVAILABLE
