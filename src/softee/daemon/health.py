# SPDX-License-Identifier: Apache-2.0
"""Whether all that this secure world promises is so just now: the store takes changes, tokens open, workers live."""

from collections.abc import Callable, Iterator

from softee.pkcs11_ta.token.slots import Slots
from softee.stores.base import Store, StoreDamagedError, StoreError, StoreFullError
from softee.tee.audit import PLACE
from softee.tee.sealing import TamperedError
from softee.wire.health import (
    AUDIT_FAILED,
    STORE_DAMAGED,
    STORE_FAILED,
    STORE_FULL,
    TOKEN_DAMAGED,
    WORKERS_MISSING,
    Reason,
)

_OF_THE_STORE: tuple[tuple[type[StoreError], Reason], ...] = (
    (StoreFullError, STORE_FULL),
    (StoreDamagedError, STORE_DAMAGED),
    (StoreError, STORE_FAILED),
)


def health(store: Store, slots: Slots | None, all_workers: Callable[[], bool]) -> int:
    """Return what is wrong, as the bits of reasons (wire/health.py); 0 where nothing is."""
    return sum({reason.bit for reason in _reasons(store, slots, all_workers)})


def _reasons(store: Store, slots: Slots | None, all_workers: Callable[[], bool]) -> Iterator[Reason]:
    try:
        store.check()
    except StoreError as error:
        yield next(reason for kind, reason in _OF_THE_STORE if isinstance(error, kind))
    else:
        if not _notes(store):
            yield AUDIT_FAILED
    for slot in range(slots.count if slots else 0):
        if slots and not _opens(slots, slot):
            yield TOKEN_DAMAGED
    if not all_workers():
        yield WORKERS_MISSING


def _notes(store: Store) -> bool:
    """Say whether the audit log, if there is one, can be written."""
    try:
        store.get(PLACE)
    except StoreError:
        return False
    return True


def _opens(slots: Slots, slot: int) -> bool:
    try:
        slots.token(slot)
    except TamperedError:
        return False
    except StoreError:
        return True  # which the store's own check tells
    return True
