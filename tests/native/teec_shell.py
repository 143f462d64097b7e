# SPDX-License-Identifier: Apache-2.0
"""Drives native/tests/teec_shell.c, line by line."""

import os
import subprocess
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

SUCCESS = "00000000"
BAD_PARAMETERS = "ffff0006"
BAD_STATE = "ffff0007"
NOT_SUPPORTED = "ffff000a"
EXCESS_DATA = "ffff0004"
BUSY = "ffff000d"
COMMUNICATION = "ffff000e"
SECURITY = "ffff000f"
SHORT_BUFFER = "ffff0010"
CANCELLED = "ffff0002"
TARGET_DEAD = "ffff3024"

API, COMMS, TRUSTED_APP = "1", "2", "4"


class Shell:
    """One teec_shell process, whose standard error is kept in ``complaints`` when it has ended."""

    def __init__(self, build: Path, socket: Path, **environment: str) -> None:
        told = {"SOFTEE_SOCKET": str(socket), "SOFTEE_VERBOSE": "1"}
        variables = {"PATH": os.environ["PATH"], **told, **environment}
        self.complaints = ""
        self._process = subprocess.Popen(
            [str(build / "native/tests/teec_shell")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in variables.items() if value},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Close its input and see that it ends well: no crash, no leak, no undefined behaviour."""
        _, complaints = self._process.communicate(timeout=60)
        self.complaints = complaints or ""
        assert self._process.returncode == 0, self.complaints
        assert "runtime error" not in self.complaints

    def deafen(self) -> None:
        """Read no complaints: who writes one gets SIGPIPE."""
        assert self._process.stderr
        self._process.stderr.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def __call__(self, command: str) -> str:
        self.tell(command)
        return self.hear()

    def connect(self) -> "Shell":
        assert self("init") == SUCCESS
        assert self("open 0") == f"{SUCCESS} {TRUSTED_APP}"
        return self


def pattern(index: int, size: int) -> bytes:
    """What teec_shell puts into the buffer of parameter ``index``."""
    period = bytes((k + index) & 0xFF for k in range(256))
    return (period * (size // 256 + 1))[:size]


def told(data: bytes) -> str:
    """A buffer as teec_shell tells it."""
    return f"{len(data)}:{zlib.crc32(data):08x}"


def preloaded(build: Path, name: str) -> str:
    """A library for LD_PRELOAD.

    With ``client_settings`` TEST_CLIENT_SETTINGS names the machine's settings for clients, ``old_kernel`` is a kernel
    without MADV_WIPEONFORK and memory files, ``long_lock`` makes libteec hold its lock long,
    and with ``fast_clock`` time passes faster.
    """
    return str(build / f"native/tests/libteec_{name}.so")
