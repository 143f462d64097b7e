# SPDX-License-Identifier: Apache-2.0
"""Every key that secure storage derives, and from what: HKDF-SHA256 (RFC 5869), 32 bytes each, one table of labels.

A key is ``HKDF(secret, salt=none, info=label ‖ 0x00 ‖ context)``. No label begins another one, so no two purposes share
a key, whatever their contexts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softee.tee.wiping import wipe

__all__ = ["KEY_SIZE", "Label", "application_context", "derive_key", "derived", "wipe"]

KEY_SIZE = 32


class Label(Enum):
    """What a key is for. The values are part of the storage format and never change."""

    INSTALLATION = b"softee/1/installation"
    """From the root key; context: the application's UUID. Seals the installation record."""
    APPLICATION = b"softee/1/application"
    """From the root key; context: installation UUID ‖ application UUID. The parent of the vaults."""
    ANCHOR = b"softee/2/anchor"
    """From the root key. Seals the anchor record."""
    VAULT = b"softee/1/vault"
    """From the application's key; context: the vault's name. The parent of the following three."""
    STRUCTURE = b"softee/1/structure"
    """From the vault's key. Seals its head and pages."""
    OBJECTS = b"softee/1/objects"
    """From the vault's key. Seals the objects of compartment 0 and makes their index terms."""
    DERIVED = b"softee/1/derived"
    """From the vault's key; context: the application's own label. What Vault.derive returns."""
    SEAL = b"softee/1/seal"
    """From a SealKey's secret. Its AES-256-GCM-SIV key."""
    TERM = b"softee/1/term"
    """From a SealKey's secret. Its HMAC-SHA256 key for blind-index terms."""


def derive_key(secret: bytes | bytearray, label: Label, context: bytes = b"") -> bytearray:
    """Return the 32-byte key for a purpose. The caller wipes it."""
    key = bytearray(KEY_SIZE)
    HKDF(SHA256(), KEY_SIZE, salt=None, info=label.value + b"\0" + context).derive_into(secret, key)
    return key


@contextmanager
def derived(secret: bytes | bytearray, label: Label, context: bytes = b"") -> Iterator[bytearray]:
    """Lend a derived key, and wipe it afterwards."""
    key = derive_key(secret, label, context)
    try:
        yield key
    finally:
        wipe(key)


def application_context(installation: UUID, application: UUID) -> bytes:
    """Return the 32-byte context of Label.APPLICATION."""
    return installation.bytes + application.bytes
