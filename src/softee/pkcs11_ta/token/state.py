# SPDX-License-Identifier: Apache-2.0
"""What a token keeps in its vault's head: its label, and how its SO and its user prove who they are.

A frozen value; the vault seals it. No PIN and no hash of one is in it: only the user key, wrapped so that it takes the
right PIN (or, for login by TEE identity, the right kernel credentials) to open it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from softee.names import CKU, LoginMethod, TokenFlag
from softee.tee.sealing import TamperedError
from softee.wire.codec import Reader, WireError, Writer

MAX_TRIES = 7
"""Wrong PINs in a row that lock a PIN, the user's and the SO's alike, as in OP-TEE."""

LABEL_SIZE = 32
SALT_SIZE = 16
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What one Argon2id computation costs: KiB of memory, passes, lanes."""

    memory: int
    passes: int
    lanes: int


@dataclass(frozen=True, slots=True)
class PinCredential:
    """The user key wrapped under a PIN. ``failures`` counts the tries since the last right PIN."""

    salt: bytes
    cost: Cost
    wrapped: bytes = field(repr=False)
    failures: int = 0

    @property
    def locked(self) -> bool:
        """No PIN is checked any more."""
        return self.failures >= MAX_TRIES


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

    @property
    def flags(self) -> TokenFlag:
        """CK_TOKEN_INFO.flags, as OP-TEE shows them."""
        if self.so is None:
            return _NEW
        flags = _ALWAYS | TokenFlag.TOKEN_INITIALIZED
        if self.user is not None:
            flags |= TokenFlag.USER_PIN_INITIALIZED
        if isinstance(self.so, IdentityCredential):
            flags |= TokenFlag.PROTECTED_AUTHENTICATION_PATH
        return flags | _count_flags(CKU.SO, self.so) | _count_flags(CKU.USER, self.user)

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
        if reader.u32() != _VERSION:
            raise TamperedError("the token's state has an unknown version")
        state = TokenState(reader.take(LABEL_SIZE), _read_credential(reader), _read_credential(reader))
        reader.finish()
    except (WireError, KeyError, ValueError) as error:
        raise TamperedError("the token's state does not decode") from error
    return state


def _count_flags(user: CKU, credential: Credential | None) -> TokenFlag:
    flags = TokenFlag(0)
    if isinstance(credential, PinCredential):
        for threshold, flag in zip(_THRESHOLDS, _COUNT_FLAGS[user], strict=True):
            if credential.failures >= threshold:
                flags |= flag
    return flags


_ABSENT, _PIN, _IDENTITY = 0, 1, 2


def _write_credential(writer: Writer, credential: Credential | None) -> None:
    match credential:
        case None:
            writer.u8(_ABSENT)
        case PinCredential(salt, cost, wrapped, failures):
            writer.u8(_PIN).raw(salt).u32(cost.memory).u32(cost.passes).u32(cost.lanes).u32(failures).blob(wrapped)
        case IdentityCredential(method, uuid, wrapped):
            writer.u8(_IDENTITY).u32(method).raw(uuid.bytes).blob(wrapped)


def _read_credential(reader: Reader) -> Credential | None:
    return _CREDENTIALS[reader.u8()](reader)


def _read_pin(reader: Reader) -> PinCredential:
    salt = reader.take(SALT_SIZE)
    cost = Cost(reader.u32(), reader.u32(), reader.u32())
    failures = reader.u32()
    return PinCredential(salt, cost, reader.take(reader.u32()), failures)


def _read_identity(reader: Reader) -> IdentityCredential:
    return IdentityCredential(LoginMethod(reader.u32()), UUID(bytes=reader.take(16)), reader.take(reader.u32()))


_CREDENTIALS: dict[int, Callable[[Reader], Credential | None]] = {
    _ABSENT: lambda _: None,
    _PIN: _read_pin,
    _IDENTITY: _read_identity,
}
