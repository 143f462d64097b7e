# SPDX-License-Identifier: Apache-2.0
"""What the page shows: the secure world is asked once for all who look in the same second."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from softee.cli.audit.rows import COLUMNS, cells
from softee.cli.operator_session import operator_session
from softee.cli.top.asked import public_objects, statistics
from softee.cli.top.rates import Rates, rates
from softee.cli.top.tables import Table, summary, tables
from softee.cli.web.problems import problems
from softee.daemon.metrics.told import ObjectTold, Told
from softee.names import OperatorCommand

_AGAIN: Final = 1.0
"""Seconds for which an answer holds."""
_OLDEST: Final = 30.0
"""Seconds after which what was seen before tells no more of how much is done now."""
_BETWEEN: Final = 0.5
"""Seconds between two questions, where there was none before."""


@dataclass(frozen=True)
class Look:
    """What is seen at a moment. ``told.clock`` says when."""

    told: Told
    objects: Sequence[ObjectTold]
    rates: Rates
    audit: bytes
    """The newest lines of the audit log; none where there is no log."""

    @property
    def summary(self) -> str:
        """The first line."""
        return summary(self.rates)

    @property
    def problems(self) -> list[str]:
        """What is wrong."""
        return problems(self.told)

    @property
    def tables(self) -> list[Table]:
        """Tokens, clients, mechanisms."""
        return tables(self.rates)

    @property
    def events(self) -> Table | None:
        """The newest events, the latest first."""
        lines = self.audit.splitlines(keepends=True)
        return Table("audit log", COLUMNS, [*map(cells, reversed(lines))]) if lines else None

    def objects_of(self, slot: int) -> list[ObjectTold]:
        """Return a token's public objects, as far as they are told."""
        return [one for one in self.objects if one.slot == slot]


class Looks:
    """Asks a secure world, as its operator, for who looks. Called from several threads."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        self._last: Look | None = None

    def look(self, now: float) -> Look:
        """Return what is seen now, in seconds of the monotonic clock, or was less than a second ago.

        Raises:
            CliError: the secure world does not answer, or not as it should.

        """
        with self._lock:
            if self._last is None or not 0 <= now - self._last.told.clock < _AGAIN:
                self._last = self._ask(self._last)
            return self._last

    def _ask(self, before: Look | None) -> Look:
        with operator_session(self._socket, "does not say who uses it") as session:
            told, earlier = statistics(session), before.told if before else None
            if earlier is None or told.clock - earlier.clock > _OLDEST:
                time.sleep(_BETWEEN)
                told, earlier = statistics(session), told
            objects = public_objects(session)
            audit = session.read(OperatorCommand.BEGIN_AUDIT_LATEST)
        return Look(told, objects, rates(earlier, told), audit)
