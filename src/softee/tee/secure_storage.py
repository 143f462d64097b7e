# SPDX-License-Identifier: Apache-2.0
"""A trusted application's vaults over an untrusted store.

An installation record, sealed under a key that comes from the root key alone, holds the installation's UUID and the
names of the vaults. All heads are made in the same transaction as the record that names them; so a head that is named
and not there was taken away, and so was the installation record where others are there without it. A vault is opened
when it is first asked for: a damaged one stops neither the others nor the daemon.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from softee.stores.base import ABSENT, Revision, Store
from softee.tee.installation import (
    Installation,
    WrongRootKeyError,
    installation_place,
    new_installation,
    open_installation,
    seal_installation,
)
from softee.tee.keys import KEY_SIZE, Label, derive_key
from softee.tee.records import FORMAT_VERSIONS, Place, RecordKind, vault_prefix
from softee.tee.sealing import TamperedError
from softee.tee.vault import NOWHERE, Shown, Vault
from softee.tee.vault_state import new_vault_record

__all__ = ["SecureStorage", "WrongRootKeyError", "is_installed"]

LONGEST_NAME = 255
"""Of a vault, in bytes of UTF-8."""


class SecureStorage:
    """All that one trusted application has stored. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        root_key: bytes | bytearray,
        application: UUID,
        vaults: Sequence[str],
        shown: Sequence[int] | None = None,
    ) -> None:
        """Open the application's storage, or make it in an empty store.

        A record in an older format is written anew in the newest one, together with the heads of new vaults.

        Args:
            store: where the records live.
            root_key: 32 bytes. It is not kept.
            application: the trusted application's UUID.
            vaults: names of the vaults that must be there (1 to 255 bytes each); new ones are made empty.
            shown: where several secure worlds use the store, the newest revisions of ``head_keys``, in their order,
                and after them the newest of all.

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
        self._shown = [0] * (len(vaults) + 1) if shown is None else shown
        self._newest = len(vaults)
        self._shown_at = {name: place for place, name in enumerate(vaults)}
        self._lock = threading.Lock()
        self._open: dict[str, Vault] = {}
        revision, found, is_newest = self._load(root_key)
        names = tuple(dict.fromkeys([*found.names, *vaults]))
        self._installation = replace(found, names=names)
        if names != found.names or not is_newest:
            self._write(root_key, revision, names[len(found.names) :])

    @property
    def installation(self) -> UUID:
        """Random, one per installation, never changes."""
        return self._installation.uuid

    @property
    def newest_shown(self) -> int:
        """The newest revision that is shown of any vault."""
        return self._shown[self._newest]

    def vault(self, name: str) -> Vault:
        """Return the vault of that name, the same object each time.

        Raises:
            KeyError: there is no vault of that name.
            TamperedError: its head or one of its pages is damaged; asked again, it looks again.
            StoreError: the store failed.

        """
        if name not in self._installation.names:
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
        return derive_key(self._installation.secret, Label.VAULT, name.encode())

    def _load(self, root_key: bytes | bytearray) -> tuple[Revision, Installation, bool]:
        """Return the installation record's revision, its content, and whether its format is the newest.

        For an empty store: ABSENT, new content, and False, since it is still to be written.
        """
        place = installation_place(self._application)
        stored = self._store.get(place.key)
        if stored is None:
            if self._store.range(self._application.bytes):
                raise TamperedError(f"{place} is missing from the store, and other records are there")
            return ABSENT, new_installation(), False
        installation, version = open_installation(root_key, self._application, stored.value)
        return stored.revision, installation, version == FORMAT_VERSIONS[RecordKind.INSTALLATION][-1]

    def _write(self, root_key: bytes | bytearray, revision: Revision, new: Iterable[str]) -> None:
        """Write the installation record with the empty heads of new vaults, in one transaction."""
        place = installation_place(self._application)
        puts = {place.key: seal_installation(root_key, self._application, self._installation)}
        for name in new:
            if self._store.range(vault_prefix(self._application, name)):
                raise TamperedError(
                    f"vault {name} is new to the installation record, and has records: it was rolled back"
                )
            head, record = new_vault_record(self._application, name, self._vault_secret(name))
            puts[head] = record
        expected = dict.fromkeys(puts, ABSENT) | {place.key: revision}
        self._store.commit(expected=expected, puts=puts)


def head_keys(application: UUID, vaults: Sequence[str]) -> list[bytes]:
    """Return the store's keys of vaults' heads, whose revisions tell that a vault has changed."""
    return [Place(application, name, RecordKind.HEAD).key for name in vaults]


def is_installed(store: Store, application: UUID) -> bool:
    """Tell whether a store holds an application's installation record, or other records of it. Raises StoreError."""
    place = installation_place(application)
    return store.get(place.key) is not None or bool(store.range(application.bytes))
