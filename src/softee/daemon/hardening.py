# SPDX-License-Identifier: Apache-2.0
"""What the secure world's process gives up before it touches a key.

After :func:`harden` no other process of the same user can attach to it or read its memory (not dumpable), a crash
leaves no core file, what it creates is its user's alone, and no program that it could start gains privileges.
"""

import ctypes
import os
import resource
import signal

# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
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


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value) for value in (argument, 0, 0, 0))
    if libc.prctl(ctypes.c_int(option), *arguments) < 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {argument})")
