# SPDX-License-Identifier: Apache-2.0
"""What a trusted application tells the audit log, and how that reaches the one process which writes it.

The log is a place in the store (``tee/audited_store.py``), so it needs no way of its own between processes: what is put
there becomes a line, and is written when the commit returns; to read it tells whether a line can be written.
"""

import json
from collections.abc import Callable
from typing import Final, Protocol

from softee.stores.base import Store
from softee.tee.audit_chain import Fields

PLACE: Final = b"audit"
"""The log's key: what is put there is an event, in JSON. No record has a key as short."""
END: Final = b"audit end"
"""Where is told how the log ends, and by which key it is signed."""
LATEST: Final = b"audit latest"
"""Where the newest lines are told, for who looks on."""


class Audit(Protocol):
    """Where events are noted. Safe to use from several threads."""

    def require(self) -> None:
        """Refuse, before anything is done, what could not be noted and must be.

        Raises:
            StoreError: the log cannot be written; StoreFullError: it has no room.

        """
        ...

    def note(self, fields: Fields, *, about: int | None = None) -> None:
        """Write an event, and return when it is written.

        Args:
            fields: what has happened; ``event`` is its name.
            about: the uid that has provoked it, where one uid could provoke as many as it likes. What is beyond its
                share is counted, and the count is told with its next one.

        Raises:
            StoreError: it must be written, and was not.

        """
        ...


class StoredAudit:
    """The log behind a store, as each process of the secure world has one."""

    def __init__(self, store: Store, share: Callable[[int], int | None], *, required: bool) -> None:
        """Take the store that has the log.

        Args:
            store: an AuditedStore, or what reaches one.
            share: takes one from a uid's share: returns how many were left out before; None: this one is, too.
            required: nothing is done that cannot be noted.

        """
        self._store = store
        self._share = share
        self._required = required

    def require(self) -> None:
        """Refuse what could not be noted, where all must be. Raises StoreError."""
        if self._required:
            self._store.get(PLACE)

    def note(self, fields: Fields, *, about: int | None = None) -> None:
        """Write an event, within the share of whom it is about. Raises StoreError."""
        left_out = 0 if about is None else self._share(about)
        if left_out is None:
            return
        before = {"left_out_of_uid": left_out} if left_out else {}
        _put(self._store, {**fields, **before})


def note(store: Store, fields: Fields) -> None:
    """Write an event, where a store has a log. Raises StoreError: it must be written, and was not."""
    if store.get(END) is not None:
        _put(store, fields)


def _put(store: Store, fields: Fields) -> None:
    store.commit(expected={}, puts={PLACE: json.dumps(fields).encode()})
