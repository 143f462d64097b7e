# SPDX-License-Identifier: Apache-2.0
"""A counter for tests, which can fail before it counts and after, and a store whose every write an attacker keeps."""

from collections.abc import Collection, Mapping

from softee.stores.base import Revision, StoreError
from softee.stores.memory import MemoryStore
from softee.tee.anchor import AnchorError
from support.stores import snapshot


class FakeCounter:
    """A counter in memory."""

    def __init__(self) -> None:
        self.value: int | None = None
        self.auth = b""
        self.fails_before = False
        self.fails_after = False

    def read(self) -> int | None:
        return self.value

    def define(self, auth: bytes) -> None:
        assert self.value is None
        self.value, self.auth = 17, auth

    def increment(self, auth: bytes) -> None:
        assert self.value is not None
        if auth != self.auth or self.fails_before:
            raise AnchorError("the counter does not answer")
        self.value += 1
        if self.fails_after:
            raise AnchorError("the counter does not answer")


class WatchedStore(MemoryStore):
    """A store whose owner keeps each of its states, also those that a commit was refused."""

    def __init__(self, seen: list[dict[bytes, bytes]]) -> None:
        super().__init__()
        self._seen = seen
        self.refuses = False

    def commit(
        self, *, expected: Mapping[bytes, Revision], puts: Mapping[bytes, bytes], deletes: Collection[bytes] = ()
    ) -> Revision:
        wanted = {key: value for key, value in snapshot(self).items() if key not in deletes} | dict(puts)
        self._seen.append(wanted)
        if self.refuses:
            raise StoreError("the disk failed")
        return super().commit(expected=expected, puts=puts, deletes=deletes)
