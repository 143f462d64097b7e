# SPDX-License-Identifier: Apache-2.0
"""What a statement says of a key: a table of attributes, and how each is written. None of them is secret."""

from collections.abc import Callable, Mapping
from typing import Final

from softee.names import CKA, CKK, CKM, UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.attestation.evidence import Claim
from softee.pkcs11_ta.attributes.values import Attributes, AttributeValue


def _flag(value: AttributeValue) -> Claim:
    return value is True


def _text(value: AttributeValue) -> Claim:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | bytearray) else ""


def _octets(value: AttributeValue) -> Claim:
    return value.hex() if isinstance(value, bytes | bytearray) else ""


def _key_type(value: AttributeValue) -> Claim:
    return f"CKK_{CKK(value).name}" if isinstance(value, int) else ""


def _mechanism(value: AttributeValue) -> Claim:
    if not isinstance(value, int) or value == UNAVAILABLE_INFORMATION:
        return "CK_UNAVAILABLE_INFORMATION"
    return f"CKM_{CKM(value).name}"


ATTESTED: Final[Mapping[CKA, Callable[[AttributeValue], Claim]]] = {
    CKA.KEY_TYPE: _key_type,
    CKA.LABEL: _text,
    CKA.ID: _octets,
    CKA.UNIQUE_ID: _text,
    CKA.KEY_GEN_MECHANISM: _mechanism,
    CKA.LOCAL: _flag,
    CKA.SENSITIVE: _flag,
    CKA.ALWAYS_SENSITIVE: _flag,
    CKA.EXTRACTABLE: _flag,
    CKA.NEVER_EXTRACTABLE: _flag,
    CKA.WRAP_WITH_TRUSTED: _flag,
    CKA.PRIVATE: _flag,
    CKA.TOKEN: _flag,
    CKA.ALWAYS_AUTHENTICATE: _flag,
    CKA.SIGN: _flag,
    CKA.SIGN_RECOVER: _flag,
    CKA.DECRYPT: _flag,
    CKA.UNWRAP: _flag,
    CKA.DERIVE: _flag,
    CKA.DECAPSULATE: _flag,
}
"""In the order in which they are shown."""


def claims_of(attributes: Attributes) -> dict[str, Claim]:
    """Return what is stated of a key, by the names of its attributes; one that it does not have is left out."""
    return {
        f"CKA_{attribute.name}": write(attributes[attribute])
        for attribute, write in ATTESTED.items()
        if attribute in attributes
    }
