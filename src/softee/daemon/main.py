# SPDX-License-Identifier: Apache-2.0
"""The secure world's life: harden, lock the state, open it, listen, serve, stop.

What keeps it from starting is said in one sentence on stderr, and ends in a status that is not zero.
"""

import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from softee.daemon import hardening, logs, readiness, root_key
from softee.daemon.listener import Listener, ListenError, inherited, listen
from softee.daemon.server import Server
from softee.daemon.settings import Settings
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.token.slots import vault_names
from softee.stores.base import Store, StoreError
from softee.stores.sqlite import SqliteStore
from softee.tee.application import TrustedApplication
from softee.tee.core import TeeCore
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import SecureStorage, WrongRootKeyError

log = logging.getLogger(__name__)

DATABASE = "softee.db"
LOCK = "lock"

Applications = Callable[[Store, bytes, Settings], Sequence[TrustedApplication]]
"""Makes the trusted applications of a secure world from its store, root key and settings."""


class _StartError(Exception):
    """The secure world cannot start; the text is a sentence that says why."""


def pkcs11_applications(store: Store, key: bytes, settings: Settings) -> Sequence[TrustedApplication]:
    """Make the applications that softee has: the PKCS#11 token."""
    storage = SecureStorage(store, key, PKCS11_APPLICATION, vault_names(settings.slots))
    return (Pkcs11Application(storage, slots=settings.slots),)


def serve(settings: Settings, *, ready_fd: int | None = None, applications: Applications = pkcs11_applications) -> int:
    """Run the secure world until SIGTERM or SIGINT.

    Args:
        settings: where everything is, and how much clients may take.
        ready_fd: a descriptor to which a newline is written when clients are served.
        applications: what it runs.

    Returns:
        The exit status: 0 after a signal, 1 where it could not start.

    """
    logs.start_log(settings.log_level)
    try:
        with contextlib.ExitStack() as stack:
            server = _start(settings, applications, stack)
            readiness.notify_ready(os.environ, ready_fd)
            server.run()
    except (_StartError, ListenError, root_key.RootKeyError) as error:
        return _failed(str(error))
    except WrongRootKeyError as error:
        return _failed(f"The root key {settings.root_key} does not fit the state {settings.state}: {error}.")
    except TamperedError as error:
        return _failed(f"The state {settings.state} is damaged or was tampered with: {error}.")
    except StoreError as error:
        return _failed(f"The database in {settings.state} cannot be used: {error}.")
    log.info("stopped")
    return 0


def _failed(sentence: str) -> int:
    sys.stderr.write(f"softee: {logs.escape(sentence)}\n")
    return 1


def _start(settings: Settings, applications: Applications, stack: contextlib.ExitStack) -> Server:
    """Make everything up to the listening socket; ``stack`` undoes it in the opposite order."""
    hardening.harden()
    hardening.raise_descriptor_limit()
    stack.enter_context(_locked(settings.state))
    database = settings.state / DATABASE
    key = root_key.load_root_key(settings.root_key, database=database)
    store = SqliteStore(database)
    stack.callback(store.close)
    core = TeeCore(applications(store, key, settings), settings.limits.sessions_per_client)
    listener = _listener(settings)
    stack.callback(listener.close)
    server = Server(core, listener, settings.limits)
    stack.enter_context(_stopped_by_signals(server))
    log.info("ready at %s", listener.path)
    return server


def _listener(settings: Settings) -> Listener:
    passed = inherited(os.environ)
    return passed or listen(settings.socket, settings.socket_mode, settings.socket_group)


@contextlib.contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Hold the state directory, made if it is not there, for this process alone."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _StartError(f"The state directory {state} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise _StartError(f"Another secure world uses the state {state}.") from None
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _stopped_by_signals(server: Server) -> Iterator[None]:
    """Have SIGTERM and SIGINT stop the server."""
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: server.stop()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
