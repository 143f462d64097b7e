# SPDX-License-Identifier: Apache-2.0
"""Root keys that others keep and hand over at the start: systemd, a program, whoever has started the secure world.

None is ever made here: a key that its keeper does not have yet is made and put there by the operator.
"""

import os
import shlex
import stat
import subprocess
from pathlib import Path

from softee.daemon.root_key.file import open_regular
from softee.daemon.root_key.reading import READ_WITHIN, RootKeyError, read_key
from softee.tee.wiping import wipe

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable by which systemd names the directory of a service's credentials (systemd.exec(5))."""
DEFAULT_CREDENTIAL = "softee.root-key"

_FIRST_PASSED = 3
"""Descriptors below are the standard ones."""


def credential(place: str) -> bytearray:
    """Return the key in the credential of that name (LoadCredential=, LoadCredentialEncrypted=).

    systemd may open it to a service's user by an access control list, which shows as the group's permissions; so what
    is looked at is that nobody else could have written it.

    Raises:
        RootKeyError: there are no credentials, or it holds no key, or others could have written it.
        OSError: it is missing, or cannot be read.

    """
    directory = os.environ.get(CREDENTIALS, "")
    if not directory:
        raise RootKeyError(f"There are no credentials ({CREDENTIALS} is not set), and the root key is to be {place}.")
    file = Path(directory, place)
    descriptor = open_regular(file)
    try:
        status = os.fstat(descriptor)
        if status.st_uid not in {0, os.geteuid()} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise RootKeyError(f"The root key {file} could have been written by others.")
        return read_key(descriptor, file)
    finally:
        os.close(descriptor)


def command(place: str) -> bytearray:
    """Run a program, without a shell, and return the key that it prints.

    Raises:
        RootKeyError: it prints no key, or not within 30 seconds, or fails.
        OSError: it cannot be run.

    """
    with subprocess.Popen(shlex.split(place), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            key = read_key(_stdout(process), f"of {place!r}")
            status = process.wait(READ_WITHIN)
        except subprocess.TimeoutExpired:
            raise RootKeyError(f"The program {place!r} printed the root key and did not end.") from None
        finally:
            process.kill()
    if status:
        wipe(key)
        raise RootKeyError(f"The program {place!r} that prints the root key failed (status {status}).")
    return key


def _stdout(process: subprocess.Popen[bytes]) -> int:
    if process.stdout is None:
        raise ValueError("a pipe was asked for")
    return process.stdout.fileno()


def descriptor(place: str) -> bytearray:
    """Return the key that an inherited descriptor gives, and close it.

    Raises:
        RootKeyError: it gives no key, or not within 30 seconds.
        OSError: it is not open.

    """
    number = int(place)
    try:
        return read_key(number, f"of descriptor {number}")
    finally:
        os.close(number)


def credential_name(place: str) -> str:
    """Return a credential's name, the default one for none. Raises ValueError where it is a path."""
    if "/" in place or place in {".", ".."}:
        raise ValueError("a credential has a name without slashes")
    return place or DEFAULT_CREDENTIAL


def command_line(place: str) -> str:
    """Return a command line as it is. Raises ValueError where it names no program by an absolute path."""
    words = shlex.split(place)
    if not words or not Path(words[0]).is_absolute():
        raise ValueError("a command begins with the absolute path of a program")
    return place


def descriptor_number(place: str) -> str:
    """Return a descriptor's number, 3 or above. Raises ValueError where it is none."""
    if not place.isascii() or not place.isdigit() or int(place) < _FIRST_PASSED:
        raise ValueError(f"a descriptor is a number, at least {_FIRST_PASSED}")
    return place
