# SPDX-License-Identifier: Apache-2.0
"""The passphrase of a file in which a state or a token leaves its machine: as PINs, never from the command line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from softee.cli.options import path
from softee.cli.pin import PinSource
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes

VARIABLE: Final = "SOFTEE_PASSPHRASE"

_FILE = path("--passphrase-file", "A file whose first line is the passphrase; else SOFTEE_PASSPHRASE, or a prompt.")
_DESCRIPTOR = click.option(
    "--passphrase-fd", type=int, metavar="N", help="A descriptor from which the passphrase is read."
)


@contextmanager
def lent(source: PinSource, prompt: str, *, new: bool = False) -> Iterator[SecretBytes]:
    """Lend a passphrase, and wipe it. Raises as ``PinSource.read``."""
    secret = source.read(prompt, new=new)
    try:
        yield secret
    finally:
        secret.wipe()


def with_passphrase(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command the ``passphrase``, a PinSource that its options name."""

    @wraps(command)
    def packed(*, passphrase_file: Path | None, passphrase_fd: int | None, **rest: object) -> object:
        return command(passphrase=PinSource(passphrase_file, passphrase_fd, VARIABLE), **rest)

    return _FILE(_DESCRIPTOR(packed))
