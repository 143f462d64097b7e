# SPDX-License-Identifier: Apache-2.0
"""The trusted applications of this secure world: a row each, and what makes it from store, root key and settings.

Which code runs here is decided by the program that is started, never by a setting: a program that wants another
application has ``daemon.main.serve`` run its row too (examples/serve_app_secrets.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from softee.daemon.log_limit import Shares
from softee.daemon.policies import slot_policies
from softee.daemon.settings import Settings, SettingsError
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.attestation.chain import ChainError
from softee.pkcs11_ta.audit.noting import Noting
from softee.pkcs11_ta.counting import NOT_COUNTED, Counts
from softee.pkcs11_ta.session.tickets import NO_TICKETS, Tickets
from softee.pkcs11_ta.token.neighbours import NOBODY, Neighbours
from softee.stores.base import Store
from softee.tee.application import TrustedApplication
from softee.tee.audit import StoredAudit
from softee.tee.secure_storage import SecureStorage, head_keys, is_installed


@dataclass(frozen=True)
class Surroundings:
    """What trusted applications are made from."""

    store: Store
    root_key: bytearray = field(repr=False)
    settings: Settings
    shown: Sequence[int] | None = None
    """The newest revisions of the vaults that ``Installed.shared`` names, which clients see too (``change_page``)."""
    neighbours: Neighbours = NOBODY
    """The other worker processes."""
    tickets: Tickets = NO_TICKETS
    """How logins come back after a restart."""
    counts: Counts = NOT_COUNTED
    """Who counts what clients do."""
    has_audit: bool = False
    """The store has the audit log that the settings ask for."""


@dataclass(frozen=True)
class Installed:
    """A trusted application: its UUID, and a function that makes it. Making it opens, or founds, its storage."""

    uuid: UUID
    make: Callable[[Surroundings], TrustedApplication]
    shared: Callable[[Settings], Sequence[bytes]] | None = None
    """Names the heads of its vaults in the store. None: it runs in one worker process alone, and so do all."""


def _pkcs11_heads(settings: Settings) -> Sequence[bytes]:
    return head_keys(PKCS11_APPLICATION, vaults(settings.pkcs11.slots))


def pkcs11(around: Surroundings) -> Pkcs11Application:
    """Make OP-TEE's PKCS#11 application. Raises as make_applications."""
    settings, ours = around.settings, around.settings.pkcs11
    policies = slot_policies(ours)
    storage = SecureStorage(around.store, around.root_key, PKCS11_APPLICATION, vaults(ours.slots), around.shown)
    application = Pkcs11Application(
        storage,
        clock=lambda: datetime.now(UTC),
        policies=policies,
        max_sessions=ours.sessions_per_client,
        pin_computations=ours.pin_computations,
        neighbours=around.neighbours,
        tickets=around.tickets,
        counts=around.counts,
        noting=_noting(around) if around.has_audit else None,
    )
    if settings.attestation.chain is not None:
        _install_chain(application, settings.attestation.chain)
    return application


def _noting(around: Surroundings) -> Noting:
    audit = around.settings.audit
    return Noting(StoredAudit(around.store, Shares().take, required=audit.log == "required"), audit.uses)


def _install_chain(application: Pkcs11Application, file: Path) -> None:
    try:
        application.attester.install(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"The attestation chain {file} cannot be read: {error.strerror}.") from None
    except ChainError as error:
        raise SettingsError(f"The attestation chain {file} cannot be used: {error}.") from None


APPLICATIONS = (Installed(PKCS11_APPLICATION, pkcs11, _pkcs11_heads),)
"""What ``softee serve`` runs."""


def make_applications(around: Surroundings, rows: Iterable[Installed] = APPLICATIONS) -> list[TrustedApplication]:
    """Make them all.

    Raises:
        SettingsError: a slot's settings name something that there is not; the attestation chain cannot be used.
        WrongRootKeyError, TamperedError, StoreError: as SecureStorage.

    """
    return [row.make(around) for row in rows]


def serial_numbers(made: Iterable[TrustedApplication]) -> list[str]:
    """Return the serial numbers of the tokens that they have, by slot."""
    return [serial for one in made if isinstance(one, Pkcs11Application) for serial in one.slots.serial_numbers()]


def shared_heads(settings: Settings, rows: Iterable[Installed] = APPLICATIONS) -> list[bytes]:
    """Return the store's keys of the heads whose revisions are shown, in their order.

    Those of the one application that shows any; a second one would need places of its own.
    """
    return [key for row in rows if row.shared is not None for key in row.shared(settings)]


def is_in_use(store: Store, rows: Iterable[Installed] = APPLICATIONS) -> bool:
    """Tell whether one of them has stored anything, which only the root key that it was stored under opens."""
    return any(is_installed(store, row.uuid) for row in rows)
