# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told after the start (sd_notify(3)): that we live, that settings are read anew, the end.

All of it is courtesy: a failure does not keep the secure world from serving.
"""

import os
import signal
import time
from collections.abc import MutableMapping

from softee.daemon.readiness import notify


class ServiceManager:
    """Whoever has started this process, where it wants to hear of it; nobody else is spoken to."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Read where it listens, and how often it wants a sign of life; what is for this process alone is taken out."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        microseconds, process = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        is_ours = process in ("", str(os.getpid())) and microseconds.isascii() and microseconds.isdigit()
        self.watchdog = int(microseconds) / 1e6 if is_ours else 0.0
        """Seconds after which it takes a process without signs of life for dead; 0: it does not look."""

    def start_alarms(self) -> None:
        """Have SIGALRM come in time for each sign of life. Processes that are forked get none."""
        signal.setitimer(signal.ITIMER_REAL, self.watchdog / 2, self.watchdog / 2)

    def say_alive(self) -> None:
        """Say that the loop goes round which serves clients."""
        self._say("WATCHDOG=1")

    def say_stopping(self) -> None:
        """Say that the secure world ends."""
        self._say("STOPPING=1")

    def say_reloading(self) -> None:
        """Say that settings are read anew."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def say_ready(self) -> None:
        """Say that they have been read."""
        self._say("READY=1")

    def _say(self, message: str) -> None:
        if self._address:
            notify(self._address, message.encode())
