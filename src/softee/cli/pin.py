# SPDX-License-Identifier: Apache-2.0
"""A user's PIN: from a file, from the environment, or asked for; never from the command line, which others can read."""

import os
from pathlib import Path

import click

from softee.cli.output import read_in

VARIABLE = "SOFTEE_PIN"


def user_pin(file: Path | None, token: str) -> bytes:
    """Return the user's PIN of a token: the first line of ``file``, else SOFTEE_PIN, else what is typed.

    Raises:
        CliError: the file cannot be read.

    """
    if file is not None:
        return read_in(file).partition(b"\n")[0].removesuffix(b"\r")
    if VARIABLE in os.environ:
        return os.environb[VARIABLE.encode()]
    typed: str = click.prompt(f"PIN of the user of token {token}", hide_input=True, err=True)
    return typed.encode()
