# SPDX-License-Identifier: Apache-2.0
"""A store in which the audit log has its place: what is put there becomes a line (``tee/audit.py``)."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from softee.stores.base import Record, Revision, Store, StoreError, StoreOver
from softee.tee.audit import END, LATEST, PLACE
from softee.tee.audit_chain import LineError
from softee.tee.audit_log import AuditLog

_A_REVISION: Final = Revision(1)
"""Of a place that is no record: nobody compares it."""
_EVENTS: Final[msgspec.json.Decoder[dict[str, object]]] = msgspec.json.Decoder(dict[str, object])


class AuditedStore(StoreOver):
    """Passes everything on to another store, but for the log."""

    def __init__(self, store: Store, log: AuditLog) -> None:
        super().__init__(store)
        self._log = log

    def get(self, key: bytes) -> Record | None:
        """Return the record at ``key``; at the log's place nothing, if a line can be written now.

        Raises:
            StoreError: as Store.get; or no line can be written. StoreFullError: there is no room for any.

        """
        if key == PLACE:
            self._log.require_room()
            return None
        if key == END:
            return Record(msgspec.json.encode(self._log.vouch()), _A_REVISION)
        if key == LATEST:
            return Record(self._log.latest(), _A_REVISION)
        return self._store.get(key)

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys, as Store.commit, or write a line. Raises StoreError."""
        if PLACE not in puts:
            return self._store.commit(expected=expected, puts=puts, deletes=deletes)
        try:
            self._log.write(_EVENTS.decode(puts[PLACE]))
        except (msgspec.MsgspecError, LineError, RecursionError):
            raise StoreError("the audit log takes no such event") from None
        return _A_REVISION
