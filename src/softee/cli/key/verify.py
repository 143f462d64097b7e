# SPDX-License-Identifier: Apache-2.0
"""``softee key verify-attestation``: what a statement proves of a key."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.cli.key.verification import Attestation, require_nonce, require_true, verified
from softee.cli.options import json_option, path
from softee.cli.output import hexadecimal, read_in, write_json
from softee.cli.tables import print_table
from softee.pkcs11_ta.attestation.evidence import Claim

_MEANINGS = {
    "CKA_LOCAL": ("made on this token", "not made on this token: it was elsewhere, or may have been"),
    "CKA_ALWAYS_SENSITIVE": ("never was readable", "may have been readable"),
    "CKA_NEVER_EXTRACTABLE": ("never could be wrapped", "may have been wrapped"),
    "CKA_EXTRACTABLE": ("can be wrapped", "cannot be wrapped, for good"),
    "CKA_SENSITIVE": ("cannot be read, for good", "can be read"),
    "CKA_PRIVATE": ("used after a login only", "used by whoever connects"),
}
"""What an attribute says if it is true, and if not."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@path("--root", "The trusted root's certificate, or several, in PEM.", required=True)
@click.option("--nonce", metavar="HEX", help="The nonce that must be in it.")
@click.option("--require", metavar="NAME", multiple=True, help="An attribute that must be true: CKA_LOCAL.")
@json_option
def verify_attestation(file: Path, *, root: Path, nonce: str | None, require: tuple[str, ...], as_json: bool) -> None:
    """Show what FILE, made by key attest, proves of a key. Exits 1 where it does not hold."""
    attestation = verified(read_in(file), read_in(root), datetime.now(UTC))
    if nonce is not None:
        require_nonce(attestation, hexadecimal(nonce, "--nonce"))
    require_true(attestation, require)
    if as_json:
        write_json(_as_dict(attestation))
        return
    print_table(("what", "value", "means"), _rows(attestation, compared=nonce is not None))


def _as_dict(attestation: Attestation) -> dict[str, object]:
    statement = attestation.statement
    return {
        "public_key": _public_key(attestation, Encoding.PEM).decode("ascii"),
        "key": statement.key,
        "token": {"label": statement.token.label, "serial": statement.token.serial},
        "software": f"{statement.swname} {statement.swversion[0]}",
        "time": _time(attestation),
        "nonce": statement.nonce.hex(),
        "path": [certificate.subject.rfc4514_string() for certificate in attestation.path],
    }


def _rows(attestation: Attestation, *, compared: bool) -> Iterator[tuple[str, str, str]]:
    statement = attestation.statement
    yield "public key", _fingerprint(attestation), "SHA-256 of its SubjectPublicKeyInfo"
    for name, value in statement.key.items():
        yield name, _shown(value), _meaning(name, value)
    yield "token", f"{statement.token.label}, serial {statement.token.serial}", "has the key"
    yield "software", f"{statement.swname} {statement.swversion[0]}", "made the statement"
    yield "time", _time(attestation), "when, by its own clock"
    newness = "is the one that was asked for" if compared else "was not compared: the statement may be old"
    yield "nonce", statement.nonce.hex() or "none", newness
    yield "root", attestation.path[-1].subject.rfc4514_string(), "vouches for the attestation key"


def _meaning(name: str, value: Claim) -> str:
    if name not in _MEANINGS or not isinstance(value, bool):
        return ""
    return _MEANINGS[name][0 if value else 1]


def _shown(value: Claim) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def _fingerprint(attestation: Attestation) -> str:
    digest = Hash(SHA256())
    digest.update(_public_key(attestation, Encoding.DER))
    return digest.finalize().hex()


def _public_key(attestation: Attestation, encoding: Encoding) -> bytes:
    return attestation.certificate.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _time(attestation: Attestation) -> str:
    return datetime.fromtimestamp(attestation.statement.iat, UTC).isoformat()
