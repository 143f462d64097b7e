# SPDX-License-Identifier: Apache-2.0
"""The ``softee`` command: its sub-commands, and the one place where a failure becomes a sentence and an exit status."""

import sys

import typer

from softee.cli.attestation import attestation
from softee.cli.bench.command import bench
from softee.cli.demo.command import demo
from softee.cli.doctor.command import doctor
from softee.cli.failure import CliError
from softee.cli.key import key
from softee.cli.module import module
from softee.cli.run import run
from softee.cli.serve import serve
from softee.cli.status import status

app = typer.Typer(
    name="softee",
    help="OP-TEE's PKCS#11 token on any Linux machine: keys that applications use but never hold.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command(context_settings={"allow_interspersed_args": False})(run)
app.command()(module)
app.command()(status)
app.command()(doctor)
app.command()(demo)
app.command()(bench)
app.add_typer(key, name="key")
app.add_typer(attestation, name="attestation")


def main() -> None:
    """Run the command line. A CliError is told in one line on stderr."""
    try:
        app()
    except CliError as error:
        print(f"softee: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        sys.exit(error.status)
