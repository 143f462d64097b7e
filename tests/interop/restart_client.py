# SPDX-License-Identifier: Apache-2.0
"""An application that does to itself what costs it its connection; each line that it prints is what came of a call."""

import _ctypes
import ctypes
import os
import resource
import sys
import threading
from collections.abc import Callable
from ctypes import byref, c_ulong
from pathlib import Path

from interop.tools import PIN
from softee.names import CKA, CKM, CKO, CKR
from support.cryptoki import CryptokiError, Mechanism, Module, Session

ANOTHER_USER = 12345
TIMES = 1000


def tell(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def sign(session: Session, key: int) -> str:
    try:
        session.sign(Mechanism(CKM.ECDSA), key, bytes(32))
    except CryptokiError as error:
        return CKR(error.rv).name
    return "signed"


def private_keys(session: Session) -> list[int]:
    return session.find({CKA.CLASS: int(CKO.PRIVATE_KEY)})


def logged_in(path: Path) -> tuple[Module, Session, int]:
    module = Module(path)
    session = module.login(0, PIN)
    return module, session, private_keys(session)[0]


def close_descriptors() -> None:
    """As daemons do that close what they have not opened."""
    os.closerange(3, 1024)


def closed(path: Path) -> None:
    _, session, key = logged_in(path)
    tell(sign(session, key))
    close_descriptors()
    tell(sign(session, key))


def without_descriptors(path: Path) -> None:
    _, session, key = logged_in(path)
    close_descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    tell(sign(session, key))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    tell(sign(session, key))


def setuid(path: Path) -> None:
    module, session, key = logged_in(path)
    tell(sign(session, key))
    os.setuid(ANOTHER_USER)
    tell(sign(session, key))
    close_descriptors()
    tell(sign(session, key))
    module.open(0)
    tell("opened")


def fork(path: Path) -> None:
    module, session, key = logged_in(path)
    tell(sign(session, key))
    if os.fork():
        os.wait()
        return
    tell(sign(session, key))
    module.call("C_Initialize", None)
    tell("private keys" if private_keys(module.open(0)) else "no private keys")
    os._exit(0)


def unload(path: Path) -> None:
    """Load, initialize and unload, while a thread calls, without C_Finalize."""
    over = threading.Event()
    library = ctypes.CDLL(str(path))
    library.C_Initialize(None)
    thread = threading.Thread(target=keep_calling, args=(over, library))
    thread.start()
    before = descriptors()
    for _ in range(TIMES):
        one = ctypes.CDLL(str(path))
        one.C_Initialize(None)
        _ctypes.dlclose(one._handle)
    _ctypes.dlclose(library._handle)
    over.set()
    thread.join()
    after = descriptors()
    tell("same number of descriptors" if abs(after - before) <= 1 else f"{before} and then {after}")


def keep_calling(over: threading.Event, library: ctypes.CDLL) -> None:
    count = c_ulong()
    while not over.is_set():
        library.C_GetSlotList(0, None, byref(count))


def execute(path: Path) -> None:
    """Become another program in the same process."""
    _, session, key = logged_in(path)
    tell(sign(session, key))
    os.execv(sys.executable, [sys.executable, __file__, "executed", str(path)])  # noqa: S606 - no shell is wanted


def executed(path: Path) -> None:
    tell("private keys" if private_keys(Module(path).open(0)) else "no private keys")


DOES: dict[str, Callable[[Path], None]] = {
    "closed": closed,
    "without_descriptors": without_descriptors,
    "setuid": setuid,
    "fork": fork,
    "exec": execute,
    "executed": executed,
    "unload": unload,
}

if __name__ == "__main__":
    DOES[sys.argv[1]](Path(sys.argv[2]))
