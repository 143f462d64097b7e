# SPDX-License-Identifier: Apache-2.0
"""What `softee setup` does, step by step, and what `softee setup --remove` does the other way round.

Every step may be done already. Keys are never removed: what is left of them is named.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from softee.cli.failure import CliError
from softee.cli.library import INSTALLED, module_path
from softee.cli.module import install
from softee.cli.setup import files
from softee.cli.setup.machine import USER, Machine
from softee.daemon.account import Account, hand_over
from softee.daemon.errors import StartError

STATE: Final = "/var/lib/softee"
PRIVATE: Final = "/etc/softee/private"
OLD_ROOT_KEY: Final = "/etc/softee/root.key"
"""Where root's secure world has its root key, which `softee serve` has made before there was a service."""

_OUT_OF_SIGHT: Final = ("/home", "/root", "/run/user", "/tmp")  # noqa: S108 - none of it is written to
"""What the service cannot see: ProtectHome= and PrivateTmp= in its unit."""


def program() -> Path:
    """Return the softee command that the service will start.

    Raises:
        CliError: there is none beside this Python, or the service could not see it.

    """
    found = Path(sys.executable).with_name("softee")
    if not found.exists():
        raise CliError(
            f"There is no {found}: install softee, as with `python3 -m venv /opt/softee`, and run its command."
        )
    for hidden in _OUT_OF_SIGHT:
        if any(place.is_relative_to(hidden) for place in (found, found.resolve(), Path(sys.executable).resolve())):
            raise CliError(
                f"softee is installed below {hidden}, where a service sees nothing; install it in /opt/softee."
            )
    return found


def values(command: Path) -> Mapping[str, str]:
    """Return what the files of a set-up are filled with."""
    return {"BINDIR": str(command.parent), "MODULE": str(files.MODULE)}


def set_up(machine: Machine, command: Path) -> Iterator[str]:
    """Make all that the system's secure world needs. Yield each thing that was done. Raises CliError."""
    account = machine.account()
    if account is None:
        machine.make_user()
        account = machine.account()
        yield f"made the user and the group {USER}"
    if account is None:
        raise CliError(f"The user {USER} was made, and is not there.")
    _directory(machine.at("/etc/softee"))
    for place in (PRIVATE, STATE):
        yield from _give(machine, place, account)
    yield from _move_root_key(machine, account)
    yield from files.write(machine, values(command))
    install(module_path(), machine.at(INSTALLED))
    yield f"put the PKCS#11 module at {files.MODULE}"
    if machine.systemctl("daemon-reload"):
        machine.systemctl("enable", "--now", "softee.socket")
        yield "started softee.socket, which starts the service when a program connects"
    yield f"to let a user use it: usermod --append --groups {USER} NAME"


def take_away(machine: Machine, command: Path) -> Iterator[str]:
    """Undo a set-up, but for keys. Yield each thing that was done. Raises CliError."""
    if machine.at("/etc/systemd/system/softee.socket").exists() and machine.systemctl(
        "disable", "--now", "softee.socket", "softee.service"
    ):
        yield "stopped softee.socket and softee.service"
    yield from files.remove(machine, values(command))
    machine.systemctl("daemon-reload")
    kept = [place for place in (PRIVATE, STATE) if not _remove_if_empty(machine.at(place))]
    for place in (INSTALLED, Path("/etc/softee")):
        _remove_if_empty(machine.at(place))
    if kept:
        yield f"left {' and '.join(kept)}, with keys in them, and the user {USER}, whose they are"
    elif machine.account() is not None:
        machine.remove_user()
        yield f"removed the user {USER}"


def _directory(place: Path) -> None:
    try:
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"{place} cannot be made: {error.strerror}.") from None


def _give(machine: Machine, place: str, account: Account) -> Iterator[str]:
    """Make a directory the user's, with what root has in it."""
    directory = machine.at(place)
    was_there = directory.exists()
    try:
        hand_over(directory, account)
    except StartError as error:
        raise CliError(str(error)) from None
    yield f"{place} is there" if was_there else f"made {place}, which {USER} alone can read"


def _move_root_key(machine: Machine, account: Account) -> Iterator[str]:
    """Take over the root key of a secure world that root has run, where no settings say what it uses."""
    old, new = machine.at(OLD_ROOT_KEY), machine.at(PRIVATE) / "root.key"
    if machine.at(files.SETTINGS).exists() or new.exists() or not old.is_file():
        return
    try:
        os.chown(old, account.uid, account.gid, follow_symlinks=False)
        old.rename(new)
    except OSError as error:
        raise CliError(f"{old} cannot be moved to {new}: {error.strerror}.") from None
    yield f"moved {OLD_ROOT_KEY} to {PRIVATE}/root.key"


def _remove_if_empty(place: Path) -> bool:
    """Remove a directory that has nothing in it. False: it has."""
    try:
        place.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
