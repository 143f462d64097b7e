# SPDX-License-Identifier: Apache-2.0
"""A trusted application's vaults over an untrusted store.

An installation record, sealed under a key that comes from the root key alone, holds the installation's UUID and the
names of the vaults. All heads are made in the same transaction as the record that names them; so a head that is named
and not there was taken away, and so was the installation record where others are there without it. A vault is opened
when it is first asked for: a damaged one stops neither the others nor the daemon.
"""

import os
import threading
from collections.abc import Iterable, Sequence
from uuid import UUID

from softee.stores.base import ABSENT, Revision, Store
from softee.tee.keys import KEY_SIZE, Label, application_context, derive_key, derived
from softee.tee.records import HEADER_SIZE, Place, RecordKind, check_header, seal_record, vault_prefix
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.vault import NOWHERE, Shown, Vault
from softee.tee.vault_state import new_vault_record
from softee.wire.codec import Reader, WireError, Writer

LONGEST_NAME = 255
"""Of a vault, in bytes of UTF-8."""
INSTALLATION_VERSION = 0
"""The installation record is bound to no version, as heads are."""


class WrongRootKeyError(Exception):
    """The root key does not open this store's installation record."""


class SecureStorage:
    """All that one trusted application has stored. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        root_key: bytes,
        application: UUID,
        vaults: Sequence[str],
        shown: Sequence[int] | None = None,
    ) -> None:
        """Open the application's storage, or make it in an empty store.

        Args:
            store: where the records live.
            root_key: 32 bytes.
            application: the trusted application's UUID.
            vaults: names of the vaults that must be there (1 to 255 bytes each); new ones are made empty.
            shown: where several secure worlds use the store, the newest revisions of ``head_keys``, in their order.

        Raises:
            WrongRootKeyError: the root key is not the one that the store was made with, or the installation record was
                altered: the two cannot be told apart.
            TamperedError: the installation record is missing, or is none, or new vaults have old records.
            StoreError: the store failed.

        """
        if len(root_key) != KEY_SIZE:
            raise ValueError(f"a root key has {KEY_SIZE} bytes, not {len(root_key)}")
        if not all(1 <= len(name.encode()) <= LONGEST_NAME for name in vaults):
            raise ValueError(f"a vault's name has 1 to {LONGEST_NAME} bytes")
        self._store = store
        self._application = application
        self._place = Place(application, "", RecordKind.INSTALLATION)
        self._shown = [0] * len(vaults) if shown is None else shown
        self._shown_at = {name: place for place, name in enumerate(vaults)}
        self._lock = threading.Lock()
        self._open: dict[str, Vault] = {}
        with derived(root_key, Label.INSTALLATION, application.bytes) as secret:
            key = SealKey(secret)
        revision, self._installation, known = self._load(key)
        self._secret = derive_key(root_key, Label.APPLICATION, application_context(self._installation, application))
        self._names = tuple(dict.fromkeys([*known, *vaults]))
        if len(self._names) > len(known) or revision == ABSENT:
            self._make(key, revision, self._names[len(known) :])

    @property
    def installation(self) -> UUID:
        """Random, one per installation, never changes."""
        return self._installation

    def vault(self, name: str) -> Vault:
        """Return the vault of that name, the same object each time.

        Raises:
            KeyError: there is no vault of that name.
            TamperedError: its head or one of its pages is damaged; asked again, it looks again.
            StoreError: the store failed.

        """
        if name not in self._names:
            raise KeyError(name)
        with self._lock:
            if name not in self._open:
                self._open[name] = Vault(
                    self._store, self._application, name, self._vault_secret(name), self._where(name)
                )
            return self._open[name]

    def _where(self, name: str) -> Shown:
        place = self._shown_at.get(name)
        return NOWHERE if place is None else Shown(self._shown, place)

    def _vault_secret(self, name: str) -> bytearray:
        return derive_key(self._secret, Label.VAULT, name.encode())

    def _load(self, key: SealKey) -> tuple[Revision, UUID, list[str]]:
        """Return the installation record's revision and content; ABSENT and new content for an empty store."""
        stored = self._store.get(self._place.key)
        if stored is None:
            if self._store.range(self._application.bytes):
                raise TamperedError(f"{self._place} is missing from the store, and other records are there")
            return ABSENT, UUID(bytes=os.urandom(16), version=4), []
        check_header(self._place, stored.value)
        try:
            plaintext = key.open(self._place.context(INSTALLATION_VERSION), stored.value[HEADER_SIZE:])
        except TamperedError:
            raise WrongRootKeyError(
                "the root key does not open this store: it is not the key that the store was made with, "
                "or the store's installation record was altered"
            ) from None
        try:
            return stored.revision, *_decode(plaintext)
        except WireError as error:
            raise TamperedError(f"{self._place} does not decode: {error}") from error

    def _make(self, key: SealKey, revision: Revision, new: Iterable[str]) -> None:
        """Write the installation record with the empty heads of new vaults, in one transaction."""
        plaintext = _encode(self._installation, self._names)
        puts = {self._place.key: seal_record(key, self._place, INSTALLATION_VERSION, plaintext)}
        for name in new:
            if self._store.range(vault_prefix(self._application, name)):
                raise TamperedError(
                    f"vault {name} is new to the installation record, and has records: it was rolled back"
                )
            head, record = new_vault_record(self._application, name, self._vault_secret(name))
            puts[head] = record
        expected = dict.fromkeys(puts, ABSENT) | {self._place.key: revision}
        self._store.commit(expected=expected, puts=puts)


def head_keys(application: UUID, vaults: Sequence[str]) -> list[bytes]:
    """Return the store's keys of vaults' heads, whose revisions tell that a vault has changed."""
    return [Place(application, name, RecordKind.HEAD).key for name in vaults]


def is_installed(store: Store, application: UUID) -> bool:
    """Tell whether a store holds an application's installation record, or other records of it. Raises StoreError."""
    place = Place(application, "", RecordKind.INSTALLATION)
    return store.get(place.key) is not None or bool(store.range(application.bytes))


def _encode(installation: UUID, names: Sequence[str]) -> bytes:
    writer = Writer().raw(installation.bytes).u32(len(names))
    for name in names:
        writer.blob(name.encode())
    return writer.done()


def _decode(plaintext: bytearray) -> tuple[UUID, list[str]]:
    reader = Reader(plaintext)
    installation = UUID(bytes=reader.take(16))
    names = [reader.take(reader.u32()).decode() for _ in range(reader.u32())]
    reader.finish()
    return installation, names
