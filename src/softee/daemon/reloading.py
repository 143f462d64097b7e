# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the settings are read anew. What can change while clients are served does, the rest is named.

Workers learn of a new log level by a number that all processes share, and a SIGHUP of their own.
"""

import logging
import mmap
import os
from collections.abc import Callable
from typing import Final

from softee.daemon.logs import LEVELS
from softee.daemon.settings import Settings, SettingsError, SettingsSource

log = logging.getLogger(__name__)

AT_ONCE: Final = ("log_level",)
"""The settings that count when they are read anew; all others do after a restart."""

_NAMES: Final = tuple(LEVELS)


class SharedLevel:
    """A log level that all processes of a secure world share. Made before the workers are."""

    def __init__(self, level: str) -> None:
        self._number = mmap.mmap(-1, 1)
        self.set(level)

    def set(self, level: str) -> None:
        """Make it this level, a key of LEVELS."""
        self._number[0] = _NAMES.index(level)

    def heed(self) -> None:
        """Have this process log as it says."""
        logging.getLogger().setLevel(LEVELS[_NAMES[self._number[0]]])


class Reloading:
    """The settings as they are now, and how they are read anew."""

    def __init__(self, settings: Settings, source: SettingsSource | None) -> None:
        """Take the settings, and where they came from; None: from nowhere."""
        self._settings = settings
        self._source = source
        self.level = SharedLevel(settings.log_level)
        self.tell_workers: Callable[[], None] = lambda: None
        """Has each worker heed the level."""

    def reload(self) -> None:
        """Read the settings, and let those count that can; where one is wrong, all stay as they were."""
        if self._source is None:
            log.info("there are no settings to be read anew")
            return
        try:
            new = self._source.load()
        except SettingsError as error:
            log.warning("the settings stay as they were: %s", error)
            return
        changed = [name for name in Settings.__struct_fields__ if getattr(new, name) != getattr(self._settings, name)]
        self._settings = new
        if "log_level" in changed:
            self.level.set(new.log_level)
            self.level.heed()
            self.tell_workers()
        later = [name for name in changed if name not in AT_ONCE]
        log.info("the settings were read anew: %s", _told(new, changed))
        if later:
            log.warning("what has changed in these settings counts after a restart: %s", ", ".join(later))


def _told(new: Settings, changed: list[str]) -> str:
    return (
        ", ".join(f"{name} is {getattr(new, name)}" for name in changed if name in AT_ONCE)
        or "none has changed that counts at once"
    )


def hung_up() -> Callable[[], bool]:
    """Return what tells whether a terminal that this process has now is gone: who runs it there has left."""
    had = has_terminal()
    return lambda: had and not has_terminal()


def has_terminal() -> bool:
    """Tell whether one of the standard descriptors is a terminal that is there."""
    return any(os.isatty(descriptor) for descriptor in (0, 1, 2))
