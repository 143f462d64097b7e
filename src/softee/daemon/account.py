# SPDX-License-Identifier: Apache-2.0
"""The user that a secure world becomes, where root starts it: root opens the socket and reads the root key before.

A state directory that was root's is handed over once, while nobody but root can reach into it.
"""

import contextlib
import os
import pwd
import resource
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from softee.daemon import hardening
from softee.daemon.errors import StartError

_PROGRAM: Final = tuple(Path(str(module.__file__)).parent for module in (os, msgspec, hardening))
"""Where Python, libraries and this program are."""


class AccountError(StartError):
    """The user cannot be taken on, or does not get the state; the text is a sentence that says why."""


@dataclass(frozen=True)
class Account:
    """A user, with all groups that it is in."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def account_of(user: str | None) -> Account | None:
    """Return the user whom this process shall become; None where it stays who it is.

    Raises:
        AccountError: there is no such user, or it could not read this program, whose modules are loaded when they are
            first needed, or this process is another one's that cannot become it.

    """
    if user is None:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise AccountError(
            f"There is no user {user!r}, whom the settings name; make one with `softee setup`."
        ) from None
    if os.geteuid() == entry.pw_uid:
        return None
    if os.geteuid() != 0:
        raise AccountError(f"The settings name the user {user}: run the secure world as root, or as this user.")
    account = Account(user, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(user, entry.pw_gid)))
    with borrowed(account):
        hidden = [place for place in _PROGRAM if not os.access(place, os.R_OK | os.X_OK)]
    if hidden:
        raise AccountError(f"The user {user} cannot read {hidden[0]}; install softee where it can, as in /opt/softee.")
    return account


@contextlib.contextmanager
def borrowed(account: Account | None) -> Iterator[None]:
    """Reach files, and the kernel's keyring, as an account does, for a while; None: as before."""
    if account is None:
        yield
        return
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups(account.groups)
    os.setegid(account.gid)
    os.setresuid(account.uid, account.uid, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setegid(gid)
        os.setgroups(groups)


def become(account: Account | None) -> None:
    """Become an account for good, with nothing of root's left; None: stay.

    What the kernel takes away with the user comes back: that this process is not dumpable, its end with its parent.
    """
    if account is None:
        return
    with contextlib.suppress(ValueError, OSError):  # in containers root may not either
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    death = hardening.death_signal()
    try:
        os.setgroups(account.groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    except OSError as error:
        raise AccountError(f"The user {account.name} cannot be taken on: {error.strerror}.") from None
    hardening.harden()
    hardening.set_death_signal(death)


def hand_over(directory: Path, account: Account | None) -> None:
    """Give a directory, made if it is not there, to an account, with the files that root has in it.

    Once it is the account's nothing is given any more: whoever acts as the account could have put anything there.

    Raises:
        AccountError: it cannot be made or given, or is a third user's.

    """
    if account is None:
        return
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _give(descriptor, directory, account)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AccountError(f"{directory} cannot be given to the user {account.name}: {error.strerror}.") from None


def _give(descriptor: int, directory: Path, account: Account) -> None:
    status = os.fstat(descriptor)
    if status.st_uid == account.uid:
        return
    if status.st_uid != 0:
        raise AccountError(f"{directory} belongs to uid {status.st_uid}, neither to root nor to {account.name}.")
    os.fchmod(descriptor, 0o700)
    for name in os.listdir(descriptor):
        file = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if stat.S_ISREG(file.st_mode) and file.st_uid == 0 and file.st_nlink == 1:
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
    os.fchown(descriptor, account.uid, account.gid)
