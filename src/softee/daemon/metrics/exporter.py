# SPDX-License-Identifier: Apache-2.0
"""Serves metrics, in a process of its own that is made before there is a key: what reads HTTP never has one.

It has the counts, to read them only, its listening socket, and nothing else: no store, no other socket, and no file but
Python's own. It ends with the secure world.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from softee.daemon import hardening
from softee.daemon.account import Account, become
from softee.daemon.errors import StartError
from softee.daemon.forking import fork, take_signals
from softee.daemon.listener import Listener
from softee.daemon.lockdown import Doors, lock_down
from softee.daemon.metrics.counts import FOR_GOOD, SharedCounts
from softee.daemon.metrics.http_place import HttpPlace, listen_at
from softee.daemon.metrics.http_secret import read_secret
from softee.daemon.metrics.http_serving import BEARER, Secret, guarded, require, serve_http
from softee.daemon.settings import Settings

log = logging.getLogger(__name__)


@contextlib.contextmanager
def exporting(
    place: HttpPlace, settings: Settings, counts: SharedCounts, account: Account | None, log_descriptor: int
) -> Iterator[None]:
    """Serve metrics at a place, until the end. Called with one thread, before anything secret is there.

    Raises:
        StartError: they cannot be served; the text is a sentence that says why.

    """
    require("metrics", "prometheus_client", "waitress")
    token = bearer_token(place, settings.metrics.token)
    listener = listen_at(place, settings.metrics.socket_mode, settings.metrics.socket_group)
    doors = Doors(settings.lockdown.also_write, settings.lockdown.also_read, bare=True)
    alive, ours = os.pipe2(os.O_CLOEXEC)
    exporter = _Exporter(counts, listener, token, account, alive, log_descriptor, os.getpid(), doors)
    pid = fork()
    if pid == 0:
        exporter.run_and_exit()
    os.close(alive)
    listener.socket.close()
    counts.want(FOR_GOOD)
    log.info("metrics are at %s", place if place.path else f"http://{listener.path}/metrics")
    try:
        yield
    finally:
        os.close(ours)
        os.waitpid(pid, 0)
        listener.close()


def bearer_token(place: HttpPlace, file: Path | None) -> Secret | None:
    """Return the token that readers of metrics must have; None: none, at a Unix socket, whose mode says who may.

    Raises:
        StartError: there is none for an address, or it cannot be used.

    """
    if file is not None:
        return Secret(BEARER, read_secret(file, "token of the metrics"))
    if place.path is None:
        raise StartError(f"Metrics at {place} need a token: name a file with one, [metrics] token or --metrics-token.")
    return None


@dataclass(frozen=True)
class _Exporter:
    """The process that serves, and what it has."""

    counts: SharedCounts
    listener: Listener
    token: Secret | None
    account: Account | None
    alive: int
    """Is at its end when the secure world is."""
    log_descriptor: int
    parent: int
    doors: Doors

    def run_and_exit(self) -> None:
        """Never return."""
        status = 1
        try:
            self._run()
            status = 0
        except Exception:
            log.exception("metrics are no longer served")
        finally:
            os._exit(status)

    def _run(self) -> None:
        take_signals({})  # which may go to all of the secure world's processes
        from softee.daemon.metrics.table import metrics_application  # noqa: PLC0415 - who serves none does without

        kept = self.alive, self.log_descriptor, self.counts.descriptor, self.listener.fileno()
        hardening.close_all_but(0, 1, 2, *kept)
        become(self.account)
        hardening.die_with(self.parent)
        self.counts.only_read()
        application = guarded(metrics_application(self.counts), self.token)
        lock_down(self.doors)  # what stays open is told by the secure world itself
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        serve_http(application, self.listener)

    def _end_with_parent(self) -> None:
        """End when the secure world has closed its end, or is gone."""
        os.read(self.alive, 1)
        os._exit(0)
