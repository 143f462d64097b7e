# SPDX-License-Identifier: Apache-2.0
"""An application in which a library has a hard life; each line that it prints is what came of a call.

Arguments: what it does, the module, and then what that needs.
"""

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from ctypes import byref, c_ulong
from pathlib import Path

from interop.restart_client import logged_in, private_keys, sign, tell
from interop.tools import PIN
from softee.names import CKR
from support.cryptoki import Module, Session
from support.standing_still import stop, until_it_polls

libc = ctypes.CDLL(None)

STORM = 0.0005
"""Seconds between two signals."""
SIGNATURES = 300
ROUNDS = 100


def call_into_silence(session: Session, key: int, pids: Sequence[str]) -> None:
    """Stop the secure world, and leave a thread in a call."""
    for pid in pids:
        stop(int(pid))
    call = threading.Thread(target=lambda: tell(sign(session, key)), daemon=True)
    call.start()
    until_it_polls(os.getpid(), call.native_id)


def end(how: str) -> Callable[..., None]:
    """Return what ends the process by one of the C library's functions while a thread calls."""

    def run(path: Path, *pids: str) -> None:
        _, session, key = logged_in(path)
        tell(sign(session, key))
        call_into_silence(session, key, pids)
        getattr(libc, how)(0)

    return run


def end_with_a_handler(path: Path, *pids: str) -> None:
    """End with a handler that finalizes the library, beside a secure world that stands still."""
    module, session, key = logged_in(path)
    finalize = module.function("C_Finalize")
    handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: tell(CKR(finalize(None)).name))
    libc.__cxa_atexit(handler, None, None)
    tell(sign(session, key))
    for pid in pids:
        stop(int(pid))
    libc.exit(0)


def finalize(path: Path) -> None:
    """Finalize and initialize again and again while other threads call."""
    module = Module(path)
    over = threading.Event()
    answers: set[str] = set()

    def call() -> None:
        slots, handle, count = c_ulong(), c_ulong(), c_ulong()
        while not over.is_set():
            module.function("C_OpenSession")(slots, c_ulong(4), None, None, byref(handle))
            answers.add(CKR(module.function("C_GetSlotList")(0, None, byref(count))).name)
            answers.add(CKR(module.function("C_CloseSession")(handle)).name)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(ROUNDS):
        module.close()
        module.call("C_Initialize", None)
    over.set()
    for thread in threads:
        thread.join()
    allowed = {CKR.OK.name, CKR.CRYPTOKI_NOT_INITIALIZED.name, CKR.SESSION_HANDLE_INVALID.name}
    tell("as it should be" if answers <= allowed else f"{answers - allowed}")
    session = module.login(0, PIN)
    tell(sign(session, private_keys(session)[0]))


def storm(path: Path, restart: str) -> None:
    """Call in two threads while signals come all the time, whose system calls are begun anew or are not."""
    module = Module(path)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, restart == "interrupted")
    signal.setitimer(signal.ITIMER_REAL, STORM, STORM)
    session = module.login(0, PIN)
    key = private_keys(session)[0]
    answers: set[str] = set()

    def call(own: Session) -> None:
        answers.update(sign(own, key) for _ in range(SIGNATURES))

    threads = [threading.Thread(target=call, args=(module.open(0),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    call(session)
    for thread in threads:
        thread.join()
    module.close()
    signal.setitimer(signal.ITIMER_REAL, 0)
    tell(" ".join(sorted(answers)))


def jail(path: Path) -> None:
    """Go on in a root directory in which nothing is, also when the connection is lost there."""
    _, session, key = logged_in(path)
    tell(sign(session, key))
    with tempfile.TemporaryDirectory() as empty:
        os.chroot(empty)
        os.chdir("/")
    tell(sign(session, key))
    os.closerange(3, 1024)
    tell(sign(session, key))


def two_copies(path: Path) -> None:
    """Use two copies of the library, whose names all are visible to all; the end of one is not that of the other."""
    copy = path.parent / "copy"
    copy.mkdir()
    for name in (path.name, "libteec.so.2"):
        shutil.copy(path.with_name(name), copy / name)
    for each in (path, copy / path.name):
        ctypes.CDLL(str(each), mode=ctypes.RTLD_GLOBAL)
    first, session, key = logged_in(path)
    _, other, its_key = logged_in(copy / path.name)
    tell(sign(session, key))
    tell(sign(other, its_key))
    first.close()
    tell(sign(session, key))
    tell(sign(other, its_key))


DOES: dict[str, Callable[..., None]] = {
    "exit": end("exit"),
    "_exit": end("_exit"),
    "quick_exit": end("quick_exit"),
    "exit_with_a_handler": end_with_a_handler,
    "finalize": finalize,
    "storm": storm,
    "jail": jail,
    "two_copies": two_copies,
}

if __name__ == "__main__":
    DOES[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
