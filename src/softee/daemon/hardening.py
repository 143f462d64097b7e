# SPDX-License-Identifier: Apache-2.0
"""What the secure world's process gives up before it touches a key.

After :func:`harden` no other process of the same user can attach to it or read its memory (not dumpable), a crash
leaves no core file, what it creates is its user's alone, and no program that it could start gains privileges.
"""

import ctypes
import itertools
import os
import resource
import signal

# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

PRIVATE_UMASK = 0o077


def harden() -> None:
    """Harden this process, for good.

    Raises:
        OSError: the kernel refused a step.

    """
    os.umask(PRIVATE_UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open descriptors to the hard one: each channel is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent, which has started it just now, dies. Raises OSError."""
    set_death_signal(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def set_death_signal(number: int) -> None:
    """Have the kernel send this process a signal when its parent dies; 0: none. Raises OSError."""
    _prctl(_PR_SET_PDEATHSIG, number)


def death_signal() -> int:
    """Return what ``set_death_signal`` has set. Raises OSError."""
    number = ctypes.c_int()
    _prctl(_PR_GET_PDEATHSIG, ctypes.addressof(number))
    return number.value


def close_all_but(*kept: int) -> None:
    """Close all descriptors of this process but these: one may give the root key, another's end be waited for."""
    bounds = [-1, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for low, high in itertools.pairwise(bounds):
        if low + 1 < high:  # Python hands an empty range at 0 to the kernel as one that has no end
            os.closerange(low + 1, high)


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value) for value in (argument, 0, 0, 0))
    if libc.prctl(ctypes.c_int(option), *arguments) < 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {argument})")
