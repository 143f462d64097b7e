# SPDX-License-Identifier: Apache-2.0
"""Whether certificates belong together: each issued by the next, and each but the first allowed to issue.

The rules of RFC 5280, section 6.1, as far as a chain without names, policies and revocation needs them. What a
certificate demands beyond is refused. Signatures are the library's.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    DuplicateExtension,
    ExtensionNotFound,
    InvalidVersion,
    KeyUsage,
    UnsupportedGeneralNameType,
)
from cryptography.x509.oid import ExtensionOID

_UNDERSTOOD: Final = frozenset(
    {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE}
)


UNREADABLE: Final = (ValueError, DuplicateExtension, InvalidVersion, UnsupportedGeneralNameType)
"""What the library raises where a certificate, or a part that is looked at, does not decode."""


class ChainError(Exception):
    """Certificates do not belong together; the text says which, and why."""


def check_chain(chain: Sequence[Certificate], depth: int = 0) -> None:
    """Check that each certificate was issued by the next one, which may issue it. The last one is trusted.

    From there it goes down, so that nothing is looked into which nobody signed. ``depth`` is how many CAs there are
    between the first one's issuer and an attested key.

    Raises:
        ChainError: one of them was not, or may not, or demands what is not understood here.

    """
    _check_understood(chain[-1])
    for above, (issued, issuer) in reversed(list(enumerate(pairwise(chain), depth))):
        check_issuer(issuer, above)
        if not is_signed_by(issued, issuer):
            raise ChainError(f"{name_of(issued)} was not signed by {name_of(issuer)}")
        _check_understood(issued)


def check_issuer(issuer: Certificate, depth: int = 0) -> None:
    """Raise ChainError unless a certificate may issue others, with ``depth`` CAs between."""
    try:
        constraints = issuer.extensions.get_extension_for_class(BasicConstraints).value
    except ExtensionNotFound:
        raise ChainError(f"{name_of(issuer)} is not a CA's certificate") from None
    if not constraints.ca:
        raise ChainError(f"{name_of(issuer)} is not a CA's certificate")
    if constraints.path_length is not None and constraints.path_length < depth:
        raise ChainError(f"{name_of(issuer)} allows a path of {constraints.path_length} CAs below it, not of {depth}")
    try:
        usage = issuer.extensions.get_extension_for_class(KeyUsage).value
    except ExtensionNotFound:
        return
    if not usage.key_cert_sign:
        raise ChainError(f"{name_of(issuer)} may not sign certificates")


def is_signed_by(issued: Certificate, issuer: Certificate) -> bool:
    """Say whether a certificate names an issuer, and was signed with its key."""
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check_understood(certificate: Certificate) -> None:
    critical = {extension.oid for extension in certificate.extensions if extension.critical}
    for oid in critical - _UNDERSTOOD:
        raise ChainError(
            f"{name_of(certificate)} has a critical extension that is not understood here: {oid.dotted_string}"
        )


def name_of(certificate: Certificate) -> str:
    """Return how messages call a certificate."""
    return f'the certificate of "{certificate.subject.rfc4514_string()}"'
