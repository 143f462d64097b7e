# SPDX-License-Identifier: Apache-2.0
"""Opens the untrusted store that the settings name, for this process alone.

All that the daemon knows of a kind of store is here: where it is, how another secure world is kept from it, and what
room is kept back for it.
"""

import contextlib
from collections.abc import Iterator

from softee.daemon.account import Account, account_of, borrowed, hand_over
from softee.daemon.errors import StartError
from softee.daemon.failures import opening
from softee.daemon.settings import Settings
from softee.daemon.state_folder import locked_state
from softee.stores.base import Store
from softee.stores.reserve import Reserve, ReservingStore
from softee.stores.sqlite import SqliteStore
from softee.tee.wiping import wipe

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
    with locked_folder(settings) as account:
        with borrowed(account):
            database, reserve = settings.state / DATABASE, Reserve(settings.state / RESERVE)
            store = ReservingStore(lambda: SqliteStore(database), reserve)
        with contextlib.closing(store):
            yield store


@contextlib.contextmanager
def locked_folder(settings: Settings) -> Iterator[Account | None]:
    """Hold the state directory, made if it is not there, for this process alone; yield the user whose it is.

    Raises:
        AccountError, StateError: as ``open_store``.

    """
    account = account_of(settings.user)
    hand_over(settings.state, account)
    with contextlib.ExitStack() as stack:
        with borrowed(account):
            stack.enter_context(locked_state(settings.state))
        yield account


@contextlib.contextmanager
def existing_store(settings: Settings) -> Iterator[Store]:
    """Open the store as ``open_store``, where there is one: nothing is made.

    Raises:
        StartError: there is none.

    """
    if not (settings.state / DATABASE).exists():
        raise StartError(f"There is no state in {settings.state}.")
    with open_store(settings) as store:
        yield store


@contextlib.contextmanager
def unsealed_store(settings: Settings) -> Iterator[tuple[Store, bytearray]]:
    """Open the store as ``existing_store``, and lend the root key with it, which is wiped at the end.

    Raises:
        StartError: there is no store; there is no root key, or what is done with both shows that they do not fit.

    """
    with existing_store(settings) as store:
        root_key = settings.root_key.read()
        try:
            with opening(store, settings.root_key):
                yield store, root_key
        finally:
            wipe(root_key)
