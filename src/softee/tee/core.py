# SPDX-License-Identifier: Apache-2.0
"""The TEE core: trusted applications by UUID, client contexts, TEE sessions.

It carries opaque commands and does not know what they mean. It guarantees to a trusted application that its client is
who the kernel says it is, and that a session is closed once, after the last invoke has returned; and to everybody else
that an application's bug ends in an error for the one who met it, with a traceback in the log.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar
from uuid import UUID

from softee.names import Origin, TeeResult
from softee.tee.application import TaSession, TeeError, TrustedApplication
from softee.tee.identity import PeerCredentials, identify
from softee.wire.values import Params

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_TRUSTED_APP = Origin.TRUSTED_APP  # looked up once: every call needs it

DEFAULT_SESSIONS = 1024
"""How many TEE sessions a client context may have at a time, if nobody says otherwise."""


class TeeCore:
    """The trusted applications of this secure world."""

    def __init__(self, applications: Iterable[TrustedApplication], sessions_per_client: int = DEFAULT_SESSIONS) -> None:
        self._applications = {application.uuid: application for application in applications}
        self._sessions_per_client = sessions_per_client

    def connect(self, peer: PeerCredentials) -> "ClientContext":
        """Make a context for a client process. Whoever makes it closes it when the process is gone."""
        return ClientContext(self._applications, peer, self._sessions_per_client)


class ClientContext:
    """What one client process has open. All its methods may be called from several threads at once."""

    def __init__(self, applications: Mapping[UUID, TrustedApplication], peer: PeerCredentials, limit: int) -> None:
        self.peer = peer
        self._applications = applications
        self._limit = limit
        self._lock = threading.Lock()
        self._sessions: dict[int, _Session] = {}
        self._numbers = itertools.count(1)
        self._closed = False

    def open_session(self, uuid: UUID, login: int, login_data: int, params: Params) -> tuple[TeeResult, Origin, int]:
        """Open a session with an application.

        Returns:
            The result, the layer that it comes from, and the session's number (0 on failure).

        """
        application = self._applications.get(uuid)
        if application is None:
            return *self._refused(TeeError(TeeResult.ITEM_NOT_FOUND, f"no application {uuid}"), Origin.TEE), 0
        try:
            identity = identify(self.peer, login, login_data)
            self._make_room()
        except TeeError as error:
            return *self._refused(error, Origin.TEE), 0
        try:
            opened = self._guard(application.open_session, identity, params)
        except TeeError as error:
            return *self._refused(error, Origin.TRUSTED_APP), 0
        number = self._add(_Session(opened))
        if not number:
            return *self._refused(TeeError(TeeResult.BAD_STATE, "the client is gone"), Origin.TEE), 0
        return TeeResult.SUCCESS, Origin.TRUSTED_APP, number

    def invoke(self, session: int, command: int, params: Params) -> tuple[TeeResult, Origin]:
        """Run a command in a session; its answers go into ``params``. Several may run at once in one session."""
        entry = self._sessions.get(session)
        if entry is None:
            return TeeResult.BAD_PARAMETERS, Origin.TEE
        entry.running.append(command)
        try:
            if entry.closing:
                return TeeResult.BAD_PARAMETERS, Origin.TEE
            return entry.application.invoke(command, params), _TRUSTED_APP
        except TeeError as error:
            return self._refused(error, _TRUSTED_APP)
        except Exception as bug:  # noqa: BLE001 - whatever it is, it ends this request alone
            return self._refused(self._bug(bug), _TRUSTED_APP)
        finally:
            entry.running.pop()
            if entry.closing:
                entry.wake()

    def is_quick(self, session: int, command: int, params: Params) -> bool:
        """Say whether a command is done in a moment. So is the refusal of one in a session that is not there."""
        entry = self._sessions.get(session)
        return entry is None or entry.application.is_quick(command, params)

    def wait(self, session: int, command: int, params: Params) -> float:
        """Say for how many seconds a command has to wait before it runs."""
        entry = self._sessions.get(session)
        return 0.0 if entry is None else entry.application.wait(command, params)

    def cancel(self, session: int, _cancel_id: int) -> TeeResult:
        """Ask for the end of a running request (``session`` 0: of an open_session).

        Cancellation is masked in every trusted application until it unmasks it (TEE Internal Core API, section
        4.10), and none here does: the request is taken, and what runs, runs to its end.
        """
        return TeeResult.SUCCESS if session == 0 or session in self._sessions else TeeResult.BAD_PARAMETERS

    def close_session(self, session: int) -> TeeResult:
        """Close a session after its running invokes have returned; new ones are refused from now on."""
        with self._lock:
            entry = self._sessions.pop(session, None)
        if entry is None:
            return TeeResult.BAD_PARAMETERS
        self._close(entry)
        return TeeResult.SUCCESS

    def close(self, *, returns: bool = False) -> None:
        """Close all sessions; no session can be opened any more. ``returns``: its process lives, and may come back."""
        with self._lock:
            self._closed = True
            entries = list(self._sessions.values())
            self._sessions.clear()
        for entry in entries:
            self._close(entry, returns=returns)

    def _make_room(self) -> None:
        """Refuse one more session, where there is no room. Racing opens may pass the limit by their own number."""
        if len(self._sessions) >= self._limit:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"the client has {self._limit} sessions, which is the limit")

    def _add(self, entry: "_Session") -> int:
        with self._lock:
            if not self._closed:
                number = next(self._numbers)
                self._sessions[number] = entry
                return number
        self._close(entry)
        return 0

    def _close(self, entry: "_Session", *, returns: bool = False) -> None:
        try:
            self._guard(entry.close, returns=returns)
        except TeeError as error:
            self._refused(error, Origin.TRUSTED_APP)

    def _guard(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call an application; an exception that it may not raise is logged and becomes a TeeError."""
        try:
            return call(*args, **kwargs)
        except TeeError:
            raise
        except Exception as bug:
            raise self._bug(bug) from bug

    def _bug(self, bug: Exception) -> TeeError:
        """Log an exception that an application may not raise, and return what the client is told."""
        pid, uid = self.peer.pid, self.peer.uid
        log.error(
            "a bug in a trusted application; its client: pid %d, uid %d", pid, uid, exc_info=bug, extra={"uid": uid}
        )
        return TeeError(TeeResult.GENERIC, "a bug; see the traceback in the log")

    def _refused(self, error: TeeError, origin: Origin) -> tuple[TeeResult, Origin]:
        pid, uid = self.peer.pid, self.peer.uid
        log.info("refused to pid %d, uid %d by %s: %s", pid, uid, origin.name, error, extra={"uid": uid})
        return error.result, origin


class _Session:
    """An application's session, and the invokes that run in it.

    An invoke puts itself among the ``running`` before it looks at ``closing``; ``close`` sets ``closing`` before it
    looks at ``running``. So no lock is needed to begin and to end one.
    """

    __slots__ = ("_idle", "application", "closing", "running")

    def __init__(self, application: TaSession) -> None:
        self.application = application
        self.running: list[int] = []
        self.closing = False
        self._idle = threading.Condition()

    def wake(self) -> None:
        """Have ``close`` look again at what runs."""
        with self._idle:
            self._idle.notify_all()

    def close(self, *, returns: bool) -> None:
        """Wait for the running invokes, and close the application's session. Called once."""
        self.closing = True
        with self._idle:
            self._idle.wait_for(lambda: not self.running)
        self.application.close(returns=returns)
