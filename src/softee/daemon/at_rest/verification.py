# SPDX-License-Identifier: Apache-2.0
"""Looks at a whole state while no secure world uses it, and says of each token what is damaged and what is good."""

from dataclasses import dataclass

from softee.daemon.settings import Settings
from softee.daemon.store import unsealed_store
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import vaults
from softee.pkcs11_ta.token.verification import examine_object, label_of
from softee.stores.base import Store
from softee.tee.sealing import TamperedError
from softee.tee.verification import VaultReport, verify


@dataclass(frozen=True)
class Report:
    """What was found of a token, or of another vault of the application."""

    name: str
    label: str | None
    """A token's, where it is initialized."""
    good: int
    """Objects that are as they were written."""
    opened: int
    """Of these, those that the root key opens; the rest are private, and their records were compared."""
    damaged: list[str]
    is_served: bool
    """Whether a secure world opens it at all."""


def verify_state(settings: Settings) -> list[Report]:
    """Look at a state. Nothing that is sealed in it is changed.

    Raises:
        StartError: there is no state, it is in use, or the root key does not open it.
        StoreError: the database cannot be used.

    """
    with unsealed_store(settings) as (store, root_key):
        return verify_store(store, root_key, settings.pkcs11.slots)


def verify_store(store: Store, root_key: bytes | bytearray, slots: int) -> list[Report]:
    """Look at what is in a store that nobody else uses, as an application with so many slots would.

    Raises:
        WrongRootKeyError, TamperedError, StoreError: as ``softee.tee.verification.verify``.

    """
    found = verify(store, root_key, PKCS11_APPLICATION, vaults(slots), examine_object)
    return [_report(vault) for vault in found]


def _report(vault: VaultReport) -> Report:
    label, damaged, is_served = None, list(vault.damaged), vault.is_served
    if vault.head is not None:
        try:
            label = label_of(vault.name, vault.head)
        except TamperedError as error:
            damaged.append(f"head of {vault.name}: {error}")
            is_served = False
    return Report(vault.name, label, vault.good, vault.opened, damaged, is_served)
