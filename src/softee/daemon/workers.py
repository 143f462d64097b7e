# SPDX-License-Identifier: Apache-2.0
"""Worker processes, as their supervisor sees them: how one begins, what it is given, how it ends."""

import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

from softee.daemon.forking import fork
from softee.daemon.message_stream import MessageStream

log = logging.getLogger(__name__)

Run = Callable[[int, socket.socket, socket.socket], None]
"""What a worker does: its number, its connection to the store, and the socket over which it is handed connections."""


@dataclass(eq=False)
class Worker:
    """A worker process."""

    number: int
    pid: int
    pidfd: int
    store: MessageStream
    handover: socket.socket
    is_ready: bool = False

    def end(self) -> None:
        """Hand over no more: it ends when what it does now is done."""
        self.handover.close()

    def hang_up(self) -> None:
        """Send it a SIGHUP."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGHUP)

    def kill(self) -> None:
        """End it at once."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def reap(self) -> str:
        """Let go of a worker that has died, and say of what."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.store.close()
        self.handover.close()
        code = os.waitstatus_to_exitcode(status)
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def start_worker(number: int, run: Run) -> Worker:
    """Fork a worker, which runs, and exits; the caller has one thread only. Raises OSError."""
    store, its_store = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    handover, its_handover = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = fork()
    if pid == 0:
        _run_and_exit(run, number, its_store, its_handover)
    its_store.close()
    its_handover.close()
    return Worker(number, pid, os.pidfd_open(pid), MessageStream(store), handover)


def _run_and_exit(run: Run, number: int, store: socket.socket, handover: socket.socket) -> None:
    """Never return: what the parent would undo on its way out is the parent's."""
    status = 1
    try:
        run(number, store, handover)
        status = 0
    except Exception:
        log.exception("worker %d cannot go on", number)
    finally:
        os._exit(status)
