# SPDX-License-Identifier: Apache-2.0
"""The audit log that the settings ask for: its vault, its files, what is noted of the secure world itself.

The process that has the store writes it, so all workers' events have one order.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import softee
from softee.daemon.account import Account, borrowed, hand_over
from softee.daemon.audit.files import FOLDER, AuditFiles
from softee.daemon.audit.syslog import CopiedLines
from softee.daemon.settings import Settings
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import vaults
from softee.stores.base import Store
from softee.tee.audit_head import VAULT
from softee.tee.audit_log import AuditLog, Tell, tell_nobody
from softee.tee.audited_store import AuditedStore
from softee.tee.secure_storage import SecureStorage
from softee.tee.vault import Vault


@contextlib.contextmanager
def audited(
    settings: Settings,
    store: Store,
    root_key: bytearray,
    account: Account | None = None,
    tell: Tell = tell_nobody,
) -> Iterator[Store]:
    """Yield a store that has the log, where the settings ask for one; else the store as it is.

    Args:
        settings: which log.
        store: where its end is kept.
        root_key: what opens that.
        account: whose files they are; None: this process' user's.
        tell: as AuditLog's.

    Raises:
        StartError: the folder cannot be used.
        WrongRootKeyError, TamperedError, StoreError: as SecureStorage and AuditLog.

    """
    with opened_log(settings, store, root_key, account, tell) as log:
        if log is None:
            yield store
            return
        with borrowed(account):
            log.write({"event": "start", "version": softee.__version__, "log": settings.audit.log})
        try:
            yield AuditedStore(store, log)
        finally:
            log.close({"event": "stop"})


@contextlib.contextmanager
def opened_log(
    settings: Settings,
    store: Store,
    root_key: bytearray,
    account: Account | None,
    tell: Tell = tell_nobody,
) -> Iterator[AuditLog | None]:
    """Yield the log; None where the settings ask for none. Arguments and errors are those of ``audited``."""
    if settings.audit.log == "off":
        yield None
        return
    folder = audit_folder(settings)
    if settings.audit.folder is not None:  # in the state, which is the account's, root makes nothing
        hand_over(folder, account)
    vault = audit_vault(settings, store, root_key)
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(contextlib.closing(_files(folder, settings.audit.file_size, account)))
        lines = stack.enter_context(contextlib.closing(CopiedLines(files))) if settings.audit.syslog else files
        with borrowed(account):
            log = AuditLog(vault, lines, now, required=settings.audit.log == "required", tell=tell)
        yield log


def audit_folder(settings: Settings) -> Path:
    """Return where the log's files are."""
    return settings.audit.folder or settings.state / FOLDER


def audit_vault(settings: Settings, store: Store, root_key: bytearray) -> Vault:
    """Return the log's vault, made if it is not there. Raises as SecureStorage."""
    names = (*vaults(settings.pkcs11.slots), VAULT)
    return SecureStorage(store, root_key, PKCS11_APPLICATION, names).vault(VAULT)


def now() -> str:
    """Return the time as lines have it: UTC, with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _files(folder: Path, largest: int, account: Account | None) -> AuditFiles:
    with borrowed(account):
        return AuditFiles(folder, largest)
