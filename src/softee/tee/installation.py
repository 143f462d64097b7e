# SPDX-License-Identifier: Apache-2.0
"""The installation record: all that the root key itself opens. It holds the secret from which the vaults' keys come.

Since format 2 that secret is random, so that another root key can take the place of the first (:func:`rewrap`) and no
other record changes. In format 1 it was derived from the root key; what has such a record keeps the secret that it had.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from softee.stores.base import Record, Revision, Store
from softee.tee.anchor import ANCHOR, anchor_key, open_anchor, seal_anchor
from softee.tee.keys import KEY_SIZE, Label, application_context, derive_key, derived, wipe
from softee.tee.records import HEADER_SIZE, Place, RecordKind, check_header, seal_record
from softee.tee.sealing import SealKey, TamperedError
from softee.wire.codec import Reader, WireError, Writer

INSTALLATION_VERSION = 0
"""The installation record is bound to no version, as heads are."""
_DERIVED_SECRET = 1
"""The format version in which the secret was derived, and not in the record."""


class WrongRootKeyError(Exception):
    """The root key does not open this store's installation record."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What the record says."""

    uuid: UUID
    """Random, one per installation, never changes."""
    names: tuple[str, ...]
    """Of the vaults."""
    secret: bytearray = field(repr=False)
    """32 bytes, the parent of the vaults' keys. Who takes it wipes it."""


def installation_place(application: UUID) -> Place:
    """Return where an application's installation record stands."""
    return Place(application, "", RecordKind.INSTALLATION)


def new_installation() -> Installation:
    """Return one that has no vaults yet."""
    return Installation(UUID(bytes=os.urandom(16), version=4), (), bytearray(os.urandom(KEY_SIZE)))


def seal_installation(root_key: bytes | bytearray, application: UUID, installation: Installation) -> bytes:
    """Return the record, in the newest format."""
    plaintext = _encoded(installation.secret, installation.uuid, installation.names)
    try:
        return seal_record(
            _seal_key(root_key, application), installation_place(application), INSTALLATION_VERSION, plaintext
        )
    finally:
        wipe(plaintext)


def open_installation(root_key: bytes | bytearray, application: UUID, record: bytes) -> tuple[Installation, int]:
    """Open a record of any known format.

    Returns:
        What it says, and the version of its format.

    Raises:
        WrongRootKeyError: the root key is another one, or the record was altered: the two cannot be told apart.
        TamperedError: it is no installation record.

    """
    place = installation_place(application)
    version = check_header(place, record)
    try:
        context = place.context(INSTALLATION_VERSION, version)
        plaintext = _seal_key(root_key, application).open(context, record[HEADER_SIZE:])
    except TamperedError:
        raise WrongRootKeyError(
            "the root key does not open this store: it is not the key that the store was made with, "
            "or the store's installation record was altered"
        ) from None
    try:
        return _decoded(plaintext, version, root_key, application), version
    except (WireError, UnicodeDecodeError) as error:
        raise TamperedError(f"{place} does not decode: {error}") from error
    finally:
        wipe(plaintext)


def rewrap(
    store: Store, applications: Iterable[UUID], old_key: bytes | bytearray, new_key: bytes | bytearray
) -> list[UUID]:
    """Have the installation records of all applications opened by another root key, in one transaction.

    A record that the new key opens already stays as it is: so this can be done again after a crash.

    Returns:
        The applications whose records were changed.

    Raises:
        WrongRootKeyError: neither key opens a record. Nothing has changed.
        TamperedError: a record is none. Nothing has changed.
        StoreError: the store failed. Nothing has changed.

    """
    expected: dict[bytes, Revision] = {}
    puts: dict[bytes, bytes] = {}
    changed = []
    for application in applications:
        place = installation_place(application)
        stored = store.get(place.key)
        if stored is None or _opens(new_key, application, stored):
            continue
        installation, _ = open_installation(old_key, application, stored.value)
        puts[place.key] = seal_installation(new_key, application, installation)
        wipe(installation.secret)
        expected[place.key] = stored.revision
        changed.append(application)
    if puts:
        _rewrap_anchor(store, old_key, new_key, expected, puts)
        store.commit(expected=expected, puts=puts)
    return changed


def _rewrap_anchor(
    store: Store,
    old_key: bytes | bytearray,
    new_key: bytes | bytearray,
    expected: dict[bytes, Revision],
    puts: dict[bytes, bytes],
) -> None:
    """Add the anchor record to what is written, where there is one. Raises TamperedError."""
    stored = store.get(ANCHOR.key)
    if stored is not None:
        puts[ANCHOR.key] = seal_anchor(anchor_key(new_key), open_anchor(anchor_key(old_key), stored.value))
        expected[ANCHOR.key] = stored.revision


def _opens(root_key: bytes | bytearray, application: UUID, stored: Record) -> bool:
    try:
        installation, _ = open_installation(root_key, application, stored.value)
    except WrongRootKeyError:
        return False
    wipe(installation.secret)
    return True


def _seal_key(root_key: bytes | bytearray, application: UUID) -> SealKey:
    with derived(root_key, Label.INSTALLATION, application.bytes) as secret:
        return SealKey(secret)


def _encoded(secret: bytearray, uuid: UUID, names: Sequence[str]) -> bytearray:
    writer = Writer().raw(uuid.bytes).u32(len(names))
    for name in names:
        writer.blob(name.encode())
    return bytearray(secret) + writer.done()


def _decoded(plaintext: bytearray, version: int, root_key: bytes | bytearray, application: UUID) -> Installation:
    """Return what a plaintext says. Raises WireError or UnicodeDecodeError."""
    reader = Reader(plaintext)
    secret = bytearray() if version == _DERIVED_SECRET else bytearray(reader.view(KEY_SIZE))
    uuid = UUID(bytes=reader.take(16))
    names = tuple(reader.take(reader.u32()).decode() for _ in range(reader.u32()))
    reader.finish()
    if version == _DERIVED_SECRET:
        secret = derive_key(root_key, Label.APPLICATION, application_context(uuid, application))
    return Installation(uuid, names, secret)
