# SPDX-License-Identifier: Apache-2.0
"""A filter of system calls (seccomp(2)), made by libseccomp, which knows each architecture's numbers.

It names what a secure world never does, and what would help somebody who has got in; such a call fails with EPERM. All
else stays possible: what Python and its libraries call differs with their versions.
"""

import contextlib
import ctypes
import errno
import socket
from collections.abc import Iterator
from typing import Final

NEVER: Final = (
    *("execve", "execveat"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf", "perf_event_open"),
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick"),
    *("mount_setattr", "setns", "unshare", "swapon", "swapoff", "reboot", "acct", "quotactl", "syslog"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm"),
    *("userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "open_by_handle_at", "personality"),
    "request_key",
)
"""Calls that fail, whatever their arguments."""

KEYRING: Final = ("add_key", "keyctl")
"""Likewise, unless the kernel's keyring keeps the ticket key."""

_PR_GET_SECCOMP: Final = 21
_ALLOW: Final = 0x7FFF0000
_ERROR: Final = 0x00050000
_NOT_EQUAL: Final = 1
_MASKED_EQUAL: Final = 7
_CLONE_THREAD: Final = 0x00010000
_UNKNOWN: Final = -1


class _Comparison(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("one", ctypes.c_uint64), ("two", ctypes.c_uint64))


class FilterError(Exception):
    """There is no libseccomp, or the kernel refuses; the text says which."""


def refuse_calls(*, may_fork: bool, keyring: bool = False) -> None:
    """Refuse the calls of NEVER, sockets that are not local, and new processes unless ``may_fork``; for good.

    And those of KEYRING, unless ``keyring``.

    Raises:
        FilterError: nothing was filtered.

    """
    library = _library()
    with _filter(library) as context:
        for name in (*NEVER, *(() if keyring else KEYRING)):
            _refuse(library, context, name)
        _refuse(library, context, "socket", _Comparison(0, _NOT_EQUAL, socket.AF_UNIX, 0))
        if not may_fork:
            for name in ("fork", "vfork"):
                _refuse(library, context, name)
            _refuse(library, context, "clone", _Comparison(0, _MASKED_EQUAL, _CLONE_THREAD, 0))
            # Its flags are out of a filter's sight; the C library then makes its threads by clone.
            _refuse(library, context, "clone3", error=errno.ENOSYS)
        _check(library.seccomp_load(context), "load")


def _refuse(
    library: ctypes.CDLL, context: ctypes.c_void_p, name: str, *comparisons: _Comparison, error: int = errno.EPERM
) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == _UNKNOWN:
        return  # an older libseccomp does not know newer calls
    array = (_Comparison * len(comparisons))(*comparisons)
    action = ctypes.c_uint32(_ERROR | error)
    _check(library.seccomp_rule_add_array(context, action, number, len(comparisons), array), name)


@contextlib.contextmanager
def _filter(library: ctypes.CDLL) -> Iterator[ctypes.c_void_p]:
    context = library.seccomp_init(ctypes.c_uint32(_ALLOW))
    if not context:
        raise FilterError("libseccomp has no memory for a filter")
    try:
        yield ctypes.c_void_p(context)
    finally:
        library.seccomp_release(ctypes.c_void_p(context))


def require() -> None:
    """Raise FilterError where there can be no filter."""
    _library()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) < 0:
        raise FilterError("the kernel was built without seccomp")


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError:
        raise FilterError("libseccomp.so.2 is not installed") from None
    library.seccomp_init.restype = ctypes.c_void_p
    return library


def _check(answer: int, what: str) -> None:
    if answer < 0:
        raise FilterError(f"{what}: {errno.errorcode.get(-answer, str(answer))}")
