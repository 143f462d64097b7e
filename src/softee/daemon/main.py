# SPDX-License-Identifier: Apache-2.0
"""The secure world's life: harden, open the store, load the root key, make the applications, listen, serve, stop.

What keeps it from starting is said in one sentence on stderr, and ends in a status that is not zero.
"""

import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from functools import partial

from softee.daemon import hardening, heap, logs, readiness
from softee.daemon.applications import (
    APPLICATIONS,
    Installed,
    Surroundings,
    is_in_use,
    make_applications,
    shared_heads,
)
from softee.daemon.change_page import change_page, shared_numbers
from softee.daemon.errors import StartError
from softee.daemon.listener import Listener, inherited, listen
from softee.daemon.lockdown import Doors, lock_down
from softee.daemon.root_key import load_root_key
from softee.daemon.server import Server
from softee.daemon.settings import Settings, SettingsError
from softee.daemon.several import World, run_workers
from softee.daemon.store import open_store
from softee.stores.base import StoreDamagedError, StoreError, StoreUnavailableError
from softee.stores.shown import ShownStore
from softee.tee.application import TrustedApplication
from softee.tee.core import TeeCore
from softee.tee.sealing import TamperedError
from softee.tee.secure_storage import WrongRootKeyError

log = logging.getLogger(__name__)

_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (StartError, "{error}"),
    (SettingsError, "{error}"),
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
    log_stream = logs.start_log(settings.log_level)
    try:
        with contextlib.ExitStack() as stack:
            world, made, listener = _open(settings, applications, log_stream.fileno(), stack)
            wakeup = stack.enter_context(_stopping_signals())
            on_ready = partial(_ready, listener, ready_fd)
            workers = _workers(settings, applications)
            _lock_down(settings, may_fork=workers > 1)
            gc.collect()
            gc.freeze()  # what is there now stays; collectors leave it alone, and workers share it
            if workers == 1:
                core = TeeCore(made, settings.limits.sessions_per_client)
                server = Server(core, listener, settings.limits, world.page)
                on_ready()
                server.run(wakeup)
            else:
                run_workers(world, listener, workers, wakeup, on_ready)
    except tuple(kind for kind, _ in _SENTENCES) as error:
        sentence = next(sentence for kind, sentence in _SENTENCES if isinstance(error, kind))
        return _failed(sentence.format(error=error))
    log.info("stopped")
    return 0


def _failed(sentence: str) -> int:
    sys.stderr.write(f"softee: {logs.escape(sentence)}\n")
    return 1


def _ready(listener: Listener, ready_fd: int | None) -> None:
    log.info("ready at %s", listener.path)
    readiness.notify_ready(os.environ, ready_fd)


def _workers(settings: Settings, applications: Sequence[Installed]) -> int:
    """Return how many processes serve: one where an application knows nothing of others beside it."""
    if not all(application.shared for application in applications):
        return 1
    return settings.workers or len(os.sched_getaffinity(0))


def _lock_down(settings: Settings, *, may_fork: bool) -> None:
    """Give up what is no longer needed. Workers give up more."""
    own = (settings.state, settings.socket.parent, *settings.lockdown.also_write)
    for sentence in lock_down(Doors(own, settings.lockdown.also_read, may_fork=may_fork)):
        log.warning("%s", sentence)


def _open(
    settings: Settings, applications: Sequence[Installed], log_descriptor: int, stack: contextlib.ExitStack
) -> tuple[World, list[TrustedApplication], Listener]:
    """Make everything up to the listening socket; ``stack`` undoes it in the opposite order.

    Several workers make applications of their own. What keeps these from being made is said here, once.
    """
    hardening.harden()
    heap.keep_little()
    hardening.raise_descriptor_limit()
    store = stack.enter_context(open_store(settings))
    key = load_root_key(settings.root_key, is_needed=lambda: is_in_use(store, applications))
    page = stack.enter_context(change_page())
    heads = shared_heads(settings, applications)
    revisions = page.revisions if page else shared_numbers()
    around = Surroundings(ShownStore(store, heads, revisions), key, settings, revisions)
    made = _made(applications, around)
    listener = _listener(settings)
    stack.callback(listener.close)
    return World(around, page, applications, log_descriptor), made, listener


def _made(applications: Sequence[Installed], around: Surroundings) -> list[TrustedApplication]:
    try:
        return make_applications(around, applications)
    except WrongRootKeyError as error:
        what = f"The root key {around.settings.root_key} does not fit what is stored in {around.store.name}"
        raise StartError(f"{what}: {error}.") from error
    except TamperedError as error:
        raise StartError(f"What is stored in {around.store.name} is damaged or was tampered with: {error}.") from error


def _listener(settings: Settings) -> Listener:
    passed = inherited(os.environ)
    return passed or listen(settings.socket, settings.socket_mode, settings.socket_group)


@contextlib.contextmanager
def _stopping_signals() -> Iterator[int]:
    """Yield a descriptor that SIGTERM and SIGINT write to, and do nothing else."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    wakeup = signal.set_wakeup_fd(writer)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(reader)
        os.close(writer)
