# SPDX-License-Identifier: Apache-2.0
"""How much of the log is about one uid: what it provokes beyond that is left out and counted, and the count is told.

Records say whom they are about (``extra={"uid": …}``); those about nobody are never left out.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Final

AT_ONCE: Final = 200
"""Lines about a uid that may come at once."""
A_SECOND: Final = 20.0
"""Lines about it in each second after that: some 200 MB a day."""
_KEPT: Final = 1024


@dataclass
class _Share:
    seen: float
    left: float = AT_ONCE
    left_out: int = 0


class Shares:
    """What each uid has left. Safe to use from several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._shares: dict[int, _Share] = {}

    def take(self, uid: int) -> int | None:
        """Return how many lines were left out before this one; None: this one is, too."""
        with self._guard:
            return self._take(uid)

    def _take(self, uid: int) -> int | None:
        if uid not in self._shares and len(self._shares) >= _KEPT:
            self._shares.clear()
        now = time.monotonic()
        share = self._shares.setdefault(uid, _Share(now))
        share.left = min(AT_ONCE, share.left + (now - share.seen) * A_SECOND)
        share.seen = now
        if share.left < 1:
            share.left_out += 1
            return None
        share.left -= 1
        left_out, share.left_out = share.left_out, 0
        return left_out


class LogLimit(logging.Filter):
    """Lets records pass as long as their uid's share lasts."""

    def __init__(self) -> None:
        super().__init__()
        self._shares = Shares()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record passes; the first one after others were left out says how many."""
        uid = getattr(record, "uid", None)
        if not isinstance(uid, int):
            return True
        left_out = self._shares.take(uid)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} lines about uid {uid} were left out before)"
            record.args = ()
        return left_out is not None
