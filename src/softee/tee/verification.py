# SPDX-License-Identifier: Apache-2.0
"""Looks at all that an application has stored, and says of each vault what is damaged and what is still good.

Nothing is written. An object in the vault's own compartment is opened; of another compartment, whose key only a login
gives, the record is compared with the tag in its page: it is what was sealed, whoever can open it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from softee.stores.base import Store, StoreError
from softee.tee.installation import Installation, installation_place, open_installation
from softee.tee.keys import Label, derive_key, derived
from softee.tee.opening import check_tag, open_head, open_object, open_page
from softee.tee.pages import Entry, Head
from softee.tee.records import Place, RecordKind, vault_prefix
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.vault_state import structure_key
from softee.tee.wiping import wipe

OWN_COMPARTMENT = 0
"""The compartment whose key is the vault's own."""

Examine = Callable[[str, bytearray], None]
"""Gets a vault's name and an object that opened; raises TamperedError where it is none of the application's."""


@dataclass
class VaultReport:
    """What was found of a vault."""

    name: str
    head: bytes | None = None
    """The application's data in it; None where the head is damaged."""
    good: int = 0
    """Objects that are as they were written."""
    opened: int = 0
    """Of these, those that were opened too."""
    damaged: list[str] = field(default_factory=list)
    """A sentence for each record that is damaged."""
    is_served: bool = True
    """Whether a secure world opens the vault at all: a damaged head or page keeps it from that."""


def verify(
    store: Store, root_key: bytes | bytearray, application: UUID, vaults: Sequence[str], examine: Examine
) -> list[VaultReport]:
    """Look at all vaults that the installation record names, and at those that should be there.

    Args:
        store: where the records live.
        root_key: 32 bytes.
        application: the trusted application's UUID.
        vaults: names of vaults that a secure world would make where the record does not name them.
        examine: the application's own look at an object.

    Raises:
        WrongRootKeyError: the root key is another one, or the installation record was altered.
        TamperedError: the installation record is missing, or is none.
        StoreError: the installation record cannot be read.

    """
    place = installation_place(application)
    stored = store.get(place.key)
    if stored is None:
        raise TamperedError(f"{place} is missing from the store")
    installation, _ = open_installation(root_key, application, stored.value)
    try:
        named = [_Vault(store, application, name, installation, examine).verified() for name in installation.names]
        unnamed = [name for name in vaults if name not in installation.names]
        return named + [_unnamed(store, application, name) for name in unnamed]
    finally:
        wipe(installation.secret)


def _unnamed(store: Store, application: UUID, name: str) -> VaultReport:
    """Report on a vault that there is not yet: it must have no records."""
    report = VaultReport(name, b"")
    if store.range(vault_prefix(application, name)):
        report.damaged.append(f"vault {name} has records and no name in the installation record: that was rolled back")
        report.is_served = False
    return report


class _Vault:
    """A vault that is looked at, and what was found."""

    def __init__(
        self, store: Store, application: UUID, name: str, installation: Installation, examine: Examine
    ) -> None:
        self._store = store
        self._application = application
        self._examine = examine
        secret = derive_key(installation.secret, Label.VAULT, name.encode())
        self._structure = structure_key(secret)
        with derived(secret, Label.OBJECTS) as key:
            self._key = SealKey(key)
        wipe(secret)
        self._report = VaultReport(name)

    def verified(self) -> VaultReport:
        """Look at the head, the pages that it lists, and the objects that these list."""
        head = self._head()
        if head is not None:
            self._report.head = head.data
            for entry in self._entries(head):
                self._look_at(entry)
        return self._report

    def _head(self) -> Head | None:
        place = self._place(RecordKind.HEAD)
        try:
            return open_head(self._structure, place, self._record(place))
        except (TamperedError, StoreError) as error:
            self._is_damaged(error)
            return None

    def _entries(self, head: Head) -> Iterator[Entry]:
        for number, row in head.pages.items():
            place = self._place(RecordKind.PAGE, number)
            try:
                entries = open_page(self._structure, place, row, self._record(place))
            except (TamperedError, StoreError) as error:
                self._is_damaged(error)
                continue
            yield from entries.values()

    def _look_at(self, entry: Entry) -> None:
        place = self._place(RecordKind.OBJECT, entry.number)
        try:
            record = self._record(place)
            if entry.compartment == OWN_COMPARTMENT:
                self._open(place, entry, record)
            else:
                check_tag(place, entry, record)
        except (TamperedError, StoreError) as error:
            self._report.damaged.append(str(error))
        else:
            self._report.good += 1

    def _open(self, place: Place, entry: Entry, record: bytes | None) -> None:
        content = open_object(self._key, place, entry, record)
        try:
            self._examine(self._report.name, content)
        except TamperedError as error:
            raise TamperedError(f"{place} is damaged: {error}") from error
        finally:
            wipe(content)
        self._report.opened += 1

    def _is_damaged(self, error: Exception) -> None:
        """Note damage that keeps the whole vault from being served."""
        self._report.damaged.append(str(error))
        self._report.is_served = False

    def _record(self, place: Place) -> bytes | None:
        stored = self._store.get(place.key)
        return stored.value if stored else None

    def _place(self, kind: RecordKind, number: int = 0) -> Place:
        return Place(self._application, self._report.name, kind, number)
