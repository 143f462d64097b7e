# SPDX-License-Identifier: Apache-2.0
"""``softee key export-public``: a public key as other programs read it."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.cli.cryptoki.choice import TokenChoice, found_by, the_one
from softee.cli.cryptoki.native import public_key
from softee.cli.cryptoki.options import login_if_wanted, on_a_token, on_objects
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.options import json_option, out_option
from softee.cli.output import write_json, write_out
from softee.names import CKO

_JWK_CURVES: Final[Mapping[str, str]] = MappingProxyType(
    {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
)
"""RFC 7518 (section 6.2.1.1) and RFC 8812, by the library's names."""

_JWK_OCTETS: Final = {
    ed25519.Ed25519PublicKey: "Ed25519",
    ed448.Ed448PublicKey: "Ed448",
    x25519.X25519PublicKey: "X25519",
    x448.X448PublicKey: "X448",
}
"""RFC 8037."""


def _spki(encoding: Encoding) -> Callable[[PublicKeyTypes], bytes]:
    return lambda key: key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _ssh(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b"\n"


def _jwk(key: PublicKeyTypes) -> bytes:
    return json.dumps(jwk_of(key)).encode() + b"\n"


FORMATS: Final[Mapping[str, Callable[[PublicKeyTypes], bytes]]] = MappingProxyType(
    {"pem": _spki(Encoding.PEM), "der": _spki(Encoding.DER), "ssh": _ssh, "jwk": _jwk}
)


@click.command()
@on_objects
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), default="pem", help="pem if nothing is said.")
@on_a_token
@login_if_wanted
@out_option
@json_option
def export_public(*, token: TokenChoice, name: Uri, format_: str, out: Path | None, as_json: bool) -> None:
    """Write the public key of a key pair, or of a certificate, as PEM, DER, OpenSSH's line, or JWK."""
    with token.session(name) as session:
        key = public_key(session, _half(session, name))
    try:
        text = FORMATS[format_](key)
    except (ValueError, UnsupportedAlgorithm):
        raise CliError(f"Keys of this type cannot be written in the format {format_}.") from None
    if as_json:
        write_json({"format": format_, "public_key": text.hex() if format_ == "der" else text.decode("ascii")})
    else:
        write_out(text, out)


def jwk_of(key: PublicKeyTypes) -> dict[str, str]:
    """Return a public key as a JSON Web Key (RFC 7517). Raises ValueError where there is none for its type."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _JWK_CURVES:
        size, point = (key.key_size + 7) // 8, key.public_numbers()
        curve = _JWK_CURVES[key.curve.name]
        return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size)}
    for kind, curve in _JWK_OCTETS.items():
        if isinstance(key, kind):
            return {"kty": "OKP", "crv": curve, "x": _base64(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    raise ValueError("there is no JSON Web Key of this type")


def _half(session: Session, name: Uri) -> int:
    """Return the public half of what is named where it is there, or else the one object of that name."""
    public = found_by(session, name, (CKO.PUBLIC_KEY,)) if name.object_class is None else []
    return public[0] if len(public) == 1 else the_one(session, name, "key")


def _number(value: int, size: int | None = None) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8 if size is None else size, "big"))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
