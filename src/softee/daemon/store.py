# SPDX-License-Identifier: Apache-2.0
"""Opens the untrusted store that the settings name, for this process alone.

All that the daemon knows of a kind of store is here: where it is, how another secure world is kept from it, and what
room is kept back for it.
"""

import contextlib
from collections.abc import Iterator

from softee.daemon.account import account_of, borrowed, hand_over
from softee.daemon.settings import Settings
from softee.daemon.state_folder import locked_state
from softee.stores.base import Store
from softee.stores.reserve import Reserve, ReservingStore
from softee.stores.sqlite import SqliteStore

DATABASE = "softee.db"
"""The database's file in the state directory."""

RESERVE = "softee.reserve"
"""The file beside it that keeps room on the disk."""


@contextlib.contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store, made where there is none, and close it at the end.

    Where root does, for the user whom the settings name, the state is that user's, and is opened as that user.

    Raises:
        AccountError: there is no such user, or the state is somebody else's.
        StateError: the state directory cannot be used, or another secure world uses it.
        StoreError: the store itself cannot be used.

    """
    account = account_of(settings.user)
    hand_over(settings.state, account)
    with contextlib.ExitStack() as stack:
        with borrowed(account):
            stack.enter_context(locked_state(settings.state))
            database, reserve = settings.state / DATABASE, Reserve(settings.state / RESERVE)
            store = ReservingStore(lambda: SqliteStore(database), reserve)
            stack.enter_context(contextlib.closing(store))
        yield store
