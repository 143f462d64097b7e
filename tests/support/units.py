# SPDX-License-Identifier: Apache-2.0
"""softee's units as they are installed, and a process confined as the system's unit says, as far as that goes here.

No service manager runs where tests do. Its filter of system calls is made of the unit's lines by systemd's own tables
(``systemd-analyze syscall-filter``), and the rest that can be had is set before the program begins.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import softee.system

SYSTEM = Path(softee.system.__file__).parent
UNIT = SYSTEM / "systemd/softee.service.in"

_PR_SET_MDWE = 65
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


def install_units(directory: Path) -> Path:
    """Put the units into a directory, with a program that they start, and return it."""
    (directory / "bin").mkdir()
    (directory / "bin/softee").symlink_to("/bin/true")
    for place in ("system", "user"):
        (directory / place).mkdir()
        source = SYSTEM / "systemd" / ("user" if place == "user" else "")
        shutil.copy(source / "softee.socket", directory / place)
        text = (source / "softee.service.in").read_text()
        (directory / place / "softee.service").write_text(text.replace("@BINDIR@", str(directory / "bin")))
    return directory


def values(name: str) -> list[str]:
    """Return what the system's unit says under a name."""
    lines = UNIT.read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def allowed_calls() -> set[str]:
    """Return the system calls that the unit leaves."""
    allowed: set[str] = set()
    for words in values("SystemCallFilter"):
        named = {call for word in words.removeprefix("~").split() for call in _calls(word)}
        allowed = allowed - named if words.startswith("~") else allowed | named
    return allowed | set(_calls("@default"))


def _calls(word: str) -> Iterator[str]:
    if not word.startswith("@"):
        yield word
        return
    shown = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines()[1:]:
        called = line.strip()
        if called and not called.startswith("#"):
            yield from _calls(called)


def confine(calls: list[str]) -> None:
    """Confine this process, and what it becomes: these calls alone, no memory that is written and run."""
    libc, library = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    assert libc.prctl(_PR_SET_MDWE, 1, 0, 0, 0) == 0 or ctypes.get_errno() == errno.EINVAL, "kernels before 6.3"
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(_ERROR | errno.EPERM))
    for name in (*calls, "execve"):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            assert library.seccomp_rule_add_array(context, _ALLOW, number, 0, None) == 0
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    wanted, *command = sys.argv[1:]
    confine(wanted.split(","))
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
