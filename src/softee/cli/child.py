# SPDX-License-Identifier: Apache-2.0
"""Runs a command in our place: on the same terminal, its exit status ours, the signals that we get passed on."""

import errno
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from softee.cli.failure import CliError

PASSED_ON = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2})

_FROM_THE_TERMINAL = 0x80
"""si_code SI_KERNEL: the terminal sent it to the whole foreground group, so the command has it already."""

_LOOK_AGAIN = 1.0
"""Seconds after which the command is looked at without a SIGCHLD: another thread of this process may have taken it."""

CANNOT_EXECUTE = 126
NOT_FOUND = 127


def require_program(program: str) -> None:
    """Look for a program before anything is done for it.

    Raises:
        CliError: there is none; with the status that a shell would give (126 or 127).

    """
    if shutil.which(program):
        return
    if os.sep in program and Path(program).exists():
        raise CliError(f"{program} cannot be run: {os.strerror(errno.EACCES)}.", CANNOT_EXECUTE)
    raise _not_found(program)


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``command`` and return its exit status, 128 + n where signal n ended it.

    Raises:
        CliError: it cannot be started; with the status that a shell would give (126 or 127).

    """
    waited_for = PASSED_ON | {signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it came ignored, the exit status would be lost
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    try:
        return _wait(_spawn(command, environment, before), waited_for)
    finally:
        _drop_pending(waited_for)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _spawn(command: Sequence[str], environment: Mapping[str, str], mask: set[signal.Signals | int]) -> int:
    try:
        return os.posix_spawnp(command[0], list(command), environment, setsigmask=mask)
    except FileNotFoundError:
        raise _not_found(command[0]) from None
    except OSError as error:
        raise CliError(f"{command[0]} cannot be run: {error.strerror}.", CANNOT_EXECUTE) from None


def _not_found(program: str) -> CliError:
    return CliError(f"There is no program {program!r}{'' if os.sep in program else ' on the PATH'}.", NOT_FOUND)


def _wait(child: int, waited_for: frozenset[signal.Signals]) -> int:
    while True:
        received = signal.sigtimedwait(waited_for, _LOOK_AGAIN)
        if received is not None and received.si_signo != signal.SIGCHLD:
            if received.si_code != _FROM_THE_TERMINAL:
                os.kill(child, received.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _drop_pending(signals: frozenset[signal.Signals]) -> None:
    """Take what arrived after the command's end, so that the clean-up that follows is not cut short."""
    while signal.sigtimedwait(signals, 0):
        pass
