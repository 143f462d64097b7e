# SPDX-License-Identifier: Apache-2.0
"""Has a counter outside of the disk vouch for a state, where the settings name one: within a second of each change."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softee.daemon.settings import Settings
from softee.daemon.tpm_counter import DEVICES, TpmCounter
from softee.stores.base import Store, StoreError
from softee.tee.anchor import ANCHOR, AnchoredStore, AnchorError

log = logging.getLogger(__name__)

WITHIN = 1.0
"""Seconds after which a change is anchored. What changes a PIN, or counts a try, is anchored at once."""


class Anchoring:
    """When what changes is anchored. Without an anchor never."""

    def __init__(self, store: Store, anchored: AnchoredStore | None) -> None:
        self.store = store
        """What the secure world writes to."""
        self._anchored = anchored
        self.deadline: float | None = None
        """When ``tend`` has something to do, as the monotonic clock says; None: nothing is known that is to be done."""

    def tend(self, now: float) -> None:
        """Anchor what has waited long enough."""
        if self._anchored is None or not self._anchored.is_pending:
            self.deadline = None
        elif self.deadline is None:
            self.deadline = now + WITHIN
        elif now >= self.deadline:
            self.deadline = None
            self._settle(self._anchored)

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Have a thread anchor what is pending, where the process has threads anyway."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), name="anchor", daemon=True)
        if self._anchored is not None:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            if thread.is_alive():
                thread.join()

    def _run(self, stop: threading.Event) -> None:
        while self._anchored is not None and not stop.wait(WITHIN):
            if self._anchored.is_pending:
                self._settle(self._anchored)

    def _settle(self, anchored: AnchoredStore) -> None:
        try:
            anchored.settle()
        except (AnchorError, StoreError) as error:
            log.error("the last changes are not anchored yet: %s", error)  # noqa: TRY400 - no bug of ours


def anchor_devices(settings: Settings) -> tuple[Path, ...]:
    """Return the files that must stay open to this process for the anchor's sake."""
    return DEVICES if settings.anchor is not None else ()


def anchoring(settings: Settings, store: Store, root_key: bytearray) -> Anchoring:
    """Compare a store with its anchor, where the settings name one.

    Raises:
        TamperedError: the state was rolled back.
        AnchorError: the anchor cannot be used.
        StoreError: the store failed.

    """
    if settings.anchor is None:
        if store.get(ANCHOR.key) is not None:
            log.warning("the state had an anchor, which the settings do not name: its roll-back is not noticed")
        return Anchoring(store, None)
    anchored = AnchoredStore(store, TpmCounter(settings.anchor), root_key)
    return Anchoring(anchored, anchored)
