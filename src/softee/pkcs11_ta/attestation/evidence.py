# SPDX-License-Identifier: Apache-2.0
"""What a statement says, and how it stands in a certificate: an EAT's claims (RFC 9711) in the extension of RFC 9999.

The extension holds a UTF8String with a JSON array: the media type of unsigned claims (RFC 9782), the claims in
base64url, and that they are evidence. What is decoded has every claim in its type; anything else is refused.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from cryptography.x509 import ObjectIdentifier

from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Util import asn1
else:
    asn1 = LateModule("Crypto.Util.asn1")

EXTENSION: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.35")
"""id-pe-cmw."""

SHORTEST_NONCE, LONGEST_NONCE = 8, 64
"""Bytes of a nonce (RFC 9711, section 4.1)."""

Claim = bool | str
Profile = Literal["urn:uuid:f914df6a-e4bc-4897-bfca-849902721c39"]
PROFILE: Final[Profile] = "urn:uuid:f914df6a-e4bc-4897-bfca-849902721c39"
"""What the claims mean, and which there are: other ones get another profile."""

_MediaType = Literal["application/eat-ucs+json"]
_MEDIA_TYPE: Final[_MediaType] = "application/eat-ucs+json"
_EVIDENCE: Final = 4
_UTF8_STRING: Final = 0x0C
_LAST_SECOND: Final = 253402300799


class TokenClaims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token that has the key, as C_GetTokenInfo shows it."""

    label: str
    serial: str


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The claims. Those of a key are its attributes by their names; the public key is the certificate's."""

    eat_profile: Profile
    iat: Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND)]
    """When it was stated, in seconds since 1970."""
    swname: str
    swversion: tuple[str]
    token: TokenClaims
    key: dict[str, Claim]
    eat_nonce: str = ""

    @property
    def nonce(self) -> bytes:
        """The nonce, b"" where there is none."""
        return _from_base64url(self.eat_nonce)


class EvidenceError(Exception):
    """The extension does not hold a statement. The text says why."""


def encode(evidence: Evidence) -> bytes:
    """Return the extension's value. Spaces after the claims spare those who decode the base64 its padding."""
    claims = msgspec.json.encode(evidence)
    filled = claims + b" " * (-len(claims) % 3)
    record = msgspec.json.encode((_MEDIA_TYPE, base64url(filled), _EVIDENCE))
    return asn1.DerObject(_UTF8_STRING, record).encode()


def decode(extension: bytes) -> Evidence:
    """Return what the extension's value says. Raises EvidenceError."""
    string = asn1.DerObject(_UTF8_STRING)
    try:
        string.decode(extension, strict=True)
        _, claims, _ = msgspec.json.decode(string.payload, type=tuple[_MediaType, str, int])
        decoded = msgspec.json.decode(_from_base64url(claims), type=Evidence)
        _from_base64url(decoded.eat_nonce)
    except (ValueError, IndexError, msgspec.MsgspecError) as error:
        raise EvidenceError(f"its statement is none of softee's: {error}") from None
    return decoded


def base64url(data: bytes) -> str:
    """Return bytes as they stand among claims: without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
