# SPDX-License-Identifier: Apache-2.0
"""A trusted application for tests of the channel: it echoes, waits, fails and counts."""

import threading
from uuid import UUID

from softee.names import TeeResult
from softee.tee.application import ClientIdentity, TeeError
from softee.wire.values import Memref, Params, Value

ECHO_UUID = UUID("6b1e6c34-6d31-4a3b-9d0c-0c9f0a5b7a11")

ECHO = 1
"""Parameter 0 (input) comes back in parameter 1 (output); parameter 2 (value) has its a and b swapped."""
WAIT = 2
"""Ends when the application's ``gate`` is opened."""
FAIL = 3
"""Raises TeeError(BAD_STATE)."""
CRASH = 4
"""Raises what an application may not raise, with an attempt to forge a log line in its text."""
FILL = 5
"""Answers as many bytes as parameter 0 (value) says, in parameter 1 (output)."""
IDENTITY = 6
"""Answers the client's UUID in parameter 1 (output)."""

FORGERY = "oops\n2026-01-01 00:00:00,000 INFO softee.daemon: all is well\x1b[2K"


class EchoApplication:
    """The application; ``sessions`` are those that are open."""

    uuid = ECHO_UUID

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.waiting = threading.Semaphore(0)
        """Released by each WAIT that has begun."""
        self.sessions: set[EchoSession] = set()
        self.wait = 0.0
        """For how many seconds each WAIT has to wait before it begins."""
        self.changed = threading.Condition()

    def open_session(self, client: ClientIdentity, params: Params) -> "EchoSession":
        refused = params[3]
        if isinstance(refused, Value) and refused.a:
            raise TeeError(TeeResult.ACCESS_DENIED, "the client asked to be refused")
        session = EchoSession(self, client)
        with self.changed:
            self.sessions.add(session)
            self.changed.notify_all()
        return session

    def wait_until_open(self, count: int, timeout: float = 30.0) -> bool:
        """Wait until so many sessions are open; False where it takes too long."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.sessions) == count, timeout)


class EchoSession:
    def __init__(self, application: EchoApplication, client: ClientIdentity) -> None:
        self.client = client
        self.running = 0
        self.returns = False
        self.closed_while_running = False
        self._application = application

    def invoke(self, command: int, params: Params) -> TeeResult:
        self.running += 1
        try:
            return self._run(command, params)
        finally:
            self.running -= 1

    def is_quick(self, command: int, params: Params) -> bool:
        return command != WAIT and params[3] is None

    def wait(self, command: int, params: Params) -> float:  # noqa: ARG002 - the Protocol's
        return self._application.wait if command == WAIT else 0.0

    def close(self, *, returns: bool = False) -> None:
        self.returns = returns
        self.closed_while_running = self.running > 0
        with self._application.changed:
            self._application.sessions.discard(self)
            self._application.changed.notify_all()

    def _run(self, command: int, params: Params) -> TeeResult:
        if command == ECHO:
            return self._echo(params)
        if command == WAIT:
            self._application.waiting.release()
            return TeeResult.SUCCESS if self._application.gate.wait(100) else TeeResult.GENERIC
        if command == FAIL:
            raise TeeError(TeeResult.BAD_STATE, "as asked")
        if command == CRASH:
            raise RuntimeError(FORGERY)
        if command == FILL:
            return self._fill(params)
        if command == IDENTITY:
            return _answer(params, self.client.uuid.bytes)
        return TeeResult.NOT_SUPPORTED

    def _echo(self, params: Params) -> TeeResult:
        source, value = params[0], params[2]
        if isinstance(value, Value):
            value.a, value.b = value.b, value.a
        return _answer(params, bytes(source.data)) if isinstance(source, Memref) else TeeResult.SUCCESS

    def _fill(self, params: Params) -> TeeResult:
        size = params[0]
        return _answer(params, bytes(size.a)) if isinstance(size, Value) else TeeResult.BAD_PARAMETERS


def _answer(params: Params, data: bytes) -> TeeResult:
    target = params[1]
    if not isinstance(target, Memref):
        return TeeResult.BAD_PARAMETERS
    return TeeResult.SUCCESS if target.reply(data) else TeeResult.SHORT_BUFFER
