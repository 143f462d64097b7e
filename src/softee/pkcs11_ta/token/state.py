# SPDX-License-Identifier: Apache-2.0
"""What a token keeps in its vault's head: its label, and how its SO and its user prove who they are.

A frozen value; the vault seals it. No PIN and no hash of one is in it: only the user key, wrapped so that it takes the
right PIN (or, for login by TEE identity, the right kernel credentials) to open it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

from softee.names import CKU, LoginMethod, TokenFlag
from softee.pkcs11_ta.token.tries import MAX_TRIES, NO_TRIES, Tries, read_tries, tries_of_everybody
from softee.tee.sealing import TamperedError
from softee.wire.codec import Reader, WireError, Writer

LABEL_SIZE = 32
SALT_SIZE = 16
_VERSION = 2
_WITH_ONE_COUNT = 1
"""A version that is still read: one count of failures for all."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one Argon2id computation costs: KiB of memory, passes, lanes."""

    memory: int
    passes: int
    lanes: int


@dataclass(frozen=True, slots=True)
class PinCredential:
    """The user key wrapped under a PIN, and the tries that stand against it."""

    salt: bytes
    cost: Cost
    wrapped: bytes = field(repr=False)
    tries: Tries = NO_TRIES


@dataclass(frozen=True, slots=True)
class IdentityCredential:
    """The user key wrapped for a TEE identity: a login method and a client UUID."""

    method: LoginMethod
    uuid: UUID
    wrapped: bytes = field(repr=False)


Credential = PinCredential | IdentityCredential

_ALWAYS = TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED
_NEW = _ALWAYS | TokenFlag.USER_PIN_TO_BE_CHANGED | TokenFlag.SO_PIN_TO_BE_CHANGED
_COUNT_FLAGS = {
    CKU.SO: (TokenFlag.SO_PIN_COUNT_LOW, TokenFlag.SO_PIN_FINAL_TRY, TokenFlag.SO_PIN_LOCKED),
    CKU.USER: (TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED),
}
_THRESHOLDS = (1, MAX_TRIES - 1, MAX_TRIES)


@dataclass(frozen=True, slots=True)
class TokenState:
    """A token's own data. ``so`` is None until C_InitToken, ``user`` until C_InitPIN."""

    label: bytes = b"*" * LABEL_SIZE
    so: Credential | None = None
    user: Credential | None = None

    def flags(self, uid: int) -> TokenFlag:
        """Return CK_TOKEN_INFO.flags for clients of a uid, as OP-TEE shows them."""
        if self.so is None:
            return _NEW
        flags = _ALWAYS | TokenFlag.TOKEN_INITIALIZED
        if self.user is not None:
            flags |= TokenFlag.USER_PIN_INITIALIZED
        if isinstance(self.so, IdentityCredential):
            flags |= TokenFlag.PROTECTED_AUTHENTICATION_PATH
        return flags | _count_flags(CKU.SO, self.so, uid) | _count_flags(CKU.USER, self.user, uid)

    def encode(self) -> bytes:
        """Return the state as the vault keeps it."""
        writer = Writer().u32(_VERSION).raw(self.label)
        for credential in (self.so, self.user):
            _write_credential(writer, credential)
        return writer.done()


def decode_state(head: bytes) -> TokenState:
    """Return the state that a vault's head holds; a new vault's is an uninitialized token.

    Raises:
        TamperedError: it is not a state of this version.

    """
    if not head:
        return TokenState()
    try:
        reader = Reader(head)
        version = reader.u32()
        if version not in _READ_PIN:
            raise TamperedError("the token's state has an unknown version")
        label = reader.take(LABEL_SIZE)
        state = TokenState(label, _read_credential(reader, version), _read_credential(reader, version))
        reader.finish()
    except (WireError, KeyError, ValueError) as error:
        raise TamperedError("the token's state does not decode") from error
    return state


def _count_flags(user: CKU, credential: Credential | None, uid: int) -> TokenFlag:
    flags = TokenFlag(0)
    if isinstance(credential, PinCredential):
        failures = credential.tries.failures(uid)
        for threshold, flag in zip(_THRESHOLDS, _COUNT_FLAGS[user], strict=True):
            if failures >= threshold:
                flags |= flag
    return flags


class _Kind(IntEnum):
    ABSENT = 0
    PIN = 1
    IDENTITY = 2


def _write_credential(writer: Writer, credential: Credential | None) -> None:
    match credential:
        case None:
            writer.u8(_Kind.ABSENT)
        case PinCredential(salt, cost, wrapped, tries):
            writer.u8(_Kind.PIN).raw(salt).u32(cost.memory).u32(cost.passes).u32(cost.lanes)
            tries.write(writer)
            writer.blob(wrapped)
        case IdentityCredential(method, uuid, wrapped):
            writer.u8(_Kind.IDENTITY).u32(method).raw(uuid.bytes).blob(wrapped)


def _read_credential(reader: Reader, version: int) -> Credential | None:
    match reader.u8():
        case _Kind.ABSENT:
            return None
        case _Kind.PIN:
            return _read_pin(reader, _READ_PIN[version])
        case _Kind.IDENTITY:
            return _read_identity(reader)
        case kind:
            raise WireError(f"a credential of kind {kind}")


def _read_pin(reader: Reader, read: Callable[[Reader], Tries]) -> PinCredential:
    salt = reader.take(SALT_SIZE)
    cost = Cost(reader.u32(), reader.u32(), reader.u32())
    tries = read(reader)
    return PinCredential(salt, cost, reader.take(reader.u32()), tries)


def _read_identity(reader: Reader) -> IdentityCredential:
    return IdentityCredential(LoginMethod(reader.u32()), UUID(bytes=reader.take(16)), reader.take(reader.u32()))


_READ_PIN: dict[int, Callable[[Reader], Tries]] = {
    _WITH_ONE_COUNT: lambda reader: tries_of_everybody(reader.u32()),
    _VERSION: read_tries,
}
"""How each version of a state has the tries against a PIN."""
