# SPDX-License-Identifier: Apache-2.0
"""``softee key``: statements of where keys come from, made and verified."""

import typer

from softee.cli.key.attest import attest
from softee.cli.key.verify import verify_attestation

key = typer.Typer(help="State where a token's key comes from, and verify such a statement.", no_args_is_help=True)
key.command()(attest)
key.command()(verify_attestation)
