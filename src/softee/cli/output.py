# SPDX-License-Identifier: Apache-2.0
"""Where a command puts what it has made, and whence it takes what it is given."""

import json
from pathlib import Path

import click

from softee.cli.failure import CliError
from softee.cli.tables import printable


def write_out(text: bytes, file: Path | None) -> None:
    """Write a text to a file, or to stdout where there is none.

    Raises:
        CliError: the file cannot be written.

    """
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_bytes(text)
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}.") from None


def read_in(file: Path) -> bytes:
    """Return what a file holds.

    Raises:
        CliError: it cannot be read.

    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}.") from None


def write_json(document: object) -> None:
    """Write a JSON document to stdout."""
    click.echo(json.dumps(document, indent=2))


def confirm(what: str, *, yes: bool) -> None:
    """Ask whether something is to be destroyed, unless ``yes`` was said on the command line.

    Raises:
        CliError: the answer is no, or nobody is there to be asked.

    """
    if yes:
        return
    what = printable(what)
    try:
        agreed = click.confirm(f"{what} Go on?", err=True)
    except click.Abort:
        raise CliError(f"{what} Nothing was done; give --yes where nobody can be asked.") from None
    if not agreed:
        raise CliError("Nothing was done.")


def hexadecimal(text: str, what: str) -> bytes:
    """Return the bytes that an option gives in hexadecimal.

    Raises:
        CliError: it does not.

    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CliError(f"{what} is not hexadecimal: {text!r}.", 2) from None
