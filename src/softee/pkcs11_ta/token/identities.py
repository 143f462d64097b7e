# SPDX-License-Identifier: Apache-2.0
"""Login by TEE identity: the client's login method and UUID, by the kernel's word, in the place of a PIN.

OP-TEE's scheme: a token that was initialized with an empty SO PIN (CKF_PROTECTED_AUTHENTICATION_PATH). Where a PIN
would be set, these texts name who may log in: empty (the client that asks), ``public``, ``user:<client UUID>``,
``group:<client UUID>``. There are no try counters: nothing can be guessed. Until there is a user, the SO's C_SetPIN
leads from PINs to identities (an empty PIN) and back (one that names no identity).
"""

import re
from dataclasses import dataclass
from uuid import UUID

from softee.names import CKR, CKU, LoginMethod
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.token.state import IdentityCredential
from softee.tee.application import ClientIdentity
from softee.tee.sealing import SealKey

_NIL = UUID(int=0)
_METHODS = {b"user": LoginMethod.USER, b"group": LoginMethod.GROUP}
_HEX = rb"[0-9A-Fa-f]"
_SYNTAX = re.compile(
    rb"public|(?P<method>user|group):(?P<uuid>"
    + rb"-".join(_HEX + b"{%d}" % count for count in (8, 4, 4, 4, 12))
    + rb")"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may log in. The UUID of PUBLIC is nil."""

    method: LoginMethod
    uuid: UUID


def identity_of(client: ClientIdentity) -> Identity:
    """Return the client's own identity."""
    return Identity(client.login, client.uuid)


def names_identity(pin: bytearray) -> bool:
    """Tell whether a PIN is one of the texts that name an identity."""
    return not pin or _SYNTAX.fullmatch(pin) is not None


def parse_identity(pin: bytearray, client: ClientIdentity) -> Identity:
    """Return the identity that a PIN names. Raises CKR_PIN_INVALID."""
    if not pin:
        return identity_of(client)
    named = _SYNTAX.fullmatch(pin)
    if named is None:
        raise Pkcs11Error(CKR.PIN_INVALID, "this token logs in by TEE identity: public, user:<UUID> or group:<UUID>")
    if named["uuid"] is None:
        return Identity(LoginMethod.PUBLIC, _NIL)
    return Identity(_METHODS[named["method"]], UUID(named["uuid"].decode("ascii")))


def wrap_for_identity(user: CKU, who: Identity, vault_secret: bytes, user_key: bytearray) -> IdentityCredential:
    """Wrap the user key for an identity."""
    key = SealKey(vault_secret)
    try:
        return IdentityCredential(who.method, who.uuid, key.seal(_context(user, who), user_key))
    finally:
        key.wipe()


def unwrap_for_identity(
    user: CKU, client: ClientIdentity, vault_secret: bytes, credential: IdentityCredential
) -> bytearray | None:
    """Return the user key, or None where the client is somebody else.

    Raises:
        TamperedError: the identity is right and the key does not open.

    """
    if identity_of(client) != who_may(credential):
        return None
    return unwrap_for_operator(user, vault_secret, credential)


def unwrap_for_operator(user: CKU, vault_secret: bytes, credential: IdentityCredential) -> bytearray:
    """Return the user key, whoever asks: he has the root key. Raises TamperedError where it does not open."""
    key = SealKey(vault_secret)
    try:
        return key.open(_context(user, who_may(credential)), credential.wrapped)
    finally:
        key.wipe()


def who_may(credential: IdentityCredential) -> Identity:
    """Return the identity that a user key is wrapped for."""
    return Identity(credential.method, credential.uuid)


def _context(user: CKU, who: Identity) -> bytes:
    return b"softee user key, identity of " + f"{user.name} {who.method.name} {who.uuid}".encode("ascii")
