# SPDX-License-Identifier: Apache-2.0
"""PINs: from a file, a descriptor, the environment or the terminal; never from the command line, which others read.

Passwords and passphrases come the same way.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import click

from softee.cli.failure import CliError
from softee.cli.output import read_in
from softee.cli.tables import printable
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes

VARIABLE = "SOFTEE_PIN"
SO_VARIABLE = "SOFTEE_SO_PIN"
NEW_VARIABLE = "SOFTEE_NEW_PIN"

_LONGEST = 4096
"""Bytes of a descriptor that are read for a PIN."""


@dataclass(frozen=True, slots=True)
class PinSource:
    """Where a PIN comes from: the first line of a file or of a descriptor, else a variable, else the terminal."""

    file: Path | None = None
    descriptor: int | None = None
    variable: str = VARIABLE

    def read(self, prompt: str, *, new: bool = False) -> SecretBytes:
        """Return the PIN.

        Args:
            prompt: what is asked for on the terminal, where it has to be asked for.
            new: it is typed twice.

        Raises:
            CliError: the file or the descriptor cannot be read.

        """
        if self.file is not None:
            return _first_line(read_in(self.file))
        if self.descriptor is not None:
            return _first_line(_read(self.descriptor))
        if self.variable in os.environ:
            return SecretBytes(os.environb[self.variable.encode()])
        _require_terminal(prompt, self.variable)
        typed: str = click.prompt(prompt, hide_input=True, err=True, confirmation_prompt=new)
        return SecretBytes(typed.encode())


def user_prompt(token: str) -> str:
    """Return what the user of a token is asked."""
    return f"PIN of the user of token {printable(token)}"


def _require_terminal(prompt: str, variable: str) -> None:
    """Raise CliError where there is no terminal on which something could be typed unseen."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        what = f"There is no terminal to ask for this: {prompt}"
        raise CliError(f"{what}. Give it in {variable}, in a file, or by a descriptor.") from None


def _first_line(read: bytes) -> SecretBytes:
    return SecretBytes(read.partition(b"\n")[0].removesuffix(b"\r"))


def _read(descriptor: int) -> bytes:
    """Read up to the first line's end, and nothing of what comes after it where that comes later."""
    read = b""
    try:
        while b"\n" not in read and len(read) < _LONGEST and (part := os.read(descriptor, _LONGEST)):
            read += part
    except OSError as error:
        raise CliError(f"The secret cannot be read from descriptor {descriptor}: {error.strerror}.") from None
    return read
