# SPDX-License-Identifier: Apache-2.0
"""The trusted applications of this secure world: a row each, and what makes it from store, root key and settings.

Which code runs here is decided by the program that is started, never by a setting: a program that wants another
application has ``daemon.main.serve`` run its row too (examples/serve_app_secrets.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from softee.daemon.policies import slot_policies
from softee.daemon.settings import Settings, SettingsError
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.attestation.chain import ChainError
from softee.stores.base import Store
from softee.tee.application import TrustedApplication
from softee.tee.secure_storage import SecureStorage, is_installed


@dataclass(frozen=True)
class Installed:
    """A trusted application: its UUID, and a function that makes it. Making it opens, or founds, its storage."""

    uuid: UUID
    make: Callable[[Store, bytes, Settings], TrustedApplication]


def _pkcs11(store: Store, root_key: bytes, settings: Settings) -> TrustedApplication:
    ours = settings.pkcs11
    policies = slot_policies(ours)
    storage = SecureStorage(store, root_key, PKCS11_APPLICATION, vaults(ours.slots))
    application = Pkcs11Application(
        storage,
        clock=lambda: datetime.now(UTC),
        policies=policies,
        max_sessions=ours.sessions_per_client,
        pin_computations=ours.pin_computations,
    )
    if settings.attestation.chain is not None:
        _install_chain(application, settings.attestation.chain)
    return application


def _install_chain(application: Pkcs11Application, file: Path) -> None:
    try:
        application.attester.install(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"The attestation chain {file} cannot be read: {error.strerror}.") from None
    except ChainError as error:
        raise SettingsError(f"The attestation chain {file} cannot be used: {error}.") from None


APPLICATIONS = (Installed(PKCS11_APPLICATION, _pkcs11),)
"""What ``softee serve`` runs."""


def make_applications(
    store: Store, root_key: bytes, settings: Settings, rows: Iterable[Installed] = APPLICATIONS
) -> list[TrustedApplication]:
    """Make them all.

    Raises:
        SettingsError: a slot's settings name something that there is not; the attestation chain cannot be used.
        WrongRootKeyError, TamperedError, StoreError: as SecureStorage.

    """
    return [row.make(store, root_key, settings) for row in rows]


def is_in_use(store: Store, rows: Iterable[Installed] = APPLICATIONS) -> bool:
    """Tell whether one of them has stored anything, which only the root key that it was stored under opens."""
    return any(is_installed(store, row.uuid) for row in rows)
