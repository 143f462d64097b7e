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
from softee.daemon.anchoring import anchor_devices, anchoring
from softee.daemon.applications import (
    APPLICATIONS,
    Installed,
    Surroundings,
    is_in_use,
    make_applications,
    shared_heads,
)
from softee.daemon.change_page import change_page, shared_numbers
from softee.daemon.failures import FAILURES, opening, sentence
from softee.daemon.listener import Listener, inherited, listen
from softee.daemon.lockdown import Doors, lock_down
from softee.daemon.operators import OperatorApplication
from softee.daemon.server import Server
from softee.daemon.settings import Settings
from softee.daemon.several import World, run_workers
from softee.daemon.store import open_store
from softee.daemon.tickets import open_tickets
from softee.stores.shown import ShownStore
from softee.tee.application import TrustedApplication
from softee.tee.core import TeeCore
from softee.tee.wiping import wipe

log = logging.getLogger(__name__)


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
        # The signals' stack is the outer one: a second SIGTERM does not keep the store from being closed.
        with contextlib.ExitStack() as signals, contextlib.ExitStack() as stack:
            world, made, listener = _open(settings, applications, log_stream.fileno(), stack)
            wakeup = signals.enter_context(_stopping_signals())
            on_ready = partial(_ready, listener, ready_fd)
            workers = _workers(settings, applications)
            _lock_down(settings, may_fork=workers > 1, keyring=world.kept.keyring)
            gc.collect()
            gc.freeze()  # what is there now stays; collectors leave it alone, and workers share it
            if workers == 1:
                core = TeeCore([*made, OperatorApplication(world.around.store)], settings.limits.sessions_per_client)
                server = Server(core, listener, settings.limits, world.page)
                on_ready()
                with world.anchor.in_background():
                    server.run(wakeup)
            else:
                run_workers(world, listener, workers, wakeup, on_ready)
    except FAILURES as error:
        return _failed(sentence(error))
    log.info("stopped")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"softee: {logs.escape(why)}\n")
    return 1


def _ready(listener: Listener, ready_fd: int | None) -> None:
    log.info("ready at %s", listener.path)
    readiness.notify_ready(os.environ, ready_fd)


def _workers(settings: Settings, applications: Sequence[Installed]) -> int:
    """Return how many processes serve: one where an application knows nothing of others beside it."""
    if not all(application.shared for application in applications):
        return 1
    return settings.workers or len(os.sched_getaffinity(0))


def _lock_down(settings: Settings, *, may_fork: bool, keyring: bool) -> None:
    """Give up what is no longer needed. Workers give up more."""
    own = (settings.state, settings.socket.parent, *anchor_devices(settings), *settings.lockdown.also_write)
    for left_open in lock_down(Doors(own, settings.lockdown.also_read, may_fork, keyring)):
        log.warning("%s", left_open)


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
    page = stack.enter_context(change_page())
    key = settings.root_key.read_or_make(is_needed=lambda: is_in_use(store, applications))
    stack.callback(wipe, key)
    kept = stack.enter_context(open_tickets(settings))
    heads = shared_heads(settings, applications)
    revisions = page.revisions if page else shared_numbers()
    with opening(store, settings.root_key):
        anchor = anchoring(settings, ShownStore(store, heads, revisions), key)
        stack.callback(anchor.store.close)
        around = Surroundings(anchor.store, key, settings, revisions, tickets=kept.tickets)
        made = make_applications(around, applications)
    if _workers(settings, applications) == 1:
        wipe(key)  # workers need it to open the state for themselves, as does one that takes a dead one's place
    listener = _listener(settings)
    stack.callback(listener.close)
    log.info(kept.told)
    return World(around, page, applications, log_descriptor, anchor, kept), made, listener


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
