# SPDX-License-Identifier: Apache-2.0
"""Gives a state another root key: from another source, which need not be of the same kind.

The new key is kept first, then one transaction of the store has it open what the old one opened. A crash before it
leaves the old key working, one after it the new; done again, it goes on with the new key that is there.
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.constant_time import bytes_eq

from softee.daemon.applications import APPLICATIONS, Installed, is_in_use
from softee.daemon.at_rest.afterwards import note_done
from softee.daemon.at_rest.application import application_over
from softee.daemon.failures import opening
from softee.daemon.root_key.reading import RootKeyError
from softee.daemon.root_key.source import RootKeySource
from softee.daemon.settings import Settings
from softee.daemon.store import open_store
from softee.stores.base import Store
from softee.tee.installation import rewrap
from softee.tee.wiping import wipe


def rotate(settings: Settings, new: RootKeySource, applications: Sequence[Installed] = APPLICATIONS) -> bool:
    """Have a state opened by the root key of another source, made there if it is missing.

    Args:
        settings: the state, and the source of the key that opens it now. No secure world may use it meanwhile.
        new: the other source.
        applications: whose storage it is.

    Returns:
        False where the new key opens the state already.

    Raises:
        StartError: the state or a key cannot be used, the keys are the same, or nothing is stored yet.
        StoreError: the store failed.
        NotNotedError: the new key opens the state, and that is not in the audit log.

    """
    with open_store(settings) as store:
        if not is_in_use(store, applications):
            raise RootKeyError(f"Nothing is stored in {store.name} yet: name the new root key in the settings.")
        old_key = settings.root_key.read()
        try:
            return _rotate(settings, store, old_key, new, applications)
        finally:
            wipe(old_key)


def _rotate(
    settings: Settings, store: Store, old_key: bytearray, new: RootKeySource, applications: Sequence[Installed]
) -> bool:
    old = settings.root_key
    new_key = new.read_or_make(is_needed=lambda: False)
    try:
        if bytes_eq(bytes(old_key), bytes(new_key)):
            raise RootKeyError(f"The root key {new} is the same as {old}; name a source that has another one.")
        with opening(store, old):
            changed = bool(rewrap(store, [row.uuid for row in applications], old_key, new_key))
        note_done(settings, application_over(settings, store, new_key), "rotate-root-key", f"{new} opens the state now")
        return changed
    finally:
        wipe(new_key)
