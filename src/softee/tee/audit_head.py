# SPDX-License-Identifier: Apache-2.0
"""Where the audit log ends, as its vault knows: the newest line, and what was left out since; and the key that signs.

The signing key is derived from the vault's, so it is the installation's for good, and lies nowhere.
"""

import struct
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.stores.base import StoreDamagedError
from softee.tee.audit_chain import NOTHING, LineError, decode_line
from softee.tee.records import record_hash
from softee.tee.sealing import TamperedError
from softee.tee.vault import Vault

VAULT: Final = "audit"
"""The vault's name."""

_KEPT: Final = 1
"""The number of the vault's one object: how many events were left out, and the line."""
_COMPARTMENT: Final = 0
_LEFT_OUT: Final = struct.Struct("<Q")
_FINGERPRINT: Final = 16


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the log."""

    line: bytes = NOTHING
    """The newest line."""
    left_out: int = 0
    """Events since then that could not be written."""

    @property
    def number(self) -> int:
        """The newest line's number, 0 where there is none."""
        return decode_line(self.line).number if self.line else 0


class AuditVouch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the secure world says of its log to whoever verifies it."""

    line: str
    left_out: int
    public_key: str
    """In PEM."""


def load_head(vault: Vault) -> AuditHead:
    """Read where the log ends. Raises TamperedError, StoreError."""
    if not vault.entries:
        return AuditHead()
    try:
        kept = bytes(vault.read(_KEPT, vault.key))
        (left_out,) = _LEFT_OUT.unpack_from(kept)
        line = kept[_LEFT_OUT.size :]
        if line:
            decode_line(line)
    except (KeyError, struct.error, LineError) as error:
        raise TamperedError("the audit log's newest line does not decode") from error
    return AuditHead(line, left_out)


def store_head(vault: Vault, head: AuditHead) -> None:
    """Put another end in its place. Raises StoreError: nothing has changed."""
    change = vault.change()
    kept = _LEFT_OUT.pack(head.left_out) + head.line
    if vault.entries:
        change.replace(_KEPT, kept, vault.key, _COMPARTMENT, ())
    else:
        change.add(kept, vault.key, _COMPARTMENT, ())
    try:
        change.commit()
    except TamperedError as error:
        raise StoreDamagedError(str(error)) from error


def signing_key(vault: Vault) -> Ed25519PrivateKey:
    """Return the key that signs the log."""
    return Ed25519PrivateKey.from_private_bytes(vault.derive("audit"))


def vouch(vault: Vault, head: AuditHead) -> AuditVouch:
    """Return what is said of a log that ends so."""
    return AuditVouch(head.line.decode("ascii"), head.left_out, in_pem(signing_key(vault).public_key()))


def in_pem(key: Ed25519PublicKey) -> str:
    """Return a public key in PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return by what a signed line names its key: the beginning of its SHA-256, in hexadecimal."""
    return record_hash(key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:_FINGERPRINT].hex()
