# SPDX-License-Identifier: Apache-2.0
"""``softee top``: who is connected, what they do, and which tries are left."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from softee.cli.main import main
from softee.cli.top import screen
from softee.cli.top.rates import Rates, rates
from softee.cli.top.tables import program_name, summary, tables, user_name
from softee.client import TeeClient
from softee.daemon.metrics.told import ClientTold, OperationTold, TokenTold, Told, WorkerTold
from softee.names import OPERATOR_APPLICATION, PKCS11_APPLICATION, OperatorCommand, ParamType, TeeResult
from softee.wire.values import Value
from support.secure_world import RunningDaemon, running_daemon

EVIL = "\x1b[2J[red]evil"
TOKEN = TokenTold(0, "aa", "portable", initialized=True, label=EVIL, so_tries_left=7, user_tries_left=2)
DAMAGED = TokenTold(1, "ab", "portable", damaged="its head was altered")
WORKERS = [WorkerTold(0, 5, 1, 2), WorkerTold(1, 0, 0, 0)]


def client(pid: int, operations: int) -> ClientTold:
    return ClientTold(0, pid, 4294967290, 7, 1, operations)


def operation(function: str, mechanism: str, count: int, seconds: float) -> OperationTold:
    return OperationTold(function, mechanism, "CKR_OK", "aa", count, seconds)


BEFORE = Told(0.0, 10.0, WORKERS, [client(1, 5)], [TOKEN], [operation("C_Sign", "CKM_ECDSA", 10, 1.0)], [])
AFTER = Told(
    2.0,
    12.0,
    WORKERS,
    [client(1, 5), client(2, 40)],
    [TOKEN, DAMAGED],
    [
        operation("C_Sign", "CKM_ECDSA", 30, 2.0),
        operation("C_SignInit", "CKM_ECDSA", 20, 9.0),
        operation("C_Digest", "CKM_SHA256", 100, 0.01),
        operation("C_GetTokenInfo", "", 4, 0.1),
    ],
    [],
)


@pytest.fixture
def found() -> Rates:
    return rates(BEFORE, AFTER)


def test_rates_are_what_was_done_meanwhile(found: Rates) -> None:
    assert (found.seconds, found.per_second) == (2.0, 72.0)
    assert [(one.client.pid, one.per_second) for one in found.clients] == [(2, 20.0), (1, 0.0)]
    assert [(one.token.slot, one.per_second) for one in found.tokens] == [(0, 72.0), (1, 0.0)]


def test_what_only_prepares_an_operation_is_none(found: Rates) -> None:
    assert [(one.mechanism, one.per_second) for one in found.mechanisms] == [("CKM_SHA256", 50.0), ("CKM_ECDSA", 10.0)]
    assert found.mechanisms[1].mean_seconds == pytest.approx(0.05)


def test_a_secure_world_that_has_begun_anew_counts_from_nothing() -> None:
    again = msgspec.structs.replace(BEFORE, clock=11.0, operations=[operation("C_Sign", "CKM_ECDSA", 3, 0.1)])
    assert rates(BEFORE, again).per_second == 3.0


def test_few_tries_and_damaged_tokens_are_marked(found: Rates) -> None:
    token, damaged = tables(found)[0].rows
    assert next(cell for cell in token if not isinstance(cell, str)).text == "2"
    assert next(cell for cell in damaged if not isinstance(cell, str)).text == "damaged"
    assert "1 of 2 workers serve, 1 have died" in summary(found)


def test_names_come_from_the_system() -> None:
    assert user_name(0) == "root"
    assert user_name(4294967290) == "4294967290"
    assert program_name(os.getpid())
    assert program_name(4194304 + 1) == ""


def test_attack_no_label_steers_the_terminal(found: Rates) -> None:
    shown = io.StringIO()
    screen.show([found], Console(file=shown, force_terminal=True, width=200, height=40, color_system=None))
    assert EVIL not in shown.getvalue()
    assert "\\x1b[2J[red]evil" in shown.getvalue()


def test_the_page_has_no_more_lines_than_the_terminal() -> None:
    many = rates(BEFORE, msgspec.structs.replace(AFTER, clients=[client(pid, pid) for pid in range(1000)]))
    for height in (2, 10, 24, 60):
        shown = io.StringIO()
        Console(file=shown, width=200).print(screen.page(many, height))
        assert len(shown.getvalue().splitlines()) <= height


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["top", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    with running_daemon(tmp_path_factory.mktemp("top"), settings="workers = 2\n") as running:
        yield running


def test_it_tells_of_every_worker_s_clients(daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(TeeClient(daemon.socket)).open_session(PKCS11_APPLICATION)
        assert run("--json", "--interval", 0.1, "--socket", daemon.socket) == 0
        told = json.loads(capsys.readouterr().out)
        clients = [row["client"] for row in told["clients"]]
        assert [(one["pid"], one["uid"]) for one in clients] == [(os.getpid(), os.geteuid())] * 4
        assert {one["worker"] for one in clients} == {0, 1}
        assert [row["token"]["slot"] for row in told["tokens"]] == [0, 1, 2]
        assert run("--once", "--interval", 0.1, "--socket", daemon.socket) == 0
        shown = capsys.readouterr().out
        assert "4 clients, 2 of 2 workers serve" in shown
        assert str(os.getpid()) in shown


def test_what_is_shown_live_needs_a_terminal(daemon: RunningDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--socket", daemon.socket) == 1
    assert "needs a terminal; add --once" in capsys.readouterr().err


def test_it_is_shown_live_until_the_user_ends_it(
    daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Rates] = []
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(screen, "show", lambda looks: shown.extend(next(looks) for _ in range(2)))
    assert run("--interval", 0.1, "--socket", daemon.socket) == 0
    assert len(shown) == 2
    capsys.readouterr()


def test_a_secure_world_that_does_not_count_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--socket", tmp_path / "none") == 1
    assert "No secure world answers" in capsys.readouterr().err


def test_what_is_begun_is_read_in_pieces(daemon: RunningDaemon) -> None:
    with TeeClient(daemon.socket) as tee, tee.open_session(OPERATOR_APPLICATION) as session:
        size = Value(ParamType.VALUE_OUTPUT)
        assert session.invoke(OperatorCommand.BEGIN_STATISTICS, (size, None, None, None)) == TeeResult.SUCCESS
        assert size.a > 0
