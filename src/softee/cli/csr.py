# SPDX-License-Identifier: Apache-2.0
"""``softee csr``: a PKCS#10 request that a token's key signs."""

from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder

from softee.cli.cert.naming import alternative_names, for_whom, subject_of
from softee.cli.cryptoki.choice import TokenChoice, the_one
from softee.cli.cryptoki.native import public_key
from softee.cli.cryptoki.options import on_a_token, on_objects
from softee.cli.cryptoki.signing import signing_key
from softee.cli.cryptoki.uri import Uri
from softee.cli.options import out_option
from softee.cli.output import write_out
from softee.names import CKO


@click.command()
@on_objects
@for_whom
@on_a_token
@out_option
def csr(*, token: TokenChoice, name: Uri, subject: str, san: tuple[str, ...], out: Path | None) -> None:
    """Make a request by which a CA certifies a token's key. It is written in PEM."""
    who, names = subject_of(subject), alternative_names(san)
    with token.session(name) as session:
        handle = the_one(session, name, "private key", (CKO.PRIVATE_KEY,))
        key, hashing = signing_key(session, handle, public_key(session, handle))
        builder = CertificateSigningRequestBuilder(who)
        builder = builder.add_extension(names, critical=False) if san else builder
        request = builder.sign(key, hashing)
    write_out(request.public_bytes(Encoding.PEM), out)
