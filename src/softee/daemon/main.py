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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from softee.daemon import hardening, heap, logs, readiness
from softee.daemon.account import account_of, become, borrowed
from softee.daemon.anchoring import anchor_devices, anchoring
from softee.daemon.applications import (
    APPLICATIONS,
    Installed,
    Surroundings,
    is_in_use,
    make_applications,
    serial_numbers,
    shared_heads,
)
from softee.daemon.audit.auditing import audit_folder, audited
from softee.daemon.change_page import change_page, shared_numbers
from softee.daemon.errors import StartError
from softee.daemon.failures import FAILURES, opening, sentence
from softee.daemon.listener import Listener, inherited, listen
from softee.daemon.lockdown import Doors, lock_down
from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.operators import OperatorApplication
from softee.daemon.reloading import Reloading, hung_up
from softee.daemon.server import Server
from softee.daemon.service_manager import ServiceManager
from softee.daemon.settings import Settings, SettingsSource, readable
from softee.daemon.several import World, run_workers
from softee.daemon.store import open_store
from softee.daemon.tickets import open_tickets
from softee.daemon.wakeup import Act, heeded
from softee.pkcs11_ta.known_answers.outcome import names_of_wrong
from softee.stores.counted import CountedStore
from softee.stores.shown import ShownStore
from softee.tee.application import TrustedApplication
from softee.tee.core import TeeCore
from softee.tee.wiping import wipe

log = logging.getLogger(__name__)


def serve(
    settings: Settings,
    *,
    ready_fd: int | None = None,
    source: SettingsSource | None = None,
    applications: Sequence[Installed] = APPLICATIONS,
) -> int:
    """Run the secure world until SIGTERM or SIGINT, or until the terminal is gone from which it was started.

    Args:
        settings: where everything is, and how much clients may take.
        ready_fd: a descriptor to which a newline is written when clients are served.
        source: where the settings are read anew at SIGHUP.
        applications: what runs in it.

    Returns:
        The exit status: 0 after a signal, 1 where it could not start.

    """
    log_stream = logs.start_log(settings.log_level)
    manager, reloading = ServiceManager(os.environ), Reloading(settings, source)
    try:
        # The signals' stack is the outer one: a second SIGTERM does not keep the store from being closed.
        with contextlib.ExitStack() as signals, contextlib.ExitStack() as stack:
            world, made, listener = _open(settings, applications, log_stream.fileno(), reloading, stack)
            wakeup = signals.enter_context(heeded(_acts(manager, reloading)))
            on_ready = partial(_ready, listener, ready_fd, manager)
            workers = _workers(settings, applications)
            if os.geteuid() == 0:
                log.info("it runs as root; the setting `user` names a user that it becomes when its socket is there")
            _lock_down(settings, source, may_fork=workers > 1, keyring=world.kept.keyring)
            gc.collect()
            gc.freeze()  # what is there now stays; collectors leave it alone, and workers share it
            if workers == 1:
                operators = OperatorApplication(world.around.store, made, world.counts)
                core = TeeCore([*made, operators], settings.limits.sessions_per_client)
                server = Server(core, listener, settings.limits, world.page)
                on_ready()
                with world.anchor.in_background():
                    server.run(wakeup, world.counts)
            else:
                run_workers(world, listener, workers, wakeup, on_ready)
    except FAILURES as error:
        return _failed(sentence(error))
    log.info("stopped")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"softee: {logs.escape(why)}\n")
    return 1


def _ready(listener: Listener, ready_fd: int | None, manager: ServiceManager) -> None:
    log.info("ready at %s", listener.path)
    readiness.notify_ready(os.environ, ready_fd)
    manager.start_alarms()


def _acts(manager: ServiceManager, reloading: Reloading) -> Mapping[int, Act]:
    """Return what the secure world does at the signals that it heeds."""
    is_left_alone = hung_up()

    def stop() -> bool:
        manager.say_stopping()
        return False

    def hang_up() -> bool:
        if is_left_alone():
            return stop()
        manager.say_reloading()
        reloading.reload()
        manager.say_ready()
        return True

    def be_alive() -> bool:
        manager.say_alive()
        return True

    return {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hang_up, signal.SIGALRM: be_alive}


def _workers(settings: Settings, applications: Sequence[Installed]) -> int:
    """Return how many processes serve: one where an application knows nothing of others beside it."""
    if not all(application.shared for application in applications):
        return 1
    return settings.workers or len(os.sched_getaffinity(0))


def _lock_down(settings: Settings, source: SettingsSource | None, *, may_fork: bool, keyring: bool) -> None:
    """Give up what is no longer needed. Workers give up more."""
    metrics = settings.metrics.listen and settings.metrics.listen.path
    sockets = [socket.parent for socket in (settings.socket, metrics) if socket]
    own = (settings.state, *sockets, audit_folder(settings), *anchor_devices(settings))
    read = readable(settings) if source is None else (*readable(settings), source.file)
    for left_open in lock_down(Doors((*own, *settings.lockdown.also_write), read, may_fork, keyring)):
        log.warning("%s", left_open)


def _open(
    settings: Settings,
    applications: Sequence[Installed],
    log_descriptor: int,
    reloading: Reloading,
    stack: contextlib.ExitStack,
) -> tuple[World, list[TrustedApplication], Listener]:
    """Make everything up to the listening socket; ``stack`` undoes it in the opposite order.

    Several workers make applications of their own. What keeps these from being made is said here, once.
    """
    hardening.harden()
    _require_right_answers()
    heap.keep_little()
    hardening.raise_descriptor_limit()
    account = account_of(settings.user)
    workers = _workers(settings, applications)
    counts = SharedCounts(workers, settings.pkcs11.slots)
    stack.callback(counts.close)
    if settings.metrics.listen is not None:
        from softee.daemon.metrics.exporter import exporting  # noqa: PLC0415 - most serve none, and start sooner

        stack.enter_context(exporting(settings.metrics.listen, settings, counts, account, log_descriptor))
    store = stack.enter_context(open_store(settings))
    page = stack.enter_context(change_page())
    key = settings.root_key.read_or_make(is_needed=lambda: is_in_use(store, applications))
    stack.callback(wipe, key)
    with borrowed(account):
        kept = stack.enter_context(open_tickets(settings))
    heads = shared_heads(settings, applications)
    revisions = page.revisions if page else shared_numbers()
    counted = CountedStore(store, counts.of_store().commit)
    with opening(store, settings.root_key):
        anchor = anchoring(settings, ShownStore(counted, heads, revisions), key)
        stack.callback(anchor.store.close)
        store = stack.enter_context(audited(settings, anchor.store, key, account, counts.tell_audit))
        around = Surroundings(
            store, key, settings, revisions, tickets=kept.tickets, has_audit=store is not anchor.store
        )
        if workers == 1:
            around = replace(around, counts=counts.of_worker(0))
        made = make_applications(around, applications)
    counts.name_tokens(serial_numbers(made))
    if workers == 1:
        wipe(key)  # workers need it to open the state for themselves, as does one that takes a dead one's place
    listener = _listener(settings)
    stack.callback(listener.close)
    become(account)
    log.info(kept.told)
    return World(around, page, applications, log_descriptor, reloading, anchor, counts, kept), made, listener


def _require_right_answers() -> None:
    """Check the cryptography before anything is opened with it. Raises StartError."""
    wrong = names_of_wrong()
    if wrong:
        raise StartError(
            f"This installation's cryptography gives wrong answers, so nothing was opened: {', '.join(wrong)}; "
            "install it anew, and see `softee selftest`."
        )


def _listener(settings: Settings) -> Listener:
    passed = inherited(os.environ)
    return passed or listen(settings.socket, settings.socket_mode, settings.socket_group)
