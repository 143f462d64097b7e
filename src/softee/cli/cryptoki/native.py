# SPDX-License-Identifier: Apache-2.0
"""Keys between a token and `cryptography`: the library's object of a public key, the parts of a private one.

What a key of a type is made of, the trusted application's table of key types says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from cryptography.x509 import load_der_x509_certificate

from softee.cli.cryptoki.choice import found_by
from softee.cli.cryptoki.kinds import USES_OF, Given, curve_by_oid, number
from softee.cli.cryptoki.session import Session
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.names import CKA, CKK, CKO
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import AttributeValue, Parts
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.octet_keys import wrapped_point
from softee.pkcs11_ta.keys.pkcs8 import export_public_key, import_private_key, public_half_of
from softee.pkcs11_ta.keys.table import find_key_type

_NUMBERS = (CKA.CLASS, CKA.KEY_TYPE, CKA.PARAMETER_SET)
_PARTS = (CKA.KEY_TYPE, CKA.MODULUS, CKA.PUBLIC_EXPONENT, CKA.EC_PARAMS, CKA.EC_POINT, CKA.PARAMETER_SET)
_SHARED = (CKA.EC_PARAMS, CKA.PARAMETER_SET)
"""What a private key says that its public key says too, besides the public parts."""

UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, Pkcs11Error)
"""What the library raises for keys and certificates that it cannot read."""


def public_key(session: Session, handle: int) -> PublicKeyTypes:
    """Return the public key of a public key, of a certificate, or of a private key whose public half can be found.

    Raises:
        CliError: it cannot be found, or is of a type that the library does not have.

    """
    for candidate in (handle, *_companions(session, handle)):
        try:
            found = _public(session, candidate)
        except UNREADABLE:
            continue
        if found is not None:
            return found
    raise CliError("The public key is not on the token, or not of a type that can be written down.")


def _companions(session: Session, handle: int) -> list[int]:
    """Return the public keys and certificates that have a key's CKA_ID."""
    key_id = session.attributes(handle, [CKA.ID]).get(CKA.ID, b"")
    return found_by(session, Uri(id=key_id), (CKO.PUBLIC_KEY, CKO.CERTIFICATE)) if key_id else []


def _public(session: Session, handle: int) -> PublicKeyTypes | None:
    found = session.attributes(handle, (CKA.CLASS, CKA.PUBLIC_KEY_INFO, *_PARTS))
    object_class = number(found, CKA.CLASS)
    if found.get(CKA.PUBLIC_KEY_INFO):
        return load_der_public_key(found[CKA.PUBLIC_KEY_INFO])
    if object_class == CKO.CERTIFICATE:
        return load_der_x509_certificate(session.attributes(handle, [CKA.VALUE])[CKA.VALUE]).public_key()
    if object_class != CKO.PUBLIC_KEY:
        return None
    values = found | session.attributes(handle, [CKA.VALUE])
    return load_der_public_key(export_public_key(KeyMaterial(_decoded(values))))


def _decoded(found: Mapping[CKA, bytes]) -> dict[int, AttributeValue]:
    return {one: number(found, one) if one in _NUMBERS else value for one, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Pair:
    """The parts of a key pair, less what all keys have."""

    key_type: CKK
    public: Given
    private: Given


def pair_of(key: PrivateKeyTypes) -> Pair:
    """Return the parts of a private key, and of the public key that belongs to it.

    Raises:
        CliError: softee's tokens take no such key.

    """
    encoded = SecretBytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    for key_type in USES_OF:
        try:
            parts = import_private_key(encoded, key_type)
        except Pkcs11Error:
            continue
        return _pair(key_type, parts)
    raise CliError("The key is of a type or of a size that tokens do not take.")


def _pair(key_type: CKK, parts: Parts) -> Pair:
    found = find_key_type(key_type)
    if found is None or found.public_parts is None:
        raise TypeError(f"{key_type.name} has no public keys")
    private: Parts = {CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: key_type, **parts}
    public: Parts = {one: private[one] for one in _SHARED if one in private}
    public |= found.public_parts(public_half_of(KeyMaterial(private)))
    if isinstance(params := public.get(CKA.EC_PARAMS), bytes):
        public[CKA.EC_PARAMS] = private[CKA.EC_PARAMS] = curve_by_oid(params)
    point = wrapped_point({CKA.KEY_TYPE: key_type, **public})
    public |= {} if point is None else {CKA.EC_POINT: point}
    # The standard has no CKA_EC_POINT for a private key, and tokens refuse it.
    private_parts: Parts = {one: private[one] for one in parts if one != CKA.EC_POINT}
    return Pair(key_type, _given(public), _given(private_parts))


def _given(parts: Parts) -> Given:
    return {one: value for one, value in parts.items() if not isinstance(value, tuple)}
