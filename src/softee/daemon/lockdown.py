# SPDX-License-Identifier: Apache-2.0
"""Closes the doors behind the secure world, when all that it needs is open: what it cannot do, nobody can with it.

Each door that this machine cannot close stays open, and is told.
"""

import ctypes
import errno
import os
import resource
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from softee.daemon import landlock, system_calls

_LIBRARIES: Final = ("/usr", "/lib", "/lib64", "/dev/null", "/dev/urandom")
_SYSTEM: Final = ("/etc", "/proc", "/sys/devices/system/cpu")
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK: Final = 14


@dataclass(frozen=True)
class Doors:
    """What stays open: directories that may be written to, others that may be read, and what the processes may do."""

    written: Sequence[Path] = ()
    read: Sequence[Path] = ()
    may_fork: bool = False
    keyring: bool = False
    """The kernel's keyring keeps the ticket key."""
    bare: bool = False
    """Nothing of the system may be read but libraries."""


@dataclass(frozen=True)
class Step:
    """One door: what is so when it is closed; what raises OSError or FilterError where it cannot be; what closes it."""

    name: str
    require: Callable[[], None]
    close: Callable[[Doors], None]


def _require_landlock() -> None:
    if not landlock.version():
        raise OSError(errno.ENOSYS, "the kernel has no Landlock, or it is switched off")


def _close_files(doors: Doors) -> None:
    landlock.restrict(_allowed(doors))


def _allowed(doors: Doors) -> Iterator[tuple[Path, landlock.Access]]:
    system = () if doors.bare else _SYSTEM
    for path in (*map(Path, (*_LIBRARIES, *system)), *_python(), *doors.read):
        yield path, landlock.READ
    for path in doors.written:
        yield path, landlock.WRITE


def _python() -> Iterable[Path]:
    """Return where Python, its libraries and this program are: modules may be loaded later, when first needed."""
    places = (*sysconfig.get_paths().values(), *site.getsitepackages(), *sys.path, sys.prefix, sys.base_prefix)
    ours = Path(__file__).parents[2]
    return {ours, *(Path(place).resolve() for place in places if place)}


def _close_calls(doors: Doors) -> None:
    system_calls.refuse_calls(may_fork=doors.may_fork, keyring=doors.keyring)


def _require_unlimited_locks() -> None:
    """Refuse a limit of locked memory: with all memory locked, what goes beyond it could not be had, by a login too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY and not _has_capability(_CAP_IPC_LOCK):
        raise OSError(errno.EPERM, f"the limit of locked memory is {soft >> 10} KiB, and must be unlimited")


def _has_capability(number: int) -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(effective >> number & 1)


def _close_swap(_: Doors) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


STEPS: Final = (
    Step("no memory is swapped out", _require_unlimited_locks, _close_swap),
    Step("only its own folders can be written, and little else be read", _require_landlock, _close_files),
    Step("no programs, network, tracing, mounts", system_calls.require, _close_calls),
)


def missing() -> list[str]:
    """Return a sentence for each door that this machine cannot close."""
    return [sentence for step in STEPS if (sentence := _attempt(step, step.require))]


def lock_down(doors: Doors) -> list[str]:
    """Close all doors but these, for good; called with one thread. Return a sentence for each that stays open."""

    def closing(step: Step) -> Callable[[], None]:
        def close() -> None:
            step.require()
            step.close(doors)

        return close

    return [sentence for step in STEPS if (sentence := _attempt(step, closing(step)))]


def _attempt(step: Step, act: Callable[[], None]) -> str:
    try:
        act()
    except OSError as error:
        return f"{step.name}: not to be had here: {error.strerror}"
    except system_calls.FilterError as error:
        return f"{step.name}: not to be had here: {error}"
    return ""
