# SPDX-License-Identifier: Apache-2.0
"""Statements of where keys come from, and the certificates of the key that signs them."""

from softee.names import CKO, CKR
from softee.pkcs11_ta.abi.commands import attestation
from softee.pkcs11_ta.abi.errors import BufferTooSmallError, Pkcs11Error
from softee.pkcs11_ta.abi.messages import AttestKey, Nothing
from softee.pkcs11_ta.attestation.evidence import LONGEST_NONCE, SHORTEST_NONCE, TokenClaims
from softee.pkcs11_ta.handlers.beyond import beyond_optee
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.keys.pkcs8 import public_half_of
from softee.pkcs11_ta.session.call import Call

_VARIES = 16
"""By how many bytes two statements of the same may differ: signatures and serial numbers have leading zeros."""


def attest_key(call: Call, request: AttestKey) -> bytes:
    """Return a statement of a private key that the session sees, with the certificates above it, in PEM."""
    if request.nonce and not SHORTEST_NONCE <= len(request.nonce) <= LONGEST_NONCE:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"a nonce has {SHORTEST_NONCE} to {LONGEST_NONCE} bytes")
    session = call.session
    attested = session.object(request.handle, CKR.KEY_HANDLE_INVALID)
    key = attested.key()
    if key.key_class is not CKO.PRIVATE_KEY:
        raise Pkcs11Error(CKR.KEY_TYPE_INCONSISTENT, "only private keys are attested")
    token = TokenClaims(session.token.state.label.decode(errors="replace").rstrip(), session.token.serial_number)
    statement = call.client.attester.attest(public_half_of(key), attested.attributes, token, request.nonce)
    if len(statement) > call.capacity:
        raise BufferTooSmallError(len(statement) + _VARIES)
    return statement


def attestation_chain(call: Call, request: Nothing) -> bytes:
    """Return the certificates of the attestation key, in PEM."""
    return call.client.attester.chain()


def attestation_request(call: Call, request: Nothing) -> bytes:
    """Return a request for a certificate of the attestation key, in PEM."""
    made = call.client.attester.request()
    if len(made) > call.capacity:
        raise BufferTooSmallError(len(made) + _VARIES)
    return made


BOUND = (
    bind(attestation.ATTEST_KEY, beyond_optee(attest_key)),
    bind(attestation.ATTESTATION_CHAIN, attestation_chain),
    bind(attestation.ATTESTATION_REQUEST, attestation_request),
)
