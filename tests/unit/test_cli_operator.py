# SPDX-License-Identifier: Apache-2.0
"""What commands for operators say where a secure world does not do, or tell, what they ask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from softee.cli.audit import places
from softee.cli.failure import CliError
from softee.cli.operator_session import OperatorSession, operator_session
from softee.cli.token import shutting
from softee.cli.token.ours import Place
from softee.cli.top.asked import statistics
from softee.cli.web import look
from softee.client import ClientError, RefusedError
from softee.names import OperatorCommand, TeeResult
from softee.wire.values import Value

TOKEN: Any = None
"""Where it is, is told by the test."""


class Answering:
    """A secure world, its client and its session in one, which answers or raises what a test wants."""

    def __init__(self, answer: Callable[[Value], TeeResult]) -> None:
        self._answer = answer

    def __call__(self, _: Path) -> "Answering":
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def open_session(self, _: object) -> "Answering":
        return self

    def invoke(self, _: int, params: Any) -> TeeResult:  # noqa: ANN401 - as TeeSession's
        return self._answer(params[0])


def shut(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Value], TeeResult]) -> int | None:
    monkeypatch.setattr(shutting, "place_of", lambda _: Place(Path("/there"), 2))
    monkeypatch.setattr(shutting, "TeeClient", Answering(answer))
    with shutting.shut(TOKEN) as ended:
        return ended


def raising(error: Exception) -> Callable[[Value], TeeResult]:
    def answer(_: Value) -> TeeResult:
        raise error

    return answer


def counted(ended: int, left: int) -> Callable[[Value], TeeResult]:
    def answer(value: Value) -> TeeResult:
        assert value.a == 2
        value.a, value.b = ended, left
        return TeeResult.SUCCESS

    return answer


def test_it_tells_how_many_sessions_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shut(monkeypatch, counted(3, 0)) == 3


def test_nothing_is_done_to_a_token_of_another_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutting, "place_of", lambda _: None)
    with shutting.shut(TOKEN) as ended:
        assert ended is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (counted(1, 2), "2 sessions with the token do not end"),
        (lambda _: TeeResult.GENERIC, "does not end sessions with the token: 0xffff0000"),
        (raising(RefusedError("refused", TeeResult.ACCESS_DENIED)), "root, or the secure world's own user, ends them"),
        (raising(RefusedError("refused", TeeResult.BUSY)), "does not end sessions with the token"),
        (raising(ClientError("gone")), "The secure world at /there does not answer"),
    ],
)
def test_why_sessions_do_not_end_is_said(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Value], TeeResult], said: str
) -> None:
    with pytest.raises(CliError, match=said):
        shut(monkeypatch, answer)


def test_an_operator_who_is_refused_or_told_too_little_is_told_so() -> None:
    refused: Any = Answering(lambda _: TeeResult.ACCESS_DENIED)
    with pytest.raises(CliError, match="says nothing: 0xffff0001"):
        OperatorSession(refused, "says nothing").read(OperatorCommand.BEGIN_COPY)

    def longer_than_told(value: Value) -> TeeResult:
        value.a = 5
        return TeeResult.SUCCESS

    ends: Any = Answering(longer_than_told)
    with pytest.raises(CliError, match="what it says ends too early"):
        OperatorSession(ends, "says nothing").read(OperatorCommand.BEGIN_COPY)


def test_an_operator_s_session_with_nobody_is_said(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="says nothing"), operator_session(tmp_path / "none", "says nothing"):
        pass


class Nonsense:
    """An operator's session that answers, but not with what is expected."""

    def read(self, _: OperatorCommand) -> bytes:
        return b"{"


@contextmanager
def nonsense(_: Path, __: str) -> Iterator[Nonsense]:
    yield Nonsense()


def test_a_secure_world_that_says_something_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "operator_session", nonsense)
    with pytest.raises(CliError, match="something else than who uses it"):
        look.Looks(Path("/there")).look(1.0)
    session: Any = Nonsense()
    with pytest.raises(CliError, match="something else than who uses it"):
        statistics(session)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (TeeResult.GENERIC, "does not tell of its log: 0xffff0000"),
        (TeeResult.ITEM_NOT_FOUND, "has no audit log"),
        (TeeResult.SUCCESS, "tells something else of its log"),
    ],
)
def test_a_secure_world_that_does_not_tell_how_its_log_ends_is_said(
    monkeypatch: pytest.MonkeyPatch, result: TeeResult, said: str
) -> None:
    monkeypatch.setattr(places, "TeeClient", Answering(lambda _: result))
    with pytest.raises(CliError, match=said):
        places.asked(Path("/there"))
