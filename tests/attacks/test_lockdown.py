# SPDX-License-Identifier: Apache-2.0
"""Whoever takes over the secure world's process gets no further: tried from within a process that is locked down."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from softee.daemon import landlock, lockdown, system_calls
from softee.daemon.lockdown import Doors, Step
from support.secure_world import running_daemon

ATTEMPTS = """
import json, os, pathlib, socket, sys, threading, ctypes
from softee.daemon.lockdown import Doors, lock_down
from softee.tee.late import LateModule

own, other, extra = map(pathlib.Path, sys.argv[1:4])
fork = sys.argv[4] == "fork"
open_still = lock_down(Doors(written=[own], read=[extra, other / "is not there"], may_fork=fork))
libc = ctypes.CDLL(None, use_errno=True)

def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result

def child():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

def thread():
    done = []
    one = threading.Thread(target=done.append, args=(1,))
    one.start()
    one.join()
    return done

ATTEMPTS = {
    "write to the state": lambda: (own / "new").write_text("x"),
    "read the state": lambda: (own / "new").read_text(),
    "replace in the state": lambda: (own / "new").rename(own / "newer"),
    "remove from the state": lambda: (own / "newer").unlink(),
    "make a link in the state": lambda: (own / "link").symlink_to("/etc/passwd"),
    "read what is named": lambda: os.listdir(extra),
    "write to what is named": lambda: (extra / "new").write_text("x"),
    "read elsewhere": lambda: os.listdir(other),
    "read a file elsewhere": lambda: (other / "secret").read_text(),
    "write elsewhere": lambda: (other / "new").write_text("x"),
    "load a module": lambda: __import__("xml.dom.minidom"),
    "load a library that loads late": lambda: LateModule("Crypto.Cipher.AES").MODE_GCM,
    "begin a thread": thread,
    "begin a process": child,
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "a socket of the network": lambda: socket.socket(socket.AF_INET),
    "a local socket": lambda: socket.socketpair(),
    "a memory file": lambda: os.close(os.memfd_create("x")),
    "signal a process outside": lambda: os.kill(os.getppid(), 0),
    "trace": lambda: call(libc.ptrace(0, 0, 0, 0)),
    "mount": lambda: call(libc.mount(b"none", str(own).encode(), b"tmpfs", 0, None)),
    "a new namespace": lambda: call(libc.unshare(0x10000000)),
    "set the clock": lambda: call(libc.clock_settime(0, ctypes.byref((ctypes.c_long * 2)(0, 0)))),
    "a key of the kernel": lambda: call(libc.syscall(248, b"user", b"x", b"x", 1, -3)),
}
outcome = {}
for name, attempt in ATTEMPTS.items():
    try:
        attempt()
        outcome[name] = 0
    except OSError as error:
        outcome[name] = error.errno
print(json.dumps([open_still, outcome]))
"""

ALLOWED = {
    *("write to the state", "read the state", "replace in the state", "remove from the state", "read what is named"),
    *("load a module", "load a library that loads late", "begin a thread", "a local socket", "a memory file"),
}


@pytest.mark.parametrize("fork", ["fork", "alone"])
@pytest.mark.skipif(bool(lockdown.missing()), reason="this machine cannot close all doors")
def test_attack_a_process_that_is_locked_down_reaches_nothing_else(tmp_path: Path, fork: str) -> None:
    own, other, extra = (tmp_path / name for name in ("own", "other", "extra"))
    for directory in (own, other, extra):
        directory.mkdir()
    (other / "secret").write_text("secret")
    done = subprocess.run(
        [sys.executable, "-P", "-c", ATTEMPTS, own, other, extra, fork], capture_output=True, text=True, check=False
    )
    open_still, outcome = json.loads(done.stdout.splitlines()[-1])
    assert open_still == []
    allowed = ALLOWED | {"begin a process"} if fork == "fork" else ALLOWED
    assert {name for name, code in outcome.items() if code == 0} == allowed
    assert set(outcome.values()) == {0, errno.EPERM, errno.EACCES}


BARE = """
import pathlib, sys
from softee.daemon.lockdown import Doors, lock_down
lock_down(Doors(bare=True))
for place in sys.argv[1:]:
    try:
        pathlib.Path(place).read_bytes()
    except OSError as error:
        print(error.errno)
import xml.dom.minidom  # what Python loads later
print("done")
"""


@pytest.mark.skipif(bool(lockdown.missing()), reason="this machine cannot close all doors")
def test_attack_what_serves_metrics_reads_nothing_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "root.key").write_text("secret")
    places = ["/etc/passwd", "/proc/self/environ", str(tmp_path / "root.key")]
    done = subprocess.run([sys.executable, "-P", "-c", BARE, *places], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(errno.EACCES)] * 3 + ["done"]


def test_a_door_that_cannot_be_closed_is_told_and_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Doors] = []

    def nothing() -> None:
        pass

    def refuse() -> None:
        raise OSError(errno.ENOSYS, "not in this kernel")

    def lack() -> None:
        raise system_calls.FilterError("there is no library")

    steps = (
        Step("one", refuse, closed.append),
        Step("two", lack, closed.append),
        Step("three", nothing, closed.append),
    )
    monkeypatch.setattr(lockdown, "STEPS", steps)
    told = ["one: not to be had here: not in this kernel", "two: not to be had here: there is no library"]
    assert lockdown.missing() == told
    assert lockdown.lock_down(Doors()) == told
    assert closed == [Doors()]


@pytest.mark.parametrize(
    ("version", "size", "files"), [(1, 8, 0x1FFF), (3, 8, 0x7FFF), (4, 16, 0x7FFF), (9, 24, 0xFFFF)]
)
def test_an_older_kernel_is_asked_for_what_it_knows(
    monkeypatch: pytest.MonkeyPatch, version: int, size: int, files: int
) -> None:
    asked: list[tuple[int, int]] = []

    def call(number: int, attributes: object, length: object, _: int) -> int:
        asked.append((number, getattr(length, "value", 0)))
        handled.append(getattr(attributes, "_obj").files)  # noqa: B009 - ctypes' own name
        raise OSError(errno.EOPNOTSUPP, "no more is needed")

    handled: list[int] = []
    monkeypatch.setattr(landlock, "version", lambda: version)
    monkeypatch.setattr(landlock, "_call", call)
    with pytest.raises(OSError, match="no more is needed"):
        landlock.restrict([])
    assert (asked, handled) == ([(444, size)], [files])


def test_a_kernel_without_landlock_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert any("no Landlock" in sentence for sentence in lockdown.missing())


def test_a_machine_without_libseccomp_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("no such file")

    monkeypatch.setattr("softee.daemon.system_calls.ctypes.CDLL", none)
    with pytest.raises(system_calls.FilterError, match=r"libseccomp\.so\.2 is not installed"):
        system_calls.require()


def test_a_limit_of_locked_memory_is_left_alone_for_a_login_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.daemon.lockdown.resource.getrlimit", lambda _: (8 << 20, 8 << 20))
    monkeypatch.setattr(lockdown, "_has_capability", lambda _: False)
    assert any("limit of locked memory is 8192 KiB" in sentence for sentence in lockdown.missing())


@pytest.mark.skipif(bool(lockdown.missing()), reason="this machine cannot close all doors")
@pytest.mark.parametrize("workers", [1, 2])
def test_the_daemon_and_its_workers_are_locked_down(tmp_path: Path, workers: int) -> None:
    with running_daemon(tmp_path, settings=f"workers = {workers}\n") as daemon:
        assert "not to be had here" not in daemon.log()
        pid = daemon.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert len(children) == (workers if workers > 1 else 0)
        for process in (pid, *children):
            status = dict(
                line.split(":\t", 1)
                for line in Path(f"/proc/{process}/status").read_text().splitlines()
                if ":\t" in line
            )
            assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("2", "1")
            assert int(status["VmLck"].split()[0]) > 0
