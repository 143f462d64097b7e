# SPDX-License-Identifier: Apache-2.0
"""How an audit log ends, as a state says that no secure world uses; and its files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from softee.daemon.audit.files import first_number, lines_of
from softee.daemon.errors import StartError
from softee.daemon.settings import Settings
from softee.daemon.store import unsealed_store
from softee.names import PKCS11_APPLICATION
from softee.tee.audit_head import VAULT, AuditVouch, load_head, vouch
from softee.tee.audit_verification import Read
from softee.tee.secure_storage import SecureStorage


def end_of_log(settings: Settings) -> AuditVouch:
    """Return how the log of a state ends.

    Raises:
        StartError: there is no state, or no log, or a secure world uses it, or the root key does not open it.
        StoreError: the database cannot be used.

    """
    with unsealed_store(settings) as (store, root_key):
        try:
            vault = SecureStorage(store, root_key, PKCS11_APPLICATION, ()).vault(VAULT)
        except KeyError:
            raise StartError(f"There is no audit log of what is stored in {store.name}.") from None
        return vouch(vault, load_head(vault))


def read_lines(files: Iterable[Path]) -> Iterator[Read]:
    """Yield all lines of a log's files, with what they are called in a finding. Raises OSError."""
    for path, at, line in lines_of(files):
        yield Read(f"{path.name}:{at}", line, first_number(path) if at == 1 else None)
