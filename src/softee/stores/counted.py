# SPDX-License-Identifier: Apache-2.0
"""A store whose commits somebody counts."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager

from softee.stores.base import Revision, Store, StoreOver


class CountedStore(StoreOver):
    """Passes everything on to another store; each commit runs within what ``counting`` returns."""

    def __init__(self, store: Store, counting: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(store)
        self._counting = counting

    def commit(
        self,
        *,
        expected: Mapping[bytes, Revision],
        puts: Mapping[bytes, bytes],
        deletes: Collection[bytes] = (),
    ) -> Revision:
        """Change several keys, and have it counted. See Store.commit."""
        with self._counting():
            return self._store.commit(expected=expected, puts=puts, deletes=deletes)
