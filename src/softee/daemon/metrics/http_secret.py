# SPDX-License-Identifier: Apache-2.0
"""A token or a password for readers, from a file that is not for everybody."""

import os
import stat
from pathlib import Path
from typing import Final

from softee.daemon.errors import StartError

SHORTEST: Final = 16
LONGEST: Final = 1024


def read_secret(file: Path, what: str) -> str:
    """Return what a file has, without blanks around it; ``what`` it is called in a sentence.

    Raises:
        StartError: it cannot be read, others can, or it could be guessed.

    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            secret = opened.read(LONGEST + 1).strip()
    except OSError as error:
        raise StartError(f"The {what} cannot be read from {file}: {error.strerror}.") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise StartError(f"Everybody can read or write the {what} {file}; run: chmod o-rw {file}")
    if not SHORTEST <= len(secret) <= LONGEST or not secret.isascii() or not secret.decode().isprintable():
        wanted = f"{SHORTEST} to {LONGEST} printable characters"
        raise StartError(f"The {what} {file} must have {wanted}, as of: openssl rand -hex 32")
    return secret.decode()
