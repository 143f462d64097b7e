# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 application over a state that no secure world uses, for what its operator does to tokens."""

import contextlib
import os
from collections.abc import Iterator

from softee.daemon.account import account_of
from softee.daemon.anchoring import anchoring
from softee.daemon.applications import Surroundings, is_in_use, pkcs11
from softee.daemon.audit.auditing import opened_log
from softee.daemon.errors import StartError
from softee.daemon.failures import opening
from softee.daemon.settings import Settings
from softee.daemon.store import open_store, unsealed_store
from softee.pkcs11_ta.application import Pkcs11Application
from softee.pkcs11_ta.token.token import Token
from softee.stores.base import Store
from softee.tee.audited_store import AuditedStore
from softee.tee.wiping import wipe


@contextlib.contextmanager
def application_at_rest(settings: Settings, *, make: bool = False) -> Iterator[Pkcs11Application]:
    """Open the application; ``make``: also where there is no state yet, nor a root key.

    Raises:
        StartError: there is no state, it is in use, or root key or anchor are not those that it needs.
        StoreError: the database cannot be used.

    """
    lend = _made_store if make else unsealed_store
    with lend(settings) as (store, root_key), application_over(settings, store, root_key) as application:
        yield application


@contextlib.contextmanager
def application_over(settings: Settings, store: Store, root_key: bytearray) -> Iterator[Pkcs11Application]:
    """Open the application over a store, with its anchor and its audit log.

    Raises:
        StartError: root key or anchor are not those that it needs.
        StoreError: the database cannot be used.

    """
    with (
        contextlib.closing(anchoring(settings, store, root_key).store) as anchored,
        opened_log(settings, anchored, root_key, account_of(settings.user)) as log,
    ):
        if log is None:
            yield pkcs11(Surroundings(anchored, root_key, settings))
            return
        try:
            yield pkcs11(Surroundings(AuditedStore(anchored, log), root_key, settings, has_audit=True))
        finally:
            log.close()


@contextlib.contextmanager
def noted(application: Pkcs11Application, token: Token, event: str, **told: object) -> Iterator[None]:
    """Have what an operator does to a token be noted, as failed where it ends in a StartError.

    Raises:
        StoreError: it must be noted, and cannot.

    """
    if application.noting is None:
        yield
        return
    fields = {"event": event, "uid": os.getuid(), "slot": token.slot, "token": token.serial_number, **told}
    application.noting.require()
    try:
        yield
    except StartError:
        application.noting.note({**fields, "failed": True})
        raise
    application.noting.note(fields)


@contextlib.contextmanager
def _made_store(settings: Settings) -> Iterator[tuple[Store, bytearray]]:
    with open_store(settings) as store:
        root_key = settings.root_key.read_or_make(is_needed=lambda: is_in_use(store))
        try:
            with opening(store, settings.root_key):
                yield store, root_key
        finally:
            wipe(root_key)


def tokens_of(application: Pkcs11Application, label: str | None = None) -> list[Token]:
    """Return the tokens that are initialized: all, or those of a label. Raises TamperedError, StoreError."""
    tokens = [application.slots.token(slot) for slot in range(application.slots.count)]
    wanted = None if label is None else label.encode().ljust(32)
    return [one for one in tokens if one.state.so is not None and wanted in {None, one.state.label}]


def token_named(application: Pkcs11Application, label: str) -> Token:
    """Return the token of that label. Raises StartError where there is none, or several."""
    found = tokens_of(application, label)
    if len(found) != 1:
        raise StartError(f'There {"are several tokens" if found else "is no token"} called "{label}" in the state.')
    return found[0]
