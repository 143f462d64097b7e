# SPDX-License-Identifier: Apache-2.0
"""Checks of the files that must be kept from others: the root key and the state."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from softee.cli.doctor.finding import Finding, good, warning, wrong
from softee.daemon.root_key.reading import ROOT_KEY_SIZE
from softee.daemon.root_key.source import RootKeySource
from softee.daemon.store import DATABASE


def check_source(source: RootKeySource, state: Path) -> Iterator[Finding]:
    """Look at the root key where it is a file; others keep the rest."""
    if source.file is None:
        yield good("root key", f"{source}, which is looked at when the daemon starts")
    else:
        yield from check_root_key(source.file, state)


def check_root_key(root_key: Path, state: Path) -> Iterator[Finding]:
    """Look at the root key's place, size, owner and mode."""
    try:
        status = root_key.stat()
    except FileNotFoundError:
        yield from _without_root_key(root_key, state)
        return
    except PermissionError:
        yield warning("root key", f"{root_key} cannot be seen by this user", "run the doctor as the daemon's user")
        return
    if status.st_size != ROOT_KEY_SIZE:
        what = f"{root_key} has {status.st_size} bytes, not {ROOT_KEY_SIZE}"
        yield wrong("root key", what, "bring the right file back from its backup")
    yield from _kept_from_others("root key", root_key, status, 0o600)
    if root_key.resolve().parent == state.resolve():
        mend = "move it elsewhere and name it with --root-key: who takes the disk's state directory takes both"
        yield warning("root key", f"{root_key} stands beside the database that it opens", mend)


def check_state(state: Path) -> Iterator[Finding]:
    """Look at the state directory's owner and mode."""
    try:
        status = state.stat()
    except FileNotFoundError:
        yield good("state", f"{state} is made when the daemon first starts")
    except PermissionError:
        yield warning("state", f"{state} cannot be seen by this user", "run the doctor as the daemon's user")
    else:
        yield from _kept_from_others("state", state, status, 0o700)


def _without_root_key(root_key: Path, state: Path) -> Iterator[Finding]:
    if (state / DATABASE).exists():
        what = f"{root_key} does not exist, and without it nothing in {state} opens"
        yield wrong("root key", what, "bring the file back from its backup, or name its place with --root-key")
    else:
        yield good("root key", f"{root_key} is made when the daemon first starts")


def _kept_from_others(check: str, path: Path, status: os.stat_result, mode: int) -> Iterator[Finding]:
    """Judge an owner and a mode: ours, root's or, for root, the service's; and nothing for group and others."""
    if status.st_uid not in {0, os.geteuid(), *_service_users()}:
        yield wrong(check, f"{path} belongs to uid {status.st_uid}", f"chown {os.geteuid()} {path}")
    elif stat.S_IMODE(status.st_mode) & 0o077:
        what = f"{path} has mode {stat.S_IMODE(status.st_mode):04o}: others can reach it"
        yield wrong(check, what, f"chmod {mode:o} {path}")
    else:
        yield good(check, f"{path}, mode {stat.S_IMODE(status.st_mode):04o}")


def _service_users() -> set[int]:
    """Return whose the system's files are, where root asks: the user's that units and set-up call softee."""
    try:
        return {pwd.getpwnam("softee").pw_uid} if os.geteuid() == 0 else set()
    except KeyError:
        return set()
