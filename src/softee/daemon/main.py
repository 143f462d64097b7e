# SPDX-License-Identifier: Apache-2.0
"""The secure world's life: harden, open the store, load the root key, make the applications, listen, serve, stop.

What keeps it from starting is said in one sentence on stderr, and ends in a status that is not zero.
"""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from softee.daemon import hardening, logs, readiness
from softee.daemon.applications import APPLICATIONS, Installed, is_in_use, make_applications
from softee.daemon.errors import StartError
from softee.daemon.listener import Listener, inherited, listen
from softee.daemon.root_key import load_root_key
from softee.daemon.server import Server
from softee.daemon.settings import Settings, SettingsError
from softee.daemon.store import open_store
from softee.stores.base import StoreDamagedError, StoreError, StoreUnavailableError
from softee.tee.core import TeeCore
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError

log = logging.getLogger(__name__)

_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (StartError, "{error}"),
    (SettingsError, "{error}"),
    (WrongRootKeyError, "The root key {settings.root_key} does not fit the state {settings.state}: {error}."),
    (TamperedError, "The state {settings.state} is damaged or was tampered with: {error}."),
    (StoreDamagedError, "The store is damaged or was tampered with: {error}."),
    (StoreUnavailableError, "The store cannot be reached now: {error}; try again later."),
    (StoreError, "The store cannot be used: {error}."),
)
"""What keeps the secure world from starting, and how it is told; the first that fits."""


def serve(settings: Settings, *, ready_fd: int | None = None, applications: Sequence[Installed] = APPLICATIONS) -> int:
    """Run the secure world until SIGTERM or SIGINT.

    Args:
        settings: where everything is, and how much clients may take.
        ready_fd: a descriptor to which a newline is written when clients are served.
        applications: what runs in it.

    Returns:
        The exit status: 0 after a signal, 1 where it could not start.

    """
    logs.start_log(settings.log_level)
    try:
        with contextlib.ExitStack() as stack:
            server = _start(settings, applications, stack)
            readiness.notify_ready(os.environ, ready_fd)
            server.run()
    except tuple(kind for kind, _ in _SENTENCES) as error:
        sentence = next(sentence for kind, sentence in _SENTENCES if isinstance(error, kind))
        return _failed(sentence.format(error=error, settings=settings))
    log.info("stopped")
    return 0


def _failed(sentence: str) -> int:
    sys.stderr.write(f"softee: {logs.escape(sentence)}\n")
    return 1


def _start(settings: Settings, applications: Sequence[Installed], stack: contextlib.ExitStack) -> Server:
    """Make everything up to the listening socket; ``stack`` undoes it in the opposite order."""
    hardening.harden()
    hardening.raise_descriptor_limit()
    store = stack.enter_context(open_store(settings))
    key = load_root_key(settings.root_key, is_needed=lambda: is_in_use(store, applications))
    made = make_applications(store, key, settings, applications)
    core = TeeCore(made, settings.limits.sessions_per_client)
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
def _stopped_by_signals(server: Server) -> Iterator[None]:
    """Have SIGTERM and SIGINT stop the server."""
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: server.stop()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
