# SPDX-License-Identifier: Apache-2.0
"""``softee attestation``: the certificates of the key by which an installation attests its keys."""

import typer

from softee.cli.options import OutOption, SocketOption
from softee.cli.output import write_out
from softee.cli.places import require_answering_socket
from softee.cli.token_client import token_client

attestation = typer.Typer(help="The certificates of the installation's attestation key.", no_args_is_help=True)


@attestation.command()
def chain(*, socket: SocketOption = None, out: OutOption = None) -> None:
    """Print the attestation key's certificate, and those of the CAs above it.

    Where the settings name no chain it is one certificate, which the key has signed itself: the root for who verifies.
    """
    with token_client(require_answering_socket(socket)) as client:
        write_out(client.attestation_chain(), out)


@attestation.command()
def csr(*, socket: SocketOption = None, out: OutOption = None) -> None:
    """Print a request by which a CA certifies the attestation key; the settings then name what it has issued."""
    with token_client(require_answering_socket(socket)) as client:
        write_out(client.attestation_request(), out)
