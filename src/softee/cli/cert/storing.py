# SPDX-License-Identifier: Apache-2.0
"""``softee cert import`` and ``softee cert list``: certificate objects."""

from pathlib import Path

import click
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates

from softee.cli.cryptoki.choice import TokenChoice, found_by
from softee.cli.cryptoki.native import UNREADABLE, public_key
from softee.cli.cryptoki.options import naming_a_new_object, on_a_token
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.key.making import told
from softee.cli.object.work import list_command
from softee.cli.options import json_option
from softee.cli.output import hexadecimal, read_in
from softee.names import CKA, CKC, CKO


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@naming_a_new_object
@on_a_token
@json_option
def import_(file: Path, *, token: TokenChoice, label: str, key_id: str | None, as_json: bool) -> None:
    """Put the certificate in FILE (PEM or DER) on a token.

    Without --id it gets the CKA_ID of the token's key that it is for, so that programs find the two together.
    """
    certificate = _read(read_in(file))
    named = None if key_id is None else hexadecimal(key_id, "--id")
    with token.session(write=True) as session:
        found = id_for(session, certificate) if named is None else named
        told(session, store_certificate(session, certificate, label, found), as_json=as_json)


list_ = list_command("List the certificates on a token.", (CKO.CERTIFICATE,))


def store_certificate(session: Session, certificate: Certificate, label: str, key_id: bytes) -> int:
    """Make a certificate object, and return its handle. Raises CliError."""
    return session.create(
        {
            CKA.CLASS: int(CKO.CERTIFICATE),
            CKA.CERTIFICATE_TYPE: int(CKC.X_509),
            CKA.TOKEN: True,
            CKA.PRIVATE: False,
            CKA.LABEL: label.encode(),
            CKA.ID: key_id,
            CKA.SUBJECT: certificate.subject.public_bytes(),
            CKA.ISSUER: certificate.issuer.public_bytes(),
            CKA.SERIAL_NUMBER: _serial(certificate),
            CKA.VALUE: certificate.public_bytes(Encoding.DER),
        }
    )


def id_for(session: Session, certificate: Certificate) -> bytes:
    """Return the CKA_ID of the token's public key that a certificate is for; empty where there is none."""
    for handle in found_by(session, Uri(), (CKO.PUBLIC_KEY,)):
        try:
            known = public_key(session, handle)
        except CliError:
            continue
        if known == certificate.public_key():
            return session.attributes(handle, [CKA.ID]).get(CKA.ID, b"")
    return b""


def _serial(certificate: Certificate) -> bytes:
    """Return CKA_SERIAL_NUMBER: the DER INTEGER."""
    return encode_der(certificate.serial_number)


def _read(data: bytes) -> Certificate:
    try:
        if b"-----BEGIN CERTIFICATE-----" not in data:
            return load_der_x509_certificate(data)
        found = load_pem_x509_certificates(data)
    except UNREADABLE:
        raise CliError("The file holds no certificate in PEM or DER.") from None
    if len(found) != 1:
        raise CliError(f"The file holds {len(found)} certificates; give a file with one.")
    return found[0]
