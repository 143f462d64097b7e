# SPDX-License-Identifier: Apache-2.0
"""A secure world of several worker processes: what the supervisor has, and what each worker makes of it."""

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from softee.daemon import hardening
from softee.daemon.anchoring import Anchoring
from softee.daemon.applications import Installed, Surroundings, make_applications
from softee.daemon.change_page import ChangePage
from softee.daemon.clients import Place
from softee.daemon.forking import take_signals
from softee.daemon.handover import ConnectionSource
from softee.daemon.listener import Listener
from softee.daemon.lockdown import Doors, lock_down
from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.operators import OperatorApplication
from softee.daemon.reloading import Reloading
from softee.daemon.server import Server
from softee.daemon.settings import Limits, readable
from softee.daemon.shared_tokens import SharedTokens, WorkerNeighbours
from softee.daemon.shut_tokens import ShutTokens
from softee.daemon.supervisor import Supervisor
from softee.daemon.tickets import OpenTickets
from softee.daemon.wakeup import Wakeup
from softee.stores.remote import RemoteStore
from softee.tee.core import TeeCore
from softee.tee.wiping import wipe

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class World:
    """What all workers have in common. Its store is the supervisor's alone."""

    around: Surroundings
    page: ChangePage | None
    applications: Sequence[Installed]
    log_descriptor: int
    reloading: Reloading
    anchor: Anchoring
    counts: SharedCounts
    kept: OpenTickets = field(default_factory=OpenTickets)
    """How logins come back after a restart."""


def run_workers(world: World, listener: Listener, workers: int, wakeup: Wakeup, on_ready: Callable[[], None]) -> None:
    """Serve with so many workers until ``wakeup`` says stop. ``on_ready`` is called when all of them serve."""
    settings = world.around.settings
    with contextlib.closing(SharedTokens(workers, settings.pkcs11.slots)) as shared:
        run = partial(_work, world, _Family(shared, os.getpid()))
        supervisor = Supervisor(world.anchor, listener, settings.limits, shared, run, store=world.around.store)
        world.reloading.tell_workers = supervisor.tell_workers
        supervisor.tell_death = world.counts.forget
        supervisor.run(wakeup, on_ready)


@dataclass(frozen=True)
class _Family:
    """What a worker has with the others, and the pid of their parent."""

    shared: SharedTokens
    supervisor: int


def _work(world: World, family: _Family, number: int, store: socket.socket, handover: socket.socket) -> None:
    """Be a worker, until no more connections are handed over."""
    hardening.die_with(family.supervisor)
    # Whoever stops the secure world may signal all its processes; the workers end when the supervisor has them end.
    take_signals({signal.SIGHUP: lambda *_: world.reloading.level.heed()})
    shared = family.shared
    kept = [store.fileno(), handover.fileno(), world.log_descriptor, *shared.descriptors(number)]
    kept += [world.counts.bell, *world.kept.descriptors]
    if world.page is not None:
        world.page.read_only()
        kept.append(world.page.descriptor)
    hardening.close_all_but(0, 1, 2, *kept)
    settings = world.around.settings
    around = replace(
        world.around,
        store=RemoteStore(store, world.around.store.name),
        shown=world.page.revisions if world.page else world.around.shown,
        neighbours=WorkerNeighbours(shared, number),
        counts=world.counts.of_worker(number),
    )
    doors = Doors(settings.lockdown.also_write, readable(settings), keyring=world.kept.keyring)
    lock_down(doors)  # what stays open was told already
    made = make_applications(around, world.applications)
    wipe(around.root_key)
    operators = OperatorApplication(around.store, made, world.counts, shared.all_serve)
    core = TeeCore([*made, operators], settings.limits.sessions_per_client)
    source = ConnectionSource(handover)
    place = Place(number, partial(shared.count_clients, number))
    server = Server(core, source, _share(settings.limits, shared.workers), world.page, place)
    shared.note_serving(number)
    source.say_ready()
    server.run(ShutTokens(shared.bell(number), made), world.counts)


def _share(limits: Limits, workers: int) -> Limits:
    """Return a worker's share of what all clients together may have."""
    return msgspec.structs.replace(limits, **{name: -(-getattr(limits, name) // workers) for name in _COMMON})


_COMMON = ("clients", "channels", "clients_per_uid", "channels_per_uid")
