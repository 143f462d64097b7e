# SPDX-License-Identifier: Apache-2.0
"""A secure world that says nothing: after ten seconds libteec.so.2 answers an error, in every phase of a call.

It is the library as it is shipped, in processes where time passes faster. All phases are waited for at the same time,
once.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from native.peer import INVOKE, KEEP_ALIVE, OPEN_SESSION, REPLY, SESSION, Channel, Peer, frame, serving, u32
from native.teec_shell import COMMS, COMMUNICATION, SUCCESS, TARGET_DEAD, TRUSTED_APP, Shell, preloaded

SPEED = 5
"""How much faster, as native/tests/teec_fast_clock.c has it: what is answered has two seconds here, not ten."""

LOST = f"{COMMUNICATION} {COMMS}"
DEAD = f"{TARGET_DEAD} {COMMS}"


def open_session(channel: Channel) -> None:
    channel.greet(features=0)
    request = channel.receive()
    channel.send(frame(OPEN_SESSION | REPLY, request.serial, u32(0, 4, SESSION, 0)))


def alive_once(channel: Channel) -> None:
    """Go silent three seconds after the call, with a keep-alive."""
    open_session(channel)
    request = channel.receive()
    threading.Event().wait(3 / SPEED)
    channel.send(frame(KEEP_ALIVE, request.serial))
    channel.receive()


def reads_nothing(channel: Channel) -> None:
    open_session(channel)
    channel.peer.cancelled.wait()


def reads_in_sips(channel: Channel) -> None:
    open_session(channel)
    while not channel.peer.cancelled.wait(1 / SPEED) and channel.connection.recv(40_000):
        continue


def speaks_in_sips(channel: Channel) -> None:
    open_session(channel)
    reply = frame(INVOKE | REPLY, channel.receive().serial, u32(0, 4, 0x6, 50) + bytes(50))
    for at in range(len(reply)):
        if channel.peer.cancelled.wait(1 / SPEED):
            return
        channel.send(reply[at : at + 1])


@dataclass
class Waiting:
    """What was answered, and after how many seconds of the process that waited."""

    shell: Shell
    command: str
    answer: str = ""
    seconds: float = 0
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        begin = time.monotonic()
        self.answer = self.shell(self.command)
        self.seconds = (time.monotonic() - begin) * SPEED


@pytest.fixture(scope="module")
def outcomes(native_release_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Waiting]]:
    directory = tmp_path_factory.mktemp("silence")
    clock = preloaded(native_release_build, "fast_clock")
    with contextlib.ExitStack() as stack:
        shells = {
            name: stack.enter_context(Shell(native_release_build, directory / name, LD_PRELOAD=clock)) for name in WAITS
        }
        stopped = stack.enter_context(serving(directory / "stopped"))
        stack.enter_context(Peer(directory / "alive", alive_once))
        stack.enter_context(Peer(directory / "deaf", reads_nothing))
        stack.enter_context(Peer(directory / "sipping", reads_in_sips))
        stack.enter_context(Peer(directory / "dripping", speaks_in_sips))
        stack.enter_context(never_accepts(directory / "full"))
        for name in ("stopped", "alive", "deaf", "sipping", "dripping"):
            shells[name].connect()
        stopped.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
        waits = {name: Waiting(shells[name], command) for name, command in WAITS.items()}
        for wait in waits.values():
            wait.thread.join()
        stopped.send_signal(signal.SIGCONT)
        yield waits


WAITS = {
    "stopped": "invoke 1 vx:1,2",
    "alive": "invoke 7",
    "deaf": "invoke 7 ti:1000000",
    "sipping": "invoke 7 ti:1000000",
    "dripping": "invoke 7 to:50",
    "full": "init",
}


@contextlib.contextmanager
def never_accepts(path: Path) -> Iterator[None]:
    """A listener whose backlog is full."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        yield


def test_stopped_secure_world_ends_a_call_after_ten_seconds(outcomes: dict[str, Waiting]) -> None:
    assert outcomes["stopped"].answer.startswith(LOST)
    assert outcomes["stopped"].seconds > 9.9


def test_late_reply_is_never_read(outcomes: dict[str, Waiting]) -> None:
    shell = outcomes["stopped"].shell
    assert shell("invoke 1 vx:5,5").startswith(DEAD)
    assert shell("final") == "ok"
    assert shell.connect()("invoke 1 vx:7,7").startswith(f"{SUCCESS} {TRUSTED_APP} 8,9")


def test_the_ten_seconds_count_from_the_last_keep_alive(outcomes: dict[str, Waiting]) -> None:
    assert outcomes["alive"].answer.startswith(LOST)
    assert outcomes["alive"].seconds > 12.9


@pytest.mark.parametrize("name", ["deaf", "sipping", "dripping"])
def test_secure_world_that_reads_or_writes_too_slowly_ends_a_call_after_ten_seconds(
    outcomes: dict[str, Waiting], name: str
) -> None:
    assert outcomes[name].answer.startswith(LOST)
    assert outcomes[name].seconds > 9.9


def test_listener_that_does_not_accept_ends_the_connect_after_ten_seconds(outcomes: dict[str, Waiting]) -> None:
    assert outcomes["full"].answer == COMMUNICATION
    assert outcomes["full"].seconds > 9.9
