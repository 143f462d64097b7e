# SPDX-License-Identifier: Apache-2.0
"""``softee cert self-signed``: an X.509 certificate that a token's key signs itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    BasicConstraints,
    CertificateBuilder,
    SubjectKeyIdentifier,
    random_serial_number,
)

from softee.cli.cert.naming import alternative_names, for_whom, subject_of
from softee.cli.cert.storing import store_certificate
from softee.cli.cryptoki.choice import TokenChoice, the_one
from softee.cli.cryptoki.native import public_key
from softee.cli.cryptoki.options import on_a_token, on_objects
from softee.cli.cryptoki.signing import signing_key
from softee.cli.cryptoki.uri import Uri
from softee.cli.options import out_option
from softee.cli.output import write_out
from softee.names import CKA, CKO


@click.command()
@on_objects
@for_whom
@click.option("--days", type=click.IntRange(1, 36500), default=365, metavar="N", help="How long it is valid; 365.")
@click.option("--ca", is_flag=True, help="It is a CA's, and may sign others.")
@click.option("--store", is_flag=True, help="Put it on the token too, under the key's label and CKA_ID.")
@on_a_token
@out_option
def self_signed(
    *,
    token: TokenChoice,
    name: Uri,
    subject: str,
    san: tuple[str, ...],
    days: int,
    ca: bool,
    store: bool,
    out: Path | None,
) -> None:
    """Make a certificate for a token's key, which the key signs itself. It is written in PEM."""
    who, names, now = subject_of(subject), alternative_names(san), datetime.now(UTC)
    with token.session(name, write=store) as session:
        handle = the_one(session, name, "private key", (CKO.PRIVATE_KEY,))
        public = public_key(session, handle)
        key, hashing = signing_key(session, handle, public)
        builder = CertificateBuilder(who, who, key.public_key(), random_serial_number(), now, now + timedelta(days))
        builder = builder.add_extension(BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(names, critical=False) if san else builder
        certificate = builder.sign(key, hashing)
        if store:
            named = session.attributes(handle, (CKA.LABEL, CKA.ID))
            store_certificate(session, certificate, named.get(CKA.LABEL, b"").decode(), named.get(CKA.ID, b""))
    write_out(certificate.public_bytes(Encoding.PEM), out)
