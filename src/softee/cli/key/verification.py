# SPDX-License-Identifier: Apache-2.0
"""Whether a statement holds: its certificates are valid and lead to a trusted root, and it says what was asked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.x509 import Certificate, ExtensionNotFound, UnrecognizedExtension, load_pem_x509_certificates

from softee.cli.failure import CliError
from softee.pkcs11_ta.attestation import evidence
from softee.pkcs11_ta.attestation.chain import UNREADABLE, ChainError, check_chain, is_signed_by, name_of

_MOST_CERTIFICATES: Final = 16


@dataclass(frozen=True, slots=True)
class Attestation:
    """A statement that holds. ``path`` leads from the attested key's certificate to the root."""

    path: tuple[Certificate, ...]
    statement: evidence.Evidence

    @property
    def certificate(self) -> Certificate:
        """The attested key's certificate."""
        return self.path[0]


def verified(attestation: bytes, roots: bytes, now: datetime) -> Attestation:
    """Return what certificates in PEM state, the attested key's first, if they lead to one of the roots.

    Raises:
        CliError: they do not, or one of them is not valid now; or there is no statement.

    """
    given, trusted = _certificates(attestation, "The attestation"), _certificates(roots, "The root")
    try:
        path = _path(given, trusted)
        check_chain(path)
        for certificate in path:
            _check_validity(certificate, now)
        return Attestation(path, evidence.decode(_extension(path[0])))
    except (ChainError, evidence.EvidenceError) as error:
        raise _does_not_hold(str(error)) from None
    except UNREADABLE:
        raise _does_not_hold("a part of a certificate does not decode") from None


def require_nonce(attestation: Attestation, nonce: bytes) -> None:
    """Raise CliError unless the statement was made for this nonce."""
    found = attestation.statement.nonce
    if found != nonce:
        raise _does_not_hold("it was made for another nonce" if found else "it was made without a nonce")


def require_true(attestation: Attestation, attributes: Collection[str]) -> None:
    """Raise CliError unless all these attributes of the key are stated, and true."""
    for attribute in attributes:
        if attribute not in attestation.statement.key:
            raise _does_not_hold(f"it says nothing of {attribute}")
        if attestation.statement.key[attribute] is not True:
            raise _does_not_hold(f"{attribute} of the key is not true")


def _path(certificates: Sequence[Certificate], roots: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return the certificates up to the first that a root has signed, and that root."""
    for at, certificate in enumerate(certificates):
        for root in roots:
            if certificate != root and is_signed_by(certificate, root):
                return (*certificates[: at + 1], root)
    issuer = certificates[-1].issuer.rfc4514_string()
    raise _does_not_hold(f'the root has signed none of its certificates, the last of which is issued by "{issuer}"')


def _certificates(pem: bytes, what: str) -> list[Certificate]:
    try:
        found = load_pem_x509_certificates(pem)
    except UNREADABLE:
        raise CliError(f"{what} does not decode as certificates in PEM.") from None
    if len(found) > _MOST_CERTIFICATES:
        raise CliError(f"{what} has more than {_MOST_CERTIFICATES} certificates.")
    return found


def _check_validity(certificate: Certificate, now: datetime) -> None:
    if now < certificate.not_valid_before_utc:
        raise _does_not_hold(f"{name_of(certificate)} is not valid before {certificate.not_valid_before_utc}")
    if now > certificate.not_valid_after_utc:
        raise _does_not_hold(f"{name_of(certificate)} was valid until {certificate.not_valid_after_utc}")


def _extension(certificate: Certificate) -> bytes:
    try:
        value = certificate.extensions.get_extension_for_oid(evidence.EXTENSION).value
    except ExtensionNotFound:
        raise _does_not_hold("its first certificate has no statement") from None
    if not isinstance(value, UnrecognizedExtension):
        raise TypeError("the library knows the extension, and this module not yet")
    return value.value


def _does_not_hold(why: str) -> CliError:
    return CliError(f"The attestation does not hold: {why}.")
