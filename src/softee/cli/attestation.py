# SPDX-License-Identifier: Apache-2.0
"""``softee attestation``: the certificates of the key by which an installation attests its keys."""

from pathlib import Path

import click

from softee.cli.options import out_option, socket_option
from softee.cli.output import write_out
from softee.cli.places import require_answering_socket
from softee.cli.token_client import token_client

attestation = click.Group("attestation", help="Print the certificates of the installation's attestation key.")


@attestation.command()
@socket_option
@out_option
def chain(*, socket: Path | None, out: Path | None) -> None:
    """Print the attestation key's certificate, and those of the CAs above it.

    Where the settings name no chain it is one certificate, which the key has signed itself: the root for who verifies.
    """
    with token_client(require_answering_socket(socket)) as client:
        write_out(client.attestation_chain(), out)


@attestation.command()
@socket_option
@out_option
def csr(*, socket: Path | None, out: Path | None) -> None:
    """Print a request by which a CA certifies the attestation key; the settings then name what it has issued."""
    with token_client(require_answering_socket(socket)) as client:
        write_out(client.attestation_request(), out)
